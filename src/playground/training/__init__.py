"""LoRA training (Hu et al., 2021, arXiv 2106.09685) of the bundled encoder and language model, with progress."""
