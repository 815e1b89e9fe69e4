"""A random BERT or MPNet of two layers, on disk as a base for training: it learns a few words within seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

_SPECIAL_NAMES = {"bert": ("[PAD]", "[UNK]", "[CLS]", "[SEP]"), "mpnet": ("<s>", "<pad>", "</s>", "[UNK]")}


def write_tiny_encoder(folder: Path, words: Sequence[str], kind: Literal["bert", "mpnet"] = "bert") -> Path:
    """Write an encoder whose vocabulary are ``words``, in Hugging Face's layout, and return its folder."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

    vocabulary = {name: number for number, name in enumerate([*_SPECIAL_NAMES[kind], *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    if kind == "bert":
        BertModel(BertConfig(**sizes), add_pooling_layer=False).save_pretrained(folder)
        return folder
    model = MPNetModel(MPNetConfig(**sizes, max_position_embeddings=514), add_pooling_layer=False)
    torch.nn.init.normal_(model.encoder.relative_attention_bias.weight)  # 0 would hide a bias in the wrong place
    model.save_pretrained(folder)
    return folder
