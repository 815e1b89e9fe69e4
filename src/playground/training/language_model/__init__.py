"""LoRA training of a language model."""
