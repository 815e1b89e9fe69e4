"""Which model answers: named by size, and refused where it does not fit this machine."""

from __future__ import annotations

import pytest

from playground.errors import ModelError
from playground.models import sources
from playground.models.catalog import ALL_BUNDLES, LANGUAGE_MODELS, QWEN_LARGE, QWEN_MEDIUM, SMOLLM2, weights_sha256
from playground.models.sources import BaseWeights, ModelChoice, base_weights, choice_from, default_size


@pytest.mark.parametrize(
    ("text", "bundle"),
    [("bundled", SMOLLM2), ("small", SMOLLM2), ("medium", QWEN_MEDIUM), ("large", QWEN_LARGE)],
)
def test_a_bundled_model_is_named_by_its_size(text, bundle):
    choice = choice_from(text)
    assert choice.bundle is bundle
    assert choice.label == bundle.title
    assert choice.is_private
    # Adapters are bound to these weights: one for the small model never runs on a larger one.
    assert base_weights(choice) == BaseWeights(bundle.id, bundle.main_file.sha256)


@pytest.mark.parametrize("name", ["bundled", "medium", "large", "owner/name"])
def test_a_choice_is_noted_as_the_command_line_names_it(name):
    assert choice_from(name).command_line_name == name


def test_a_run_notes_the_weights_of_every_bundled_model():
    assert {weights_sha256(bundle.id) for bundle in ALL_BUNDLES} == {one.main_file.sha256 for one in ALL_BUNDLES}
    assert weights_sha256("owner/name") is None


def test_another_model_is_no_bundle():
    assert ModelChoice("hugging_face", "large").bundle is None
    assert choice_from("owner/large") == ModelChoice("hugging_face", "owner/large")


@pytest.mark.parametrize(
    ("named", "here", "size"),
    [
        ("", ("small", "medium", "large"), "medium"),
        ("", ("small",), "small"),
        ("large", ("small", "medium", "large"), "large"),
        ("large", ("small", "medium"), "small"),
        (" medium ", ("small", "medium"), "medium"),
        ("small", ("small", "medium"), "small"),
        ("huge", ("small",), "small"),
        ("medium", (), "small"),
    ],
)
def test_the_app_begins_with_what_the_environment_names_or_answers_best_of_what_is_here(monkeypatch, named, here, size):
    monkeypatch.setattr(sources, "has_files", lambda bundle: bundle in [LANGUAGE_MODELS[one] for one in here])
    monkeypatch.setattr(sources, "free_memory_bytes", lambda: 100_000_000_000)
    assert default_size({"PLAYGROUND_MODEL": named}) == size


def test_the_app_does_not_begin_with_a_model_that_does_not_fit(monkeypatch):
    monkeypatch.setattr(sources, "has_files", lambda _bundle: True)
    monkeypatch.setattr(sources, "free_memory_bytes", lambda: 1_000_000_000)
    assert default_size({}) == default_size({"PLAYGROUND_MODEL": "large"}) == "small"


def test_a_model_that_does_not_fit_is_refused_before_anything_is_fetched(monkeypatch):
    monkeypatch.setattr(sources, "free_memory_bytes", lambda: 3_100_000_000)
    monkeypatch.setattr(sources, "ensure_language_model", lambda *_: pytest.fail("fetched"))
    with pytest.raises(ModelError, match=r"needs 3\.4 GB of free memory and 3\.1 GB are free\. .* choose a smaller"):
        sources.load_chat_model(ModelChoice("bundled", "large"))


def test_the_small_model_asks_for_no_memory(monkeypatch):
    monkeypatch.setattr(sources, "free_memory_bytes", lambda: 0)
    sources.check_memory(LANGUAGE_MODELS["small"])
