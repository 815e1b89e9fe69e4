"""The fast clause flagger: a BERT encoder with a LoRA adapter and its head, on OpenVINO, without torch."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from playground.errors import ModelError
from playground.flagging.head import ClauseHead, load_head
from playground.flagging.model import JudgedPart, OnShare
from playground.flagging.windows import MOST_TOKENS, WindowReader, load_window_reader, padded_length
from playground.models.openvino.bert import build_bert
from playground.models.openvino.bert_weights import load_bert, merged
from playground.models.openvino.llama import import_openvino
from playground.models.openvino.lora_branches import load_encoder_branches
from playground.types import AnnotatedClause

_BATCH_TOKENS = 1_024
_MASKED = -1e4  # far below any attention score, and still a number in bfloat16


class ClauseEncoder:
    """Judges clauses: one probability a label. Made by ``load_clause_encoder``. Safe to use from several threads."""

    def __init__(self, compiled: Any, reader: WindowReader, head: ClauseHead, model_id: str, adapter: str) -> None:
        self._compiled = compiled
        self._reader = reader
        self._lock = threading.Lock()
        self.head = head
        self.model_id = model_id
        self.adapter = adapter

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the columns."""
        return self.head.labels

    @property
    def thresholds(self) -> np.ndarray:
        """The probability from which on a label is flagged, float [labels]."""
        return self.head.thresholds

    def probabilities(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        """Return calibrated probabilities, float32 [clauses, labels]. Neighbours in a contract are read together."""
        return self.head.calibration.probabilities(self.logits(clauses, on_share)).astype(np.float32)

    def logits(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        """Return the head's raw log-odds, those of its words included, float32 [clauses, labels]."""
        found = self.logits_without_words(clauses, on_share)
        return found if self.head.words is None else found + self.head.words.log_odds(clauses)

    def logits_without_words(self, clauses: Sequence[AnnotatedClause], on_share: OnShare | None = None) -> np.ndarray:
        """Return the raw log-odds of encoder and linear layer alone, float32 [clauses, labels]."""
        found = np.zeros((len(clauses), len(self.labels)), dtype=np.float32)
        for places, logits, share in self._read(clauses):
            found[places] = logits
            if on_share is not None:
                on_share(share)
        return found

    def judge_in_parts(self, clauses: Sequence[AnnotatedClause]) -> Iterator[JudgedPart]:
        """Yield clauses as they are judged, those at the start of the contract first where lengths allow it."""
        words = None if self.head.words is None else self.head.words.log_odds(clauses)
        for places, read, share in self._read(clauses):
            logits = read if words is None else read + words[places]
            yield JudgedPart(places, self.head.calibration.probabilities(logits).astype(np.float32), share)

    def _read(self, clauses: Sequence[AnnotatedClause]) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        """Yield (places int [n], logits float32 [n, labels], share of the tokens read so far), a batch at a time."""
        batches = self._reader.batches(self._reader.windows(clauses), _BATCH_TOKENS)
        batches.sort(key=lambda batch: min(window.clauses[0] for window in batch))
        total = sum(window.tokens for batch in batches for window in batch)
        done = 0
        # One request a call: OpenVINO's own threads use all cores, and a second session waits a batch, not a contract.
        request = self._compiled.create_infer_request()
        for batch in batches:
            arrays = self._reader.arrays(batch)
            with self._lock:
                request.infer(
                    {
                        "input_ids": arrays.input_ids,
                        "mask": ((1 - arrays.attention) * _MASKED).astype(np.float32)[:, None, None, :],
                        "pooling": arrays.pooling,
                    }
                )
                logits = request.get_tensor("logits").data.copy()
            rows, units, places = (np.array(each, dtype=np.int64) for each in zip(*arrays.places(), strict=True))
            done += sum(window.tokens for window in batch)
            yield places, logits[rows, units].astype(np.float32), done / total


def load_clause_encoder(
    base_folder: Path,
    adapter_folder: Path,
    *,
    model_id: str,
    adapter: str,
    precision: Literal["f32", "bf16", "auto"] = "auto",
    threads: int | None = None,
) -> ClauseEncoder:
    """Read an encoder with an adapter and compile it.

    Args:
        base_folder: Hugging Face folder of the encoder.
        adapter_folder: PEFT adapter with ``head.safetensors``. Whoever calls has checked that it belongs to the base.
        model_id: name of the base for records.
        adapter: name of the adapter for records.
        precision: of the matrix products; "auto" is bfloat16 where the processor computes it, twice as fast.
        threads: limit of the processor's cores; None for all.

    Raises:
        ModelError: encoder or adapter cannot be read or do not fit each other, or OpenVINO does not run here.
        AdapterError: the head cannot be read.
    """
    weights = merged(load_bert(base_folder), load_encoder_branches(adapter_folder))
    head = load_head(adapter_folder)
    if head.weight.shape[1] != weights.config.hidden:
        raise ModelError(f"The head of {adapter} is {head.weight.shape[1]} wide, the encoder {weights.config.hidden}.")
    longest = padded_length(head.window_tokens or MOST_TOKENS)
    if longest > weights.config.positions:
        raise ModelError(f"{adapter} reads {longest} tokens at once, the encoder at most {weights.config.positions}.")
    reader = load_window_reader(base_folder, head.window_tokens)
    model = build_bert(weights, head.weight, head.bias)
    try:
        core = import_openvino().Core()
        settings = {"INFERENCE_NUM_THREADS": str(threads or os.cpu_count() or 1)}
        if precision != "auto":
            settings["INFERENCE_PRECISION_HINT"] = precision
        compiled = core.compile_model(model, "CPU", settings)
    except (ImportError, RuntimeError) as error:
        raise ModelError(f"OpenVINO does not run on this machine ({error}). Reinstall it with pip.") from error
    return ClauseEncoder(compiled, reader, head, model_id, adapter)
