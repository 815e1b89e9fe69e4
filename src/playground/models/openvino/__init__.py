"""The engine of our own: Llama and BERT networks with LoRA branches, on OpenVINO."""
