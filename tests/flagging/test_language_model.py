"""Clauses as prompts with one-word answers, and the labels' probabilities read off the first token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from playground.errors import TrainingError
from playground.flagging.language_model import clause_messages, label_codes, language_model_scorer
from playground.models.completion_codec import CompletionCodec, load_completion_codec
from playground.training.clauses.language_model import clause_examples
from playground.types import AnnotatedClause
from scenarios.contract_clauses.scenario import labels as cuad_labels
from tests.support.tiny_language_model import write_tiny_llama

LABELS = ("Audit Rights", "Insurance", "Cap On Liability", "Uncapped Liability")


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> CompletionCodec:
    return load_completion_codec(write_tiny_llama(tmp_path_factory.mktemp("tiny-llama")))


def clause(text: str, *labels: str, heading: str = "") -> AnnotatedClause:
    return AnnotatedClause(id=text[:20], text=text, labels=labels, contract="c", heading=heading)


def test_codes_are_single_tokens_and_words_where_there_are(codec: CompletionCodec) -> None:
    codes = label_codes(LABELS, codec)
    assert codes.words == (" Audit", " Insurance", " Cap", " a")
    assert codes.none_word == " None"
    assert len({*codes.token_ids, codes.none_token_id}) == 5
    for word, token in zip((*codes.words, " None"), (*codes.token_ids, codes.none_token_id), strict=True):
        assert codec.encode_completion(word)[:-1] == [token]
    assert label_codes(LABELS, codec) == codes


def test_labels_that_have_no_code(codec: CompletionCodec) -> None:
    with pytest.raises(TrainingError, match="each once"):
        label_codes(("Insurance", "Insurance"), codec)
    with pytest.raises(TrainingError, match="each once"):
        label_codes((), codec)
    with pytest.raises(TrainingError, match="more labels"):
        label_codes([f"{number}" for number in range(53)], codec)


def test_one_example_for_each_label_and_one_for_none(codec: CompletionCodec) -> None:
    codes = label_codes(LABELS[:3], codec)
    examples = clause_examples(
        [
            clause("x", "Cap On Liability", "Insurance", heading="7 Risk"),
            clause("y"),
            clause("z", "Uncapped Liability"),
        ],
        codes,
        codec,
    )
    assert [example.completion for example in examples] == [" Cap", " Insurance", " None", " None"]
    assert examples[0].messages == examples[1].messages
    assert examples[0].messages[-1].content == "7 Risk\nx"
    assert examples[2].messages[-1].content == "y"


@pytest.mark.parametrize("length", [10, 100, 150, 5000, 50_000])
def test_a_long_clause_loses_its_middle(codec: CompletionCodec, length: int) -> None:
    text = ("begin " + "m" * length)[: length - 4] + " end"
    messages = clause_messages(clause(text), codec, 200)
    used = len(codec.encode(messages))
    assert used <= 200
    shown = messages[-1].content
    if length <= 50:
        assert shown == text
    if length > 200:
        assert shown.startswith("begin ") and shown.endswith(" end") and " ... " in shown
        assert used >= 195, "no more than needed is left out"
    with pytest.raises(TrainingError, match="no room"):
        clause_messages(clause(text), codec, 20)


class ScriptedSequence:
    """Its logits depend on all tokens that it holds, and it counts those that went through it."""

    def __init__(self, vocabulary: int) -> None:
        self.tokens: list[int] = []
        self.read = 0
        self._vocabulary = vocabulary

    def truncate(self, length: int) -> None:
        del self.tokens[length:]

    def extend(self, ids: Sequence[int], logits_of: int) -> NDArray[np.float32]:
        self.tokens.extend(ids)
        self.read += len(ids)
        generator = np.random.default_rng(self.tokens)
        return np.tile(generator.normal(size=self._vocabulary).astype(np.float32), (logits_of, 1))


def test_scores_are_the_codes_probabilities_at_the_first_place(codec: CompletionCodec) -> None:
    made: list[ScriptedSequence] = []

    def factory() -> ScriptedSequence:
        made.append(ScriptedSequence(400))
        return made[-1]

    score = language_model_scorer(factory, codec, LABELS, max_tokens=1000).probabilities
    clauses = [clause("one"), clause("another " * 100), clause("one"), clause("two", heading="H")]
    scores = score(clauses)
    codes = label_codes(LABELS, codec)
    assert scores.shape == (4, 4) and scores.dtype == np.float64
    prompts = [codec.encode(clause_messages(item, codec, 1000)) for item in clauses]
    for row, prompt in zip(scores, prompts, strict=True):
        logits = ScriptedSequence(400).extend(prompt, 1)[-1].astype(np.float64)
        weights = np.exp(logits[[*codes.token_ids, codes.none_token_id]])
        assert row == pytest.approx(weights[:-1] / weights.sum())
    assert (scores > 0).all() and (scores.sum(1) < 1).all()
    # What all prompts begin with went through the network once.
    assert made[0].read < sum(len(prompt) for prompt in prompts) - 3 * 80
    assert score([]).shape == (0, 4)


@pytest.mark.models
def test_every_cuad_label_has_a_code_of_the_bundled_model(smollm2_gguf: Path) -> None:
    from playground.models.completion_codec import ChatMlCompletions
    from playground.models.openvino.llama_weights import load_llama_gguf

    codec = ChatMlCompletions(load_llama_gguf(smollm2_gguf).tokenizer)
    codes = label_codes([label.name for label in cuad_labels()], codec)
    assert codes.none_word == " None" and len({*codes.token_ids, codes.none_token_id}) == 42
    named = dict(zip(codes.labels, codes.words, strict=True))
    assert (named["Insurance"], named["Cap On Liability"]) == (" Insurance", " Cap")
    assert sum(len(word) > 2 for word in codes.words) >= 35, codes.words


@pytest.mark.models
def test_the_fast_engine_scores_as_transformers_does(smollm2_gguf: Path) -> None:
    from transformers import AutoModelForCausalLM

    from playground.models.completion_codec import ChatMlCompletions
    from playground.models.openvino.engine import load_openvino_engine
    from playground.models.transformers_engine import TransformersSequence, ensure_dequantised

    engine = load_openvino_engine(smollm2_gguf)
    codec = ChatMlCompletions(engine.weights.tokenizer)
    model = AutoModelForCausalLM.from_pretrained(ensure_dequantised(smollm2_gguf)).eval()
    clauses = [clause("The buyer may inspect the books."), clause("Either side may end this.", heading="9 End")]
    fast = language_model_scorer(engine.load_network(None), codec, LABELS).probabilities(clauses)
    reference = language_model_scorer(lambda: TransformersSequence(model), codec, LABELS).probabilities(clauses)
    # In log-odds, because an untrained model gives every label little: absolute differences would say nothing.
    assert np.abs(np.log(fast) - np.log(reference)).max() < 0.05
    assert np.abs(np.log(reference[0]) - np.log(reference[1])).max() > 0.5
