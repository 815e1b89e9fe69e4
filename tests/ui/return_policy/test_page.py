"""Every state of the return-policy page, with scripted models."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from playground.answering.policy_versions import PolicyShelf
from playground.errors import DocumentError, EndpointError
from playground.models.catalog import SMOLLM2
from playground.paths import POLICIES
from playground.types import Usage
from playground.ui.shared import resources
from playground.ui.shared.notices import Notice
from scenarios.return_policy.caution import measured_file
from scenarios.return_policy.scenario import MODES, system_prompt
from tests.support.fakes import FakeChatModel
from tests.support.fakes_ui import (
    BOT,
    ROOT,
    StoppedModel,
    ask,
    click,
    html,
    last_job,
    marked,
    open_bot,
    run,
    stamps,
    words,
)

QUESTION = "How long do I have to return something?"
READER = "policy-reader@12345678"
SIXTY = "You may return most items within 60 days of delivery."


def replace_by_paste(app, text, title="Pasted"):
    app.button_group(key="replace_way").set_value("Paste")
    run(app)
    app.text_input(key="policy_paste_title").set_value(title)
    app.text_area(key="policy_paste").set_value(text)
    return click(app, "policy_use_paste")


def policy_html(app):
    return "\n".join(part for part in html(app).split("\n") if '<div class="policy">' in part)


def policy_uploader(app):
    return next(uploader for uploader in app.file_uploader if uploader.key.startswith("policy_upload"))


def load_second_version(app):
    app.selectbox(key="policy_sample").set_value("northtrail-outdoor-v2.md")
    return click(app, "policy_load_sample")


# --- first screen ---------------------------------------------------------------------------------------------------


def test_first_screen_has_a_policy_suggestions_and_empty_figures(monkeypatch):
    app = open_bot(monkeypatch, lambda _: "unused")
    assert "NorthTrail Outdoor Return Policy" in html(app)
    assert words(app.success)[0].startswith("Version 1: ")
    assert "no weights changed" in words(app.success)[0]
    suggestions = [button.label for button in app.button if (button.key or "").startswith("suggestion_")]
    assert len(suggestions) == 5
    assert {metric.value for metric in app.metric} == {"\u2013"}
    assert not app.chat_message


def test_a_suggestion_is_asked_at_a_click(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = open_bot(monkeypatch, model)
    click(app, "suggestion_0")
    assert model.questions[-1].endswith(f"Question: {QUESTION}")
    assert SIXTY in words(app.text)
    assert not [button for button in app.button if (button.key or "").startswith("suggestion_")]


def test_a_link_names_policy_and_mode(monkeypatch):
    app = open_bot(monkeypatch, lambda _: "unused", policy="pawsome-pantry.txt", mode="no_text")
    assert "PAWSOME PANTRY" in html(app)
    assert app.button_group(key="mode").value == "no_text"


def test_a_link_that_names_a_path_opens_no_file(monkeypatch):
    app = open_bot(monkeypatch, lambda _: "unused", policy="../../README.md", mode="nonsense")
    assert "NorthTrail Outdoor Return Policy" in html(app)
    assert app.button_group(key="mode").value == "rag"


# --- answers --------------------------------------------------------------------------------------------------------


def test_an_answer_shows_citation_stamp_and_figures(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION)
    assert any("within 60 days of delivery" in stretch for stretch in marked(app))
    digest = app.session_state["playground_session"].shelf.active.sha256[:8]
    assert stamps(app) == [f"SmolLM2-135M-Instruct · RAG · NorthTrail Outdoor Return Policy · version 1 · {digest}"]
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Cost"] == "$0 (local)"
    assert int(figures["Tokens out"]) == 10
    assert not app.warning


def test_an_abstention_is_drawn_as_one_and_cites_nothing(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: "I don't know."), "Who is the king of France?")
    assert any("Abstained" in text.value for text in app.markdown)
    assert not marked(app)
    assert not app.warning
    assert not any("No passage supports" in text.value for text in app.markdown)


def test_a_number_that_no_cited_passage_has_is_warned_about(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: "You may return most items within 61 days of delivery."), QUESTION)
    assert marked(app)
    assert any("61" in warning for warning in words(app.warning))


def test_an_answer_without_support_says_so(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: "Bananas orbit Jupiter."), QUESTION)
    assert any("No passage supports this answer" in text.value for text in app.markdown)
    assert not marked(app)


def test_chain_of_thought_is_folded_apart_from_the_answer(monkeypatch):
    model = FakeChatModel(lambda _: f"Reasoning: the window is stated.\nAnswer: {SIXTY}")
    app = ask(open_bot(monkeypatch, model, mode="rag_chain_of_thought"), QUESTION)
    reasoning = next(expander for expander in app.expander if expander.label == "Reasoning")
    assert not reasoning.proto.expanded
    assert reasoning.text[0].value == "the window is stated."
    assert SIXTY in words(app.text)


def test_what_a_model_says_is_text_and_nothing_else(monkeypatch):
    evil = "![x](http://evil.example/x.png) <img src=http://evil.example/y.png> **bold** :material/home: 99 days"
    app = ask(open_bot(monkeypatch, lambda _: evil), evil)
    assert evil in [text.value for text in app.text]
    assert "<img" not in html(app)
    assert not any("![x](" in element.value for element in [*app.markdown, *app.caption])


def test_exact_messages_are_shown(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = ask(open_bot(monkeypatch, model), QUESTION)
    shown = [code.value for code in app.code]
    assert shown == [system_prompt(), model.questions[-1], SIXTY]
    assert app.get("plotly_chart")


def test_what_did_not_fit_is_said(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY, context_limit=400)
    app = ask(open_bot(monkeypatch, model, mode="whole_document"), QUESTION)
    assert any("was left out" in warning for warning in words(app.warning))


def test_passages_are_shown_with_their_scores(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION)
    table = next(element.value for element in app.get("html") if '"passages"' in element.value)
    assert table.count("<tr><td>") == 3
    app.slider(key="top_k").set_value(1)
    ask(app, QUESTION)
    table = next(element.value for element in app.get("html") if '"passages"' in element.value)
    assert table.count("<tr><td>") == 1


@pytest.mark.parametrize("mode", [description.mode for description in MODES])
def test_every_mode_answers_and_is_in_the_stamp(monkeypatch, mode):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    monkeypatch.setattr(resources, "reader_identity", lambda: READER)
    app.button_group(key="mode").set_value(mode)
    run(app)
    ask(app, QUESTION)
    title = next(description.title for description in MODES if description.mode == mode)
    assert f" · {title}{f' ({READER})' if mode == 'rag_lora' else ''} · " in stamps(app)[0]


# --- RAG + LoRA -----------------------------------------------------------------------------------------------------


def open_with_reader(monkeypatch, model):
    open_bot(monkeypatch, model)  # puts the scripted models in place
    monkeypatch.setattr(resources, "reader_identity", lambda: READER)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    return run(app.switch_page(BOT))


class AdapterModel(FakeChatModel):
    """Answers differently with an adapter and without, and keeps which one was asked for."""

    def __init__(self, script=lambda _: SIXTY):
        super().__init__(script)
        self.adapters = []

    def complete(self, messages, *, adapter=None, **options):
        self.adapters.append(adapter)
        completion = super().complete(messages, adapter=adapter, **options)
        return replace(completion, text="I don't know.") if adapter else completion


def test_the_bundled_model_reads_through_its_adapter_by_default(monkeypatch):
    model = AdapterModel()
    app = open_with_reader(monkeypatch, model)
    assert app.button_group(key="mode").value == "rag_lora"
    ask(app, "My order was delivered on May 3. What is the last day of the return window?")
    assert model.adapters == [READER]
    assert "Worked out:" in model.questions[-1]


class GuardedModel(AdapterModel):
    """Would say that it does not know with a probability of 0.6."""

    def complete_guarded(self, messages, *, abstention, abstain_at, adapter=None, **options):
        completion = self.complete(messages, adapter=adapter, **options)
        text = abstention if abstain_at <= 0.6 else "Most items may be returned."
        return replace(completion, text=text, abstain_probability=0.6)


def test_the_caution_that_is_set_decides_and_says_what_it_did_when_measured(monkeypatch):
    app = open_with_reader(monkeypatch, GuardedModel())
    assert app.select_slider(key="caution").value == "balanced"
    assert any("not measured for the reader in use" in text for text in words(app.caption))
    ask(app, QUESTION)
    app.select_slider(key="caution").set_value("very helpful")
    ask(run(app), QUESTION)
    assert [turn.answer.abstained for turn in app.session_state["playground_session"].turns] == [True, False]
    monkeypatch.setattr(
        resources, "reader_identity", lambda: json.loads(measured_file("policy-reader").read_text())["adapter"]
    )
    sentence = next(text for text in words(run(app).caption) if text.startswith("On new shops, measured"))
    app.select_slider(key="caution").set_value("very cautious")
    assert sentence not in words(run(app).caption)
    app.button_group(key="mode").set_value("rag")
    assert not run(app).select_slider


def test_the_adapter_fits_no_other_model_and_the_page_says_so(monkeypatch):
    model = AdapterModel()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:9/v1")
    monkeypatch.setenv("OPENAI_MODEL", "some-model")
    app = open_with_reader(monkeypatch, model)
    app.radio(key="model_source").set_value("endpoint")
    run(app)
    assert any("fits no other" in text for text in words(app.info))
    ask(app, QUESTION)
    assert any("fits no other" in text for text in words(app.error))
    assert model.adapters == []


def open_with_hugging_face(monkeypatch, model, name):
    monkeypatch.setattr(resources, "reader_identity_of", lambda name: "big-reader@12345678" if name == "/big" else None)
    app = open_with_reader(monkeypatch, model)
    app.radio(key="model_source").set_value("hugging_face")
    run(app)
    app.text_input(key="hugging_face_name").set_value(name)
    return run(app)


def test_another_model_reads_through_the_adapter_that_was_trained_on_it(monkeypatch):
    model = AdapterModel()
    app = open_with_hugging_face(monkeypatch, model, "/big")
    assert app.button_group(key="mode").value == "rag_lora" and not words(app.info)
    ask(app, QUESTION)
    assert model.adapters == ["big-reader@12345678"]
    assert "RAG + LoRA (big-reader@12345678)" in stamps(app)[0]


def test_another_model_without_an_adapter_of_its_own_says_how_to_train_one(monkeypatch):
    model = AdapterModel()
    app = open_with_hugging_face(monkeypatch, model, "/other")
    assert any("train reader --base" in text for text in words(app.info))
    ask(app, QUESTION)
    assert any("trained on this very model" in text for text in words(app.error))
    assert model.adapters == []


def test_prompting_and_lora_answer_side_by_side_on_the_same_passages(monkeypatch):
    model = AdapterModel()
    app = open_with_reader(monkeypatch, model)
    app.text_input(key="techniques_question").set_value(QUESTION)
    click(app, "ask_techniques")
    assert model.adapters == [None, READER]
    assert [text for text in words(app.text) if text in (SIXTY, "I don't know.")] == [SIXTY, "I don't know."]
    comparison = app.session_state["playground_session"].comparison
    left, right = comparison.left.answer, comparison.right.answer
    assert [passage.chunk.id for passage in left.passages] == [passage.chunk.id for passage in right.passages]
    assert not app.chat_message


def test_without_an_adapter_the_comparison_says_what_is_missing(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    assert any("no adapter that reads passages" in text for text in words(app.caption))
    app.button_group(key="mode").set_value("rag_lora")
    ask(run(app), QUESTION)
    assert any("no adapter that reads passages" in text for text in words(app.error))


def test_an_unknown_price_is_unknown_and_missing_usage_too(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY, price_usd=None, usage=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:9/v1")
    monkeypatch.setenv("OPENAI_MODEL", "some-model")
    app = open_bot(monkeypatch, model)
    app.radio(key="model_source").set_value("endpoint")
    run(app)
    ask(app, QUESTION)
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Cost"] == "unknown price"
    assert figures["Tokens in"] == "unknown"
    assert stamps(app)[0].startswith("some-model · ")


# --- conversation ---------------------------------------------------------------------------------------------------


def test_a_follow_up_sees_the_question_before_and_a_new_conversation_does_not(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = ask(open_bot(monkeypatch, model), QUESTION)
    ask(app, "And for opened ones?")
    last = app.session_state["playground_session"].turns[-1].answer.completion.messages
    assert any(QUESTION in message.content for message in last[:-1])
    click(app, "new_conversation")
    assert not app.chat_message
    assert app.button(key="suggestion_0")
    ask(app, "And for opened ones?")
    last = app.session_state["playground_session"].turns[-1].answer.completion.messages
    assert len(last) == 2


def test_an_answer_on_the_old_version_is_not_shown_to_the_model_after_a_swap(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = ask(open_bot(monkeypatch, model), QUESTION)
    load_second_version(app)
    ask(app, "And what about members?")
    messages = app.session_state["playground_session"].turns[-1].answer.completion.messages
    assert not any("60 days" in message.content for message in messages)


def last_messages(app):
    return app.session_state["playground_session"].turns[-1].answer.completion.messages


def test_the_wrong_answer_of_one_technique_is_not_shown_to_the_next(monkeypatch):
    # The steps of the demo on Home: RAG misreads the policy, then the adapter is asked the same, then a follow-up.
    model = AdapterModel(lambda _: "You have 14 days.")
    app = open_with_reader(monkeypatch, model)
    app.button_group(key="mode").set_value("rag")
    ask(run(app), QUESTION)
    app.button_group(key="mode").set_value("rag_lora")
    run(app)
    assert "Technique is now RAG + LoRA" in html(app)
    for question in (QUESTION, "And for opened ones?"):
        ask(app, question)
        assert not any("14 days." in message.content for message in last_messages(app) if message.role == "assistant")


def test_the_wrong_answer_of_one_model_is_not_shown_to_the_next(monkeypatch):
    model = FakeChatModel(lambda _: "The answer is: 4 weeks.")
    app = ask(open_bot(monkeypatch, model), QUESTION)
    app.button_group(key="model_size").set_value("medium")
    assert "Model is now" in html(run(app))
    ask(app, "And for opened ones?")
    assert not any("4 weeks" in message.content for message in last_messages(app))
    app.button_group(key="model_size").set_value("medium")
    ask(app, "And for gifts?")
    assert any("4 weeks" in message.content for message in last_messages(app))


def test_a_question_that_stands_alone_is_asked_without_what_was_said_before(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = ask(open_bot(monkeypatch, model), "Is the refund paid to the card?")
    ask(app, "How is an order refunded that was paid with PayPal?")
    assert len(last_messages(app)) == 2
    assert "new conversation begins" not in html(app)


def test_the_evidence_of_an_earlier_answer_can_be_called_up(monkeypatch):
    replies = iter([SIXTY, "The label is free when the original order total, before tax, was above $75."])
    app = ask(open_bot(monkeypatch, lambda _: next(replies)), QUESTION)
    ask(app, "When is the label free for a $90 order?")
    assert not any("60 days" in stretch for stretch in marked(app))
    click(app, "evidence_1")
    assert any("60 days" in stretch for stretch in marked(app))


def test_the_evidence_of_an_answer_on_an_old_version_is_shown_in_that_version(monkeypatch):
    app = load_second_version(ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION))
    assert not marked(app)
    click(app, "evidence_1")
    assert any("within 60 days" in stretch for stretch in marked(app))
    assert any("version 1; version 2 answers now" in caption for caption in words(app.caption))


def test_a_model_error_is_a_sentence_in_the_chat(monkeypatch):
    error = EndpointError("The endpoint at localhost:9 refused the key. Check it ![x](http://evil.example/x.png).")
    app = ask(open_bot(monkeypatch, lambda _: error), QUESTION)
    assert words(app.error) == [str(error)]
    assert "![x](" not in app.error[0].value
    assert app.session_state["playground_session"].turns[0].answer is None


def test_an_unforeseen_error_shows_no_traceback(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: ValueError("secret detail")), QUESTION)
    assert len(app.error) == 1
    assert "secret detail" not in app.error[0].value


def test_a_model_that_cannot_be_loaded_is_a_sentence_in_the_chat(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)

    def fail(_choice):
        raise EndpointError("The endpoint has no settings. Enter its address and model.")

    monkeypatch.setattr(resources, "chat_model", fail)
    ask(app, QUESTION)
    assert words(app.error) == ["The endpoint has no settings. Enter its address and model."]


def test_a_question_of_50_000_characters_gets_a_sentence(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = ask(open_bot(monkeypatch, model), "x" * 50_000)
    assert "50,000 characters" in words(app.error)[0]
    assert not model.questions
    assert max(len(text.value) for text in app.text) < 1000


@pytest.mark.parametrize("partial", ["", "You may return"])
def test_a_stopped_answer_keeps_what_had_arrived(monkeypatch, partial):
    job = last_job(monkeypatch)
    app = open_bot(monkeypatch, StoppedModel(partial, job))
    ask(app, QUESTION)
    assert any("Stopped" in text.value for text in app.markdown)
    assert (partial in words(app.text)) == bool(partial)
    assert app.session_state["playground_session"].answering is None


def test_a_conversation_can_be_downloaded(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION)
    assert {button.label for button in app.get("download_button")} == {
        "Page",
        "Markdown",
        "JSON",
        "Save this chat as a recording",
    }
    assert not any(button.proto.disabled for button in app.get("download_button"))


# --- settings -------------------------------------------------------------------------------------------------------


def test_the_system_prompt_is_the_article_s_can_be_edited_and_reset(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    assert app.text_area(key="system_prompt").value == (
        "You are a helpful assistant. Use the provided text to answer the user. If the answer is not in the text, say "
        "'I don't know.'"
    )
    app.text_area(key="system_prompt").set_value("Answer in rhyme.")
    ask(app, QUESTION)
    assert app.session_state["playground_session"].turns[-1].answer.prompt.messages[0].content == "Answer in rhyme."
    click(app, "reset_system_prompt")
    assert app.text_area(key="system_prompt").value == system_prompt()


def test_settings_survive_a_visit_to_the_home_page(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    app.slider(key="top_k").set_value(5)
    app.button_group(key="mode").set_value("rag_few_shot")
    ask(app, QUESTION)
    run(app.switch_page("app.py"))
    run(app.switch_page("pages/return_policy.py"))
    assert app.slider(key="top_k").value == 5
    assert app.button_group(key="mode").value == "rag_few_shot"
    assert SIXTY in words(app.text)


# --- models ---------------------------------------------------------------------------------------------------------


def test_an_endpoint_without_settings_is_an_invitation(monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_MODEL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    app = open_bot(monkeypatch, lambda _: SIXTY)
    app.radio(key="model_source").set_value("endpoint")
    run(app)
    assert any("Enter a base URL and a model" in info for info in words(app.info))
    assert not app.error


def test_a_typed_key_goes_to_the_typed_address_only(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:9/v1")
    monkeypatch.setenv("OPENAI_MODEL", "m")
    monkeypatch.setenv("OPENAI_API_KEY", "key-from-environment")
    app = open_bot(monkeypatch, lambda _: SIXTY)
    app.radio(key="model_source").set_value("endpoint")
    run(app)
    choice = app.session_state["playground_shared_session"].model_choice
    assert choice.endpoint.api_key == "key-from-environment"
    app.text_input(key="endpoint_url").set_value("http://localhost:8/v1")
    run(app)
    choice = app.session_state["playground_shared_session"].model_choice
    assert choice.endpoint.base_url == "http://localhost:8/v1"
    assert choice.endpoint.api_key is None


def test_a_bad_address_is_a_sentence(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    app.radio(key="model_source").set_value("endpoint")
    run(app)
    app.text_input(key="endpoint_url").set_value("ftp://example.com")
    app.text_input(key="endpoint_model").set_value("m")
    run(app)
    assert any("must begin with http" in error for error in words(app.error))


REAL_ENDPOINT_PROBLEM, REAL_HUGGING_FACE_PROBLEM = resources.endpoint_problem, resources.hugging_face_problem


def choose_endpoint(app, url, model, key=""):
    app.radio(key="model_source").set_value("endpoint")
    run(app)
    app.text_input(key="endpoint_url").set_value(url)
    app.text_input(key="endpoint_model").set_value(model)
    app.text_input(key="endpoint_key").set_value(key)
    return run(app)


def says_that_it_answers(app):
    return any("** answers" in caption.value for caption in app.sidebar.caption)


def test_a_model_that_the_endpoint_does_not_list_is_noticed_when_it_is_entered(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    monkeypatch.setattr(resources, "endpoint_problem", REAL_ENDPOINT_PROBLEM)
    monkeypatch.setattr(resources, "list_endpoint_models", lambda _settings: ("one", "two"))
    choose_endpoint(app, "http://localhost:9/v1", "three")
    (error,) = words(app.error)
    assert "does not list the model 'three'. It lists: one, two." in error
    assert not says_that_it_answers(app)
    app.text_input(key="endpoint_model").set_value("two")
    assert not words(run(app).error)
    assert says_that_it_answers(app)


@pytest.mark.parametrize(("status", "told"), [(401, True), (None, True), (404, False)])
def test_an_endpoint_that_refuses_or_is_not_there_is_noticed_when_it_is_entered(monkeypatch, status, told):
    def refuses(_settings):
        raise EndpointError("localhost refused.", status)

    app = open_bot(monkeypatch, lambda _: SIXTY)
    monkeypatch.setattr(resources, "endpoint_problem", REAL_ENDPOINT_PROBLEM)
    monkeypatch.setattr(resources, "list_endpoint_models", refuses)
    choose_endpoint(app, f"http://localhost:9/v{status}", "m")
    # A server without a list of models may answer all the same.
    assert bool(words(app.error)) is told
    assert says_that_it_answers(app) is not told


def test_a_folder_without_a_model_is_noticed_when_it_is_entered(monkeypatch, tmp_path):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    monkeypatch.setattr(resources, "hugging_face_problem", REAL_HUGGING_FACE_PROBLEM)
    app.radio(key="model_source").set_value("hugging_face")
    run(app)
    app.text_input(key="hugging_face_name").set_value(str(tmp_path))
    assert any("no readable config.json" in error for error in words(run(app).error))
    assert not says_that_it_answers(app)


def test_after_a_refused_key_nothing_answers_until_it_is_changed(monkeypatch):
    model = FakeChatModel(lambda _: EndpointError("localhost refused the key (401). Check it.", 401))
    app = choose_endpoint(open_bot(monkeypatch, model), "http://localhost:9/v1", "m", "wrong")
    assert says_that_it_answers(app)
    ask(app, QUESTION)
    assert any("refused the key" in error for error in words(app.sidebar.error))
    assert not says_that_it_answers(app)
    app.text_input(key="endpoint_key").set_value("right")
    run(app)
    assert says_that_it_answers(app) and not words(app.sidebar.error)


class BreakingModel(FakeChatModel):
    """Says something, and then its connection breaks."""

    def complete(self, messages, *, on_token=None, **_):
        on_token("You may return most ")
        raise EndpointError("The connection to localhost broke after 20 characters of the answer.")


def test_a_stream_that_breaks_keeps_the_text_that_came(monkeypatch):
    app = ask(open_bot(monkeypatch, BreakingModel(lambda _: "")), QUESTION)
    assert "You may return most" in words(app.text)
    assert any("broke after 20 characters" in error for error in words(app.error))


# --- what a rule answers, and messages as people write them ----------------------------------------------------------


def badges(app):
    return [element.value for element in app.markdown if "badge" in element.value]


def test_a_greeting_is_answered_by_a_rule_that_says_so(monkeypatch):
    model = FakeChatModel(lambda _: "I don't know.")
    app = ask(open_bot(monkeypatch, model), "hello")
    assert any(text.startswith("Hello!") for text in words(app.text))
    assert any("Answered by a rule" in badge for badge in badges(app))
    assert model.questions == []
    assert "no model · a rule (greeting)" in stamps(app)[0]


def test_who_wants_a_person_is_shown_the_contact_in_the_policy(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: "I don't know."), "a human, please")
    assert any("1-800-555-0142" in stretch for stretch in marked(app))
    assert any("returns@northtrail.example" in text for text in words(app.text))


def test_two_questions_in_one_message_are_both_answered(monkeypatch):
    model = FakeChatModel(lambda prompt: SIXTY if "have I" in prompt else "A prepaid label costs $7.95.")
    app = ask(open_bot(monkeypatch, model), "How many days have I got and how much is the label?")
    turns = app.session_state["playground_session"].turns
    assert [turn.question for turn in turns] == ["How many days have I got?", "How much is the label?"]
    assert [turn.answer.text for turn in turns] == [SIXTY, "A prepaid label costs $7.95."]
    assert any("Your message has 2 questions" in caption for caption in words(app.caption))


def test_a_question_asked_while_others_wait_takes_none_of_their_turns(monkeypatch):
    app = open_bot(monkeypatch, FakeChatModel(lambda _: SIXTY))
    data = app.session_state["playground_session"]
    shelf, data.shelf, data.notice = data.shelf, PolicyShelf(), Notice("error", "The policy could not be read.")
    for question in ("How long have I got and who pays for the label?", "Can I return boots?"):
        app = ask(app, question)
    assert not data.turns and data.pending_question == "How long have I got?"
    data.shelf, data.notice = shelf, None
    run(app)
    assert [turn.question for turn in data.turns] == [
        *("How long have I got?", "Who pays for the label?", "Can I return boots?")
    ]


def test_a_misspelt_question_is_read_as_it_was_meant(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = ask(open_bot(monkeypatch, model), "how lnog do i have to retrun something")
    assert any("Read as: how long do i have to return something" in caption for caption in words(app.caption))
    assert model.questions[-1].endswith("Question: how long do i have to return something")


def test_another_language_is_declined_with_the_reason(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = ask(open_bot(monkeypatch, model), "Wie lange habe ich Zeit für die Rückgabe?")
    assert any("is in German, and SmolLM2-135M-Instruct reads English only" in text for text in words(app.text))
    assert model.questions == []
    replace_by_paste(app, "Sie können die Ware innerhalb von 14 Tagen zurückgeben. Das Porto zahlen wir nicht.")
    assert any("This policy is in German" in text for text in words(app.success))
    app.button_group(key="model_size").set_value("medium")
    ask(run(app), "Wie lange habe ich Zeit für die Rückgabe?")
    assert len(model.questions) == 1


def test_an_answer_against_its_passage_is_warned_of(monkeypatch):
    said = "Yes, freeze-dried meals and energy food can be returned."
    app = ask(open_bot(monkeypatch, lambda _: said), "Can I return freeze-dried meals?")
    assert any("The policy seems to say the opposite" in warning for warning in words(app.warning))


def test_an_error_of_the_last_document_is_gone_with_the_next(monkeypatch):
    app = replace_by_paste(open_bot(monkeypatch, lambda _: SIXTY), "")
    assert words(app.error)
    app.button_group(key="replace_way").set_value("Sample")
    assert not words(load_second_version(run(app)).error)


def test_the_connection_test_lists_the_models(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    monkeypatch.setattr(resources, "list_endpoint_models", lambda _settings: ("one", "two"))
    app.radio(key="model_source").set_value("endpoint")
    run(app)
    app.text_input(key="endpoint_url").set_value("http://localhost:9/v1")
    run(app)
    click(app, "test_connection")
    assert any("2" in success for success in words(app.success))
    assert "one\ntwo" in [code.value for code in app.code]


def test_a_cancelled_fetch_leaves_an_offer_and_the_question_waits(monkeypatch):
    from playground.ui.shared import fetching

    def endless(_bundle, on_progress):
        job().cancel.set()
        while True:
            on_progress("")

    job = last_job(monkeypatch)
    monkeypatch.setattr(fetching, "ensure_bundle", endless)
    model = FakeChatModel(lambda _: SIXTY)
    from streamlit.testing.v1 import AppTest

    from tests.support.fakes_ui import BOT, ROOT, use_models

    use_models(monkeypatch, model)
    monkeypatch.setattr(resources, "missing_bundles", lambda _choice: (SMOLLM2,))
    app = run(AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page(BOT))
    assert any("not on this machine yet" in info for info in words(app.info))
    ask(app, QUESTION)
    assert not model.questions
    monkeypatch.setattr(resources, "missing_bundles", lambda _choice: ())
    monkeypatch.setattr(fetching, "ensure_bundle", lambda _bundle, _progress: None)
    click(app, "fetch")
    assert len(model.questions) == 1
    assert SIXTY in words(app.text)


# --- swapping -------------------------------------------------------------------------------------------------------


def test_a_swap_shows_what_it_cost_and_the_next_answer_stands_on_it(monkeypatch):
    model = FakeChatModel(lambda _: "You may return most items within 45 days of delivery.")
    app = ask(open_bot(monkeypatch, model), QUESTION)
    assert any("45" in warning for warning in words(app.warning))
    load_second_version(app)
    assert words(app.success)[0].startswith("Version 2: ")
    ask(app, QUESTION)
    assert any("within 45 days" in stretch for stretch in marked(app))
    assert " · version 2 · " in stamps(app)[-1]
    assert "60 days of delivery" not in model.questions[-1]
    assert any("Policy is now version 2" in element.value for element in app.get("html"))


def test_roll_back_lets_the_old_version_answer(monkeypatch):
    model = FakeChatModel(lambda _: SIXTY)
    app = load_second_version(open_bot(monkeypatch, model))
    assert [b.key for b in app.button if (b.key or "").startswith("rollback_")] == ["rollback_1"]
    click(app, "rollback_1")
    assert "Version 1 answers again" in words(app.success)[0]
    ask(app, QUESTION)
    assert " · version 1 · " in stamps(app)[0]
    assert "45 days" not in model.questions[-1]
    assert [b.key for b in app.button if (b.key or "").startswith("rollback_")] == ["rollback_2"]


def test_the_six_differences_are_shown_word_by_word(monkeypatch):
    app = load_second_version(open_bot(monkeypatch, lambda _: SIXTY))
    diff = next(element.value for element in app.get("html") if 'class="diff"' in element.value)
    assert "<del>60</del>" in diff
    assert "<ins>45</ins>" in diff


def test_ask_both_puts_the_answers_side_by_side(monkeypatch):
    def script(message):
        return SIXTY if "60 days of delivery" in message else "You may return most items within 45 days of delivery."

    app = load_second_version(open_bot(monkeypatch, script))
    app.text_input(key="both_question").set_value(QUESTION)
    click(app, "ask_both")
    assert [text for text in words(app.text) if "days of delivery" in text] == [
        SIXTY,
        "You may return most items within 45 days of delivery.",
    ]
    assert [" · version 1 · " in stamps(app)[0], " · version 2 · " in stamps(app)[1]] == [True, True]
    assert not app.chat_message


def test_ask_both_says_what_went_wrong(monkeypatch):
    app = load_second_version(open_bot(monkeypatch, lambda _: EndpointError("The server is gone. Start it again.")))
    click(app, "ask_both")
    assert words(app.error) == ["The server is gone. Start it again."]


def test_ask_both_invites_while_there_is_one_version(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    click(app, "both_load")
    assert app.session_state["playground_session"].shelf.active_number == 2
    assert app.button(key="ask_both")


BAD_UPLOADS = [
    ("empty.txt", b"", "empty"),
    ("broken.pdf", b"%PDF-1.7 broken", "PDF"),
    ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "."),
    ("![x](http://evil.example/x.png).docx", b"PK\x03\x04nonsense", "."),
]


@pytest.mark.parametrize(("name", "data", "said"), BAD_UPLOADS)
def test_a_bad_upload_says_what_is_wrong_and_the_old_policy_answers(monkeypatch, name, data, said):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    app.button_group(key="replace_way").set_value("Upload")
    run(app)
    policy_uploader(app).upload(name, data)
    run(app)
    assert said in words(app.error)[0]
    assert "Version 1 still answers." in words(app.error)[0]
    assert "](" not in app.error[0].value
    ask(app, QUESTION)
    assert " · version 1 · " in stamps(app)[0]


def test_an_upload_is_taken_and_the_uploader_is_empty_again(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    app.button_group(key="replace_way").set_value("Upload")
    run(app)
    policy_uploader(app).upload("voltara.pdf", (POLICIES / "voltara-electronics.pdf").read_bytes())
    run(app)
    assert app.session_state["playground_session"].shelf.active.document.page_starts
    assert policy_uploader(app).value is None
    assert not app.error


def test_a_policy_cannot_bring_markup_into_the_page(monkeypatch):
    app = open_bot(monkeypatch, lambda _: "Returns are accepted within 99 days.")
    replace_by_paste(
        app,
        "# A <script>alert(1)</script> ![x](http://evil.example/a.png)\n\n"
        "<img src=http://evil.example/b.png onerror=alert(1)> Returns are accepted within 99 days.\n\n"
        "</div></mark><style>body{display:none}</style>",
        title="<b>![t](http://evil.example/t.png)</b>",
    )
    ask(app, QUESTION)
    page = html(app)
    assert marked(app)
    for tag in ("<img", "<style", "<script>alert", "<b>!"):
        assert tag not in page
    assert "99 days" in page


def test_the_policy_can_be_edited_in_place(monkeypatch):
    model = FakeChatModel(lambda _: "You may return most items within 77 days of delivery.")
    app = open_bot(monkeypatch, model)
    app.button_group(key="replace_way").set_value("Edit")
    run(app)
    edited = app.text_area(key="edit_1").value.replace("within 60 days", "within 77 days")
    app.text_area(key="edit_1").set_value(edited)
    click(app, "policy_save_edit")
    ask(app, QUESTION)
    assert any("within 77 days" in stretch for stretch in marked(app))
    assert " · version 2 · " in stamps(app)[0]


def test_the_same_text_again_is_no_new_version(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    app.selectbox(key="policy_sample").set_value("northtrail-outdoor-v1.md")
    click(app, "policy_load_sample")
    assert "Nothing was changed" in words(app.info)[0]
    assert len(app.session_state["playground_session"].shelf.versions) == 1


def test_an_empty_paste_says_so(monkeypatch):
    app = replace_by_paste(open_bot(monkeypatch, lambda _: SIXTY), "  \n ")
    assert "empty" in words(app.error)[0]


def test_markup_in_a_document_s_error_is_not_live(monkeypatch):
    from playground.ui.return_policy import advance

    def refuse(*_args, **_kwargs):
        raise DocumentError("![x](http://evil.example/x.png) cannot be read. Choose another.")

    monkeypatch.setattr(advance, "load_pasted", refuse)
    app = replace_by_paste(open_bot(monkeypatch, lambda _: SIXTY), "text")
    assert "![x](" in words(app.error)[0]
    assert "![x](" not in app.error[0].value


def test_two_sessions_have_their_own_policies(monkeypatch):
    first = load_second_version(open_bot(monkeypatch, lambda _: SIXTY))
    second = open_bot(monkeypatch, lambda _: SIXTY)
    assert first.session_state["playground_session"].shelf.active_number == 2
    assert second.session_state["playground_session"].shelf.active_number == 1


def test_the_downloaded_json_holds_the_exact_messages(monkeypatch):
    from playground.ui.return_policy.conversation import to_json

    app = ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION)
    turn = json.loads(to_json(app.session_state["playground_session"].turns))["turns"][0]
    answer = app.session_state["playground_session"].turns[0].answer
    assert turn["messages"][0] == {"role": "system", "content": system_prompt()}
    assert turn["usage"]["output_tokens"] == answer.completion.usage.output_tokens
    assert isinstance(answer.completion.usage, Usage)
    assert turn["policy"]["sha256"] == app.session_state["playground_session"].shelf.active.sha256


# --- what a swap changed --------------------------------------------------------------------------------------------


def policy_tab(app):
    return app.session_state["policy_tabs"]


def test_a_swap_returns_to_the_policy_and_shows_what_changed(monkeypatch):
    app = ask(open_bot(monkeypatch, lambda _: SIXTY), QUESTION)
    app.session_state["policy_tabs"] = "Replace"
    load_second_version(app)
    assert policy_tab(app) == "Policy"
    shown = html(app)
    assert "within <del>60</del><ins>45</ins> days of delivery" in shown
    assert "bonus of <del>5</del><ins>8</ins>%" in shown
    # Scrolled to what the last answer stood on, not to the first line that differs.
    (focus,) = re.findall(r'<div class="[^"]*policy-focus[^"]*"[^>]*>(.*?)</div>', shown)
    assert "<del>60</del>" in focus


def test_the_first_answer_after_a_swap_is_marked_together_with_what_changed(monkeypatch):
    replies = iter([SIXTY, "You may return most items within 45 days of delivery.", "within 45 days of delivery"])
    app = load_second_version(ask(open_bot(monkeypatch, lambda _: next(replies)), QUESTION))
    app.session_state["policy_tabs"] = "Replace"
    ask(app, QUESTION)
    assert policy_tab(app) == "Policy"
    (stretch,) = re.findall(r'<mark class="citation">(.*?)</mark>', html(app))
    assert "within <del>60</del><ins>45</ins> days" in stretch
    ask(app, QUESTION)
    assert "<del>" not in policy_html(app)
    click(app, "rollback_1")
    assert policy_tab(app) == "Policy"
    assert "within <del>45</del><ins>60</ins> days of delivery" in html(app)


def test_another_shop_is_not_shown_as_a_change(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    app.selectbox(key="policy_sample").set_value("pawsome-pantry.txt")
    click(app, "policy_load_sample")
    assert "PAWSOME PANTRY" in html(app)
    assert "<del>" not in policy_html(app) and "<ins>" not in policy_html(app)


# --- a policy as its pages look -------------------------------------------------------------------------------------


def test_a_policy_that_is_a_pdf_is_shown_as_its_page_with_the_cited_sentence_marked(monkeypatch):
    said = "A Consumer may return Goods without giving a reason within 30 days of receipt."
    later = "Complaints shall be addressed to complaints@voltara.example."
    replies = iter([said, later])
    app = open_bot(monkeypatch, lambda _: next(replies), policy="voltara-electronics.pdf")
    ask(app, "How long may a consumer return goods without giving a reason?")
    assert not app.get("image")
    app.button_group(key="policy_shown_as").set_value("Page")
    (picture,) = run(app).get("image")
    document = app.session_state["playground_session"].shelf.active.document
    pages = len(document.page_starts)
    first = document.page_at(document.text.index("without giving a reason"))
    assert picture.proto.imgs[0].caption == f"Page {first} of {pages}, with what the answer cites"
    # The next answer opens the page that it stands on.
    ask(app, "To which address shall complaints be addressed?")
    (picture,) = app.get("image")
    last = document.page_at(document.text.index("complaints@voltara"))
    assert last != first
    assert picture.proto.imgs[0].caption == f"Page {last} of {pages}, with what the answer cites"
    assert not any("could not be placed" in caption for caption in words(app.caption))


def test_a_policy_that_is_no_pdf_has_no_pages(monkeypatch):
    app = open_bot(monkeypatch, lambda _: SIXTY)
    assert not [group for group in app.button_group if group.key == "policy_shown_as"]
