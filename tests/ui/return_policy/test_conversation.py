"""What of a conversation the model sees again, and what leaves the app."""

from __future__ import annotations

import json
from dataclasses import replace

from markdown_it import MarkdownIt

from playground.types import Answer, Citation, Completion, Message, Prompt, Usage
from playground.ui.return_policy.conversation import (
    ChatTurn,
    Stamp,
    history_for,
    metrics_of,
    new_conversation_line,
    to_json,
    to_markdown,
)

USAGE = Usage(10, 2, 4)
EVIL = "![x](http://evil.example/x.png) <img src=y> [l](javascript:z)"


def stamp(version=1, mode="rag", policy="Policy", local=True):
    return Stamp("model", mode, "RAG", policy, version, "ab" * 32, local)


def answer(text="Sixty days.", *, usage=USAGE, first_token_s=0.5, cost_usd=0.0):
    completion = Completion(text, "model", (Message("user", "q"),), usage, first_token_s, 2.0, "end")
    cited = Citation("d", "p.md", 0, 5, EVIL, 1.0, 1, heading_path=("Window",))
    prompt = Prompt(completion.messages, (), 100)
    return Answer(text, False, (cited,), (), completion, prompt, 0.25, unsupported=("$5",), cost_usd=cost_usd)


def turn(number=1, *, given=None, **fields):
    values = {"stamp": stamp(), "answer": given or answer()} | fields
    return ChatTurn(number, f"Question {number}?", "2026-01-01T00:00:00+00:00", **values)


def test_history_is_of_the_same_version_and_technique_since_the_last_change():
    turns = [
        turn(1, stamp=stamp(1)),
        turn(2, stamp=stamp(2)),
        turn(3, stamp=stamp(2, "no_text")),
        turn(4, stamp=stamp(2, "rag_few_shot")),
        turn(5, stamp=stamp(2, "rag_few_shot"), answer=None, error="failed"),
        turn(6, stamp=stamp(2, "rag_few_shot")),
    ]
    asked = [t.question for t in history_for(turns, stamp(2, "rag_few_shot"))]
    assert asked == ["Question 4?", "Question 6?"]
    for other in (stamp(2), stamp(2, "no_text"), stamp(1, "rag_few_shot")):
        assert history_for(turns, other) == ()


def test_history_is_not_of_another_model():
    turns = [turn(1), turn(2)]
    assert len(history_for(turns, stamp())) == 2
    assert history_for(turns, replace(stamp(), model="another")) == ()
    assert history_for(turns, replace(stamp(), local=False)) == ()


def test_what_begins_a_new_conversation_is_said():
    assert new_conversation_line(stamp(), stamp()) == ""
    assert new_conversation_line(stamp(1), stamp(2)) == "Policy is now version 2: a new conversation begins"
    changed = replace(stamp(2), model="Large", mode_title="RAG + LoRA")
    assert new_conversation_line(stamp(1), changed) == (
        "Policy is now version 2, model is now Large, technique is now RAG + LoRA: a new conversation begins"
    )


def test_markdown_holds_question_answer_citation_and_stamp_without_live_markup():
    text = to_markdown(
        [turn(given=answer(EVIL)), turn(2, answer=None, partial="You may"), turn(3, answer=None, error="No.")]
    )
    page = MarkdownIt("commonmark").render(text)
    for live in ("<img", "<a "):
        assert live not in page
    for kept in ("Question 1", "stopped", "You may", "No.", "abababab", "$5", "Window", "![x](http"):
        assert kept in page


def test_json_says_everything_and_unknown_stays_null():
    text = to_json([turn(given=answer(usage=None, cost_usd=None)), turn(2, answer=None, partial="You")])
    first, second = json.loads(text)["turns"]
    assert (first["usage"], first["cost_usd"], first["timings"]["total_s"]) == (None, None, 2.25)
    assert first["citations"][0] == {"document": "p.md", "start": 0, "end": 5, "text": EVIL, "score": 1.0}
    assert (second["stopped"], second["partial"]) == (True, "You")


def test_figures_count_retrieval_into_the_wait():
    figures = metrics_of(turn())
    assert (figures.retrieval, figures.first_token, figures.total) == ("250 ms", "750 ms", "2.2 s")
    assert (figures.tokens_in, figures.tokens_cached, figures.tokens_out) == ("10", "4", "2")
    assert figures.cost == "$0 (local)"


def test_what_is_not_known_is_not_zero():
    figures = metrics_of(turn(given=answer(usage=None, first_token_s=None, cost_usd=None), stamp=stamp(local=False)))
    assert (figures.tokens_in, figures.tokens_out, figures.cost) == ("unknown", "unknown", "unknown price")
    assert figures.first_token == metrics_of(None).retrieval


def test_markdown_has_no_backslash_that_it_does_not_need():
    said = "You have 60 days (from delivery); a label costs $7.95, it's 5-8% less: see northtrail.example/returns!"
    text = to_markdown([turn(given=answer(said))])
    assert said in text
    listed = "1. Keep it.\n- Not *this*.\n# No heading\n<b>no</b> &amp; [no](x) `no` a_b"
    page = MarkdownIt("commonmark").render(to_markdown([turn(given=answer(listed))]))
    for shown in ("1. Keep it.", "- Not *this*.", "# No heading", "&lt;b&gt;no&lt;/b&gt; &amp;amp; [no](x) `no` a_b"):
        assert shown in page
    assert "<ol>" not in page and "<ul>" not in page and "<code>" not in page
