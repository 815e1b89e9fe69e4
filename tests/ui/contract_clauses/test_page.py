"""Every state of the contract page, with scripted flaggers."""

from __future__ import annotations

import io
import json
import re
import threading
from pathlib import Path

import docx
import numpy as np
import pytest

from playground.adapters import AdapterStore
from playground.annotations import ColumnMapping, read_json_lines
from playground.errors import AdapterError, ModelError
from playground.flagging import flags
from playground.flagging.flags import flag_contract, score_contract
from playground.flagging.model import JudgedPart
from playground.flagging.report import report_rows
from playground.flagging.report.rows import OVERLOOKS
from playground.flagging.rules import labels_by_rule
from playground.flagging.stored_results import StoredResult, stored_result
from playground.models.catalog import MINILM
from playground.paths import JUDGED_SAMPLES, SHIPPED_ADAPTERS
from playground.training.clauses.charts import label_counts_figure
from playground.ui.contract_clauses import advance, clause_click, exports, state
from playground.ui.contract_clauses import flagged as flagged_view
from playground.ui.contract_clauses import resources as contract_resources
from playground.ui.contract_clauses.exports import exports_of
from playground.ui.contract_clauses.state import Judging, JudgingProgress
from playground.ui.shared import fetching, resources
from playground.ui.shared.jobs import Job
from scenarios.contract_clauses.scenario import labels
from tests.support.fakes import FakeChatModel
from tests.support.fakes_contracts import (
    CONTRACT,
    ScriptedFlagger,
    cards,
    data,
    done,
    marks,
    open_page,
    paste,
    shown,
    store_with,
)
from tests.support.fakes_ui import click, html, last_job, run, unfold, words


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return store_with(tmp_path, "trained")


@pytest.fixture(autouse=True)
def without_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted flagger alone decides, but where a test sets the rules again."""
    monkeypatch.setattr(flags, "labels_by_rule", lambda _text: {})


def upload(app, *files):
    app.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in files])
    return run(app)


# --- first screen, sources ------------------------------------------------------------------------------------------


def test_the_first_screen_offers_the_samples_and_judges_nothing(monkeypatch, store):
    flagger = ScriptedFlagger()
    app = open_page(monkeypatch, store, flagger)
    samples = [button.label for button in app.button if (button.key or "").startswith("contract_sample_")]
    assert len(samples) == 6
    assert not flagger.judged
    assert not app.info
    assert app.selectbox(key="contract_flagger").value == store.get("trained").identity


def test_a_sample_is_one_click_away_and_in_the_address(monkeypatch, store):
    app = open_page(monkeypatch, store)
    number = advance.sample_names().index("nda.txt")
    click(app, f"contract_sample_{number}")
    assert shown(app).name == "nda.txt"
    assert app.query_params["contract"] in ("nda.txt", ["nda.txt"])
    assert 'class="clause' in marks(app)


def test_a_link_opens_a_sample_and_a_path_in_it_opens_nothing(monkeypatch, store):
    app = open_page(monkeypatch, store, contract="nda.txt")
    assert shown(app).name == "nda.txt"
    app = open_page(monkeypatch, store, contract="../../README.md")
    assert not data(app).entries


def test_pasted_text_is_flagged_with_reasons_evidence_and_a_stamp(monkeypatch, store):
    app = paste(open_page(monkeypatch, store, ScriptedFlagger(adapter="trained@12345678")))
    assert re.findall(r'<mark class="clause risk-(\w+)', marks(app)) == ["high", "medium"]
    assert "High · Uncapped Liability 90%" in marks(app)
    uncapped, insurance = cards(app)
    label = next(label for label in labels() if label.name == "Uncapped Liability")
    for part in (label.why, label.check, "90%", "2 similar annotated clauses", "train-2", "train-3"):
        assert part.replace("'", "&#x27;") in uncapped
    assert "1 similar annotated clause<" in insurance
    assert "train-2" not in insurance
    stamp = next(text for text in html(app).splitlines() if 'class="stamp"' in text)
    for part in ("trained@12345678", "on scripted", "clauses/s", "nothing leaves it", "not legal advice"):
        assert part in stamp


def test_plain_wording_that_the_model_passes_over_is_flagged_by_rule_and_says_so(monkeypatch, store):
    monkeypatch.setattr(flags, "labels_by_rule", labels_by_rule)
    app = paste(open_page(monkeypatch, store, ScriptedFlagger({"notice": ("Audit Rights", 0.8)})))
    assert "High · Uncapped Liability by rule" in marks(app)
    uncapped = cards(app)[0]
    assert "by rule: liability without limit (the model alone: probability &lt; 1%)" in uncapped
    app.select_slider(key="contract_shift").set_value(5.0)
    run(app)
    assert "Uncapped Liability by rule" in marks(app)


def test_nothing_found_is_no_all_clear(monkeypatch, store):
    app = paste(open_page(monkeypatch, store, ScriptedFlagger({})))
    assert not cards(app)
    assert any(OVERLOOKS in caption for caption in words(app.caption))


def test_labels_usually_present_are_missed_and_a_found_one_is_not(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    missing = next(text for text in html(app).splitlines() if 'class="missing-labels"' in text)
    assert "<b>Cap On Liability</b>" in missing
    assert "Insurance" not in missing
    assert "Read as a services agreement: a guess" in missing


def test_what_the_reader_adds_is_not_missing_and_what_is_rejected_is(monkeypatch, store):
    app = paste(open_page(monkeypatch, store, ScriptedFlagger({"unlimited": ("Cap On Liability", 0.9)})))
    clause_id = next(b.key.split("_")[2] for b in app.button if (b.key or "").startswith("contract_reject"))
    click(app, f"contract_reject_{clause_id}_Cap On Liability")
    unfold(app, "contract_add_open")
    app.selectbox(key="contract_add_label").set_value("Insurance")
    click(app, "contract_add")
    missing = next(text for text in html(app).splitlines() if 'class="missing-labels"' in text)
    assert "<b>Cap On Liability</b>" in missing
    assert "Insurance" not in missing
    files = exported(app)
    told = json.loads(files["json"])["missing"]
    assert "Cap On Liability" in told and "Insurance" not in told
    assert files["html"].decode().split('id="missing"')[1].split("</section>")[0].count("Insurance") == 0


def test_what_is_no_contract_is_said(monkeypatch, store):
    text = "We walked along the river and saw a heron, and then it began to rain on the way to the old mill. " * 5
    app = paste(open_page(monkeypatch, store), text)
    assert any("does not look like a contract" in warning for warning in words(app.warning))


def test_a_contract_is_text_and_nothing_else(monkeypatch, store):
    evil = CONTRACT.replace(
        "is unlimited", "is unlimited <img src=x onerror=alert(1)><script>alert(1)</script> **b** :material/home:"
    )
    app = paste(open_page(monkeypatch, store), evil, "<b>evil</b> ![x](http://evil.example/x.png)")
    assert "<img" not in html(app)
    assert "<script>alert" not in html(app)
    assert "<b>evil" not in html(app)
    assert "&lt;img src=x" in marks(app)
    assert not any("![x](" in element.value for element in [*app.markdown, *app.caption, *app.error])


def test_empty_text_and_a_bad_file_are_sentences_and_what_was_shown_stays(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    before = marks(app)
    app.text_area(key="contract_paste").set_value("   ")
    click(app, "contract_use_paste")
    assert words(app.error) == ["There is no text to flag. Paste a contract first."]
    upload(app, ("broken.pdf", b"%PDF-1.7 nothing"))
    assert words(app.error)[0].startswith("broken.pdf: ")
    assert marks(app) == before
    assert shown(app).name == "Pasted agreement"


def test_one_bad_file_never_stops_the_others(monkeypatch, store):
    app = open_page(monkeypatch, store)
    upload(app, ("empty.txt", b""), ("one.txt", CONTRACT.encode()), ("two.txt", CONTRACT.replace("un", "").encode()))
    assert [(entry.name, bool(entry.results)) for entry in data(app).entries] == [
        ("empty.txt", False),
        ("one.txt", True),
        ("two.txt", True),
    ]
    assert shown(app).name == "one.txt"
    table = [element.value for element in app.get("html") if '<div class="version">' in element.value]
    assert "The file is empty" in table[0]
    assert ">high <b>1</b>" in table[1]
    assert ">high" not in table[2]
    click(app, "contract_show_3")
    assert shown(app).name == "two.txt"
    click(app, "contract_remove_3")
    assert shown(app).name == "one.txt"


def test_too_many_contracts_are_refused_with_a_sentence(monkeypatch, store):
    monkeypatch.setattr(state, "MOST_CONTRACTS", 1)
    app = paste(open_page(monkeypatch, store))
    upload(app, ("another.txt", CONTRACT.encode()))
    assert "another.txt was not opened" in words(app.error)[0]
    assert len(data(app).entries) == 1


def test_too_long_a_text_is_refused(monkeypatch, store):
    app = paste(open_page(monkeypatch, store), "The Supplier shall deliver. " * 12_000)
    assert "300,000" in words(app.error)[0]


# --- the flagger ----------------------------------------------------------------------------------------------------


def test_without_an_adapter_the_page_says_so_and_works(monkeypatch, tmp_path):
    chosen = []
    flagger = ScriptedFlagger()
    app = open_page(monkeypatch, AdapterStore(tmp_path), lambda choice: chosen.append(choice.kind) or flagger)
    assert any("No trained adapter is here yet" in text for text in words(app.info))
    assert app.selectbox(key="contract_flagger").value == "keywords"
    paste(app)
    assert set(chosen) == {"keywords"}
    assert len(cards(app)) == 2
    assert "score 0.90" in cards(app)[0]
    assert "not measured" in html(app)


def test_a_changed_flagger_judges_again_and_back_costs_nothing(monkeypatch, tmp_path):
    store = store_with(tmp_path, "first", "second")
    flaggers = {"first": ScriptedFlagger(), "second": ScriptedFlagger({"notice": ("Audit Rights", 0.8)})}
    app = paste(open_page(monkeypatch, store, lambda choice: flaggers[choice.stored.name]))
    assert len(cards(app)) == 2
    app.selectbox(key="contract_flagger").set_value(store.get("second").identity)
    run(app)
    assert "Audit Rights" in cards(app)[0]
    app.selectbox(key="contract_flagger").set_value(store.get("first").identity)
    run(app)
    assert len(flaggers["first"].judged) == 1
    assert "Uncapped Liability" in cards(app)[0]


def test_what_another_window_activates_for_everybody_is_told_and_changes_nothing_here(monkeypatch, tmp_path):
    store = store_with(tmp_path, "first", "second")
    app = paste(open_page(monkeypatch, store))
    store.activate("second", "clauses")
    run(app)
    assert app.selectbox(key="contract_flagger").value == store.get("first").identity
    assert any("second@" in text and "for everybody on this machine" in text for text in words(app.info))


def test_what_this_window_asked_for_on_another_page_is_followed_once(monkeypatch, tmp_path):
    store = store_with(tmp_path, "first", "second")
    app = paste(open_page(monkeypatch, store))
    app.session_state["playground_shared_session"].flagger = store.get("second").identity
    run(app)
    assert app.selectbox(key="contract_flagger").value == store.get("second").identity
    app.selectbox(key="contract_flagger").set_value(store.get("first").identity)
    run(app)
    assert app.selectbox(key="contract_flagger").value == store.get("first").identity


def test_a_flagger_that_fails_is_a_sentence_and_can_be_tried_again(monkeypatch, store):
    outcomes: list[object] = [AdapterError("The adapter is damaged. Train it again."), ScriptedFlagger()]
    app = paste(open_page(monkeypatch, store, lambda _choice: outcomes[0]))
    assert words(app.error) == ["Pasted agreement was not judged. The adapter is damaged. Train it again."]
    outcomes.pop(0)
    click(app, "contract_go_on")
    assert len(cards(app)) == 2
    assert not app.error


def test_stop_keeps_what_was_judged_and_the_rest_can_go_on(monkeypatch, store):
    job = last_job(monkeypatch)

    def stop(on_share):
        job().cancel.set()
        on_share(0.5)

    flagger = ScriptedFlagger()
    app = paste(open_page(monkeypatch, store, flagger))
    flagger.on_call = stop
    upload(app, ("one.txt", CONTRACT.encode()), ("two.txt", CONTRACT.encode()))
    assert words(app.info)[0].startswith("Stopped at one.txt")
    assert len(flagger.judged) == 2
    assert data(app).entries[0].results, "what was judged before stays"
    assert shown(app).name == "one.txt"
    assert "<mark" not in marks(app)
    assert any("none of them judged" in text for text in words(app.markdown))
    flagger.on_call = None
    click(app, "contract_go_on")
    assert all(entry.results for entry in data(app).entries)


class GradualFlagger(ScriptedFlagger):
    """Judges a clause at a time, and before each waits to be let on."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Semaphore(0)

    def judge_in_parts(self, clauses):
        for place, clause in enumerate(clauses):
            assert self.goes_on.acquire(timeout=60)
            yield JudgedPart(np.array([place]), self.probabilities([clause]), (place + 1) / len(clauses))


def until(app, holds):
    """Draw the page again, as its fragment does, until something holds."""
    for _attempt in range(200):
        if holds():
            return
        run(app)
    raise AssertionError("it never came")


def test_the_text_is_there_before_it_is_judged_and_marks_as_they_come(monkeypatch, store):
    flagger = GradualFlagger()
    app = paste(open_page(monkeypatch, store, flagger, quick_s=0.05))
    until(app, lambda: data(app).entries and data(app).entries[0].document)
    run(app)
    assert "is unlimited for any breach" in marks(app)
    assert "<mark" not in marks(app)
    assert any("none of them judged yet" in text for text in words(app.markdown))
    total = len(shown(app).clauses)
    until_unlimited = next(n for n, clause in enumerate(shown(app).clauses, 1) if "unlimited" in clause.text)
    flagger.goes_on.release(until_unlimited)
    until(app, lambda: "<mark" in marks(app))
    assert marks(app).count("<mark") == 1
    assert any(f"{until_unlimited} of {total} clauses are judged" in text for text in words(app.markdown))
    assert not cards(app), "what is found so far can not be decided about yet"
    flagger.goes_on.release(total)
    until(app, lambda: cards(app))
    assert marks(app).count("<mark") == 2
    assert len(cards(app)) == 2


def test_what_is_stopped_keeps_its_marks_and_says_that_the_rest_was_not_judged(monkeypatch, store):
    flagger = GradualFlagger()
    app = paste(open_page(monkeypatch, store, flagger, quick_s=0.05))
    flagger.goes_on.release(2)
    until(app, lambda: data(app).entries[0].partly and data(app).entries[0].partly.judged.sum() == 2)
    click(app, "contract_stop")
    flagger.goes_on.release(20)
    until(app, lambda: data(app).judging is None)
    run(app)
    assert any("clause without a mark says nothing" in text for text in words(app.markdown))
    assert any("Stopped at Pasted agreement" in text for text in words(app.info))


def test_the_time_left_follows_from_what_is_judged_and_is_not_guessed_before():
    progress = state.JudgingProgress(stage="Judging", began_at=100.0)
    assert progress.left_s(101.0) is None
    progress.share = 0.25
    assert progress.left_s(110.0) == pytest.approx(30.0)
    progress.share = 1.0
    assert progress.left_s(140.0) == 0.0


def test_a_sample_opens_from_a_stored_result_that_says_so_and_is_not_judged(monkeypatch, store):
    flagger = ScriptedFlagger()
    app = open_page(monkeypatch, store, flagger)

    def stored(choice, document, clauses):
        scored = score_contract(document, ScriptedFlagger({"confidential": ("Insurance", 0.9)}), state.catalogue())
        return StoredResult(scored, "2026-11-30T10:00:00+00:00", "a machine")

    monkeypatch.setattr(contract_resources, "stored_sample", stored)
    click(app, f"contract_sample_{advance.sample_names().index('nda.txt')}")
    assert "stored result of 2026-11-30, which came with the app" in html(app)
    assert not flagger.judged
    assert "<mark" in marks(app)


def test_an_error_about_one_file_does_not_stand_above_another_contract(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    upload(app, ("one.txt", CONTRACT.encode()), ("broken.pdf", b"%PDF-1.7 nothing"))
    assert words(app.error)[0].startswith("broken.pdf: ")
    app.selectbox(key="contract_shown").set_value(data(app).entries[0].id)
    run(app)
    assert not app.error


def test_a_missing_encoder_is_fetched_first(monkeypatch, store):
    fetched = []
    app = open_page(monkeypatch, store)
    monkeypatch.setattr(resources, "missing_encoders", lambda *_base: () if fetched else (MINILM,))
    monkeypatch.setattr(fetching, "ensure_bundle", lambda bundle, _progress: fetched.append(bundle))
    paste(app)
    assert fetched == [MINILM]
    assert len(cards(app)) == 2


def test_evidence_that_cannot_be_found_is_said_and_the_flags_stay(monkeypatch, store):
    app = open_page(monkeypatch, store)
    monkeypatch.setattr(
        contract_resources, "annotated_index", lambda: done(ModelError("The encoder is gone. Fetch it."))
    )
    paste(app)
    assert len(cards(app)) == 2
    assert all("No similar clauses: The encoder is gone. Fetch it." in card for card in cards(app))


# --- slider and filters ---------------------------------------------------------------------------------------------


def test_the_slider_moves_the_flags_without_judging_again_and_says_what_was_measured(monkeypatch, store):
    flagger = ScriptedFlagger()
    app = paste(open_page(monkeypatch, store, flagger))
    assert "finds <b>81%</b>" in html(app)
    assert "<b>74%</b> of its flags" in html(app)
    assert "over all 41 labels it knows, not over the 21 shown alone" in html(app)
    app.select_slider(key="contract_shift").set_value(-5.0)
    run(app)
    assert "finds <b>98%</b>" in html(app)
    assert "12 unseen contracts" in html(app)
    assert "Anti-Assignment" in "".join(cards(app))
    app.select_slider(key="contract_shift").set_value(2.0)
    run(app)
    assert len(cards(app)) == 1
    assert "not measured" in html(app)
    assert len(flagger.judged) == 1


def test_flags_are_filtered_by_risk_and_label_and_the_contract_keeps_its_marks(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    app.button_group(key="contract_risks").set_value(["medium"])
    run(app)
    assert [("Insurance" in card) for card in cards(app)] == [True]
    assert marks(app).count("<mark") == 2
    app.multiselect(key="contract_labels").set_value(["Uncapped Liability"])
    run(app)
    assert not cards(app)
    assert any("No flag matches the filter" in caption for caption in words(app.caption))
    app.button_group(key="contract_risks").set_value([])
    run(app)
    assert ["Uncapped Liability" in card for card in cards(app)] == [True]


def test_flags_are_filtered_by_probability_until_another_contract_is_shown(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    assert len(cards(app)) == 2
    app.slider(key="contract_least").set_value(80)
    run(app)
    assert ["Uncapped Liability" in card for card in cards(app)] == [True]
    assert marks(app).count("<mark") == 2
    app.select_slider(key="contract_shift").set_value(-5.0)
    run(app)
    assert len(cards(app)) == 1
    app.slider(key="contract_least").set_value(99)
    run(app)
    assert any("No flag matches the filter" in caption for caption in words(app.caption))
    click(app, "contract_sample_0")
    assert app.slider(key="contract_least").value == 0


def test_other_labels_are_shown_on_request(monkeypatch, store):
    flagger = ScriptedFlagger({"notice": ("Governing Law", 0.9)})
    app = paste(open_page(monkeypatch, store, flagger))
    assert not cards(app)
    app.button_group(key="contract_scope").set_value("all")
    run(app)
    assert "Governing Law" in cards(app)[0]


def _take_side(app, side):
    app.selectbox(key="contract_side").set_value(side)
    return run(app)


def test_the_side_turns_risk_and_order_and_nobodys_side_turns_them_back(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    before = re.findall(r'<mark class="clause risk-(\w+)', marks(app))
    assert before == ["high", "medium"]
    _take_side(app, "customer")  # who may be owed without limit, and whom the other side's insurance protects
    assert re.findall(r'<mark class="clause risk-(\w+)', marks(app)) == ["medium", "low"]
    assert "For the customer:" in cards(app)[0]
    _take_side(app, "tenant")
    assert "deviates from the playbook" in cards(app)[0]
    assert "Insurance" in cards(app)[0], "what deviates comes first, though it stands second in the contract"
    _take_side(app, "")
    assert re.findall(r'<mark class="clause risk-(\w+)', marks(app)) == before
    assert "For the" not in cards(app)[0]


def test_the_files_of_the_page_are_those_of_the_side(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    entry = shown(app)
    judged = next(iter(entry.results.values()))
    for place in (state, exports):
        monkeypatch.setattr(place, "side", lambda: "tenant")
    files = {
        one.key: one.make() for one in exports_of(entry, judged, flag_contract(judged.scored, state.catalogue()), ())
    }
    assert b"Against the playbook of the tenant" in files["html"]
    assert b"Default playbook" in files["html"]
    assert json.loads(files["json"])["side"] == "tenant"
    assert b"deviates" in files["csv"].splitlines()[0]


def test_a_playbook_of_ones_own_is_used_and_a_bad_one_is_named_by_row_and_changes_nothing(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    row = {"label": "Insurance", "side": "franchisee", "clause": "unwelcome", "risk": "high"}
    row |= {"acceptable": "None of <b>it</b>.", "fallback": "A little."}
    _import_playbook(app, json.dumps({"name": "Ours", "rows": [row, {**row, "label": "Insurence"}]}))
    assert [error.value.replace("\\", "") for error in app.error] == [
        "ours.json cannot be used. Row 2: there is no label 'Insurence'; did you mean 'Insurance'."
    ]
    assert data(app).playbook is None
    _import_playbook(app, json.dumps({"name": "Ours", "rows": [row]}))
    assert not app.error
    _take_side(app, "franchisee")
    assert "None of &lt;b&gt;it&lt;/b&gt;." in cards(app)[0]
    click(app, "contract_playbook_default")
    assert app.selectbox(key="contract_side").value == ""
    assert "For the" not in cards(app)[0]


def _import_playbook(app, text):
    key = f"contract_playbook_file_{data(app).playbook_uploads}"
    place = next(one for one in app.file_uploader if one.key == key)
    place.set_value(("ours.json", text.encode(), "application/json"))
    return run(app)


def test_jump_brings_the_clause_into_view(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    jump = next(button for button in app.button if (button.key or "").startswith("contract_jump_"))
    clause_id = (jump.key or "").split("_")[2]
    click(app, jump.key)
    assert f"clause-{clause_id} current" in marks(app)
    assert any(f".clause-{clause_id}" in element.value for element in app.get("html") if "<script>" in element.value)


# --- corrections, exports -------------------------------------------------------------------------------------------


def exported(app):
    """Return the files that the page offers, made by the page's own functions."""
    entry = shown(app)
    judged = next(iter(entry.results.values()))

    flagged = flag_contract(judged.scored, state.catalogue())
    rows = report_rows(flagged, state.catalogue(), entry.corrections)
    return {export.key: export.make() for export in exports_of(entry, judged, flagged, rows)}


def test_confirm_reject_and_add_are_kept_and_exported_as_training_data(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    keys = {
        key.split("_")[3]: key.split("_")[2] for b in app.button if (key := b.key or "").startswith("contract_jump")
    }
    click(app, f"contract_confirm_{keys['Uncapped Liability']}_Uncapped Liability")
    click(app, f"contract_reject_{keys['Insurance']}_Insurance")
    assert marks(app).count("<mark") == 1
    assert "✓ ▲ High" in marks(app)
    unfold(app, "contract_add_open")
    app.text_input(key="contract_add_search").set_value("ASSIGN consent")
    run(app)
    app.selectbox(key="contract_add_label").set_value("Anti-Assignment")
    click(app, "contract_add")
    assert marks(app).count("<mark") == 2
    assert any(">added<" in card for card in cards(app))
    files = exported(app)
    mapping = ColumnMapping("text", "labels", "contract", "heading")
    read = read_json_lines(files["corrections"], mapping, "corrections", [label.name for label in labels()])
    assert not read.rejected
    assert [example.labels for example in read.examples] == [("Uncapped Liability",), (), ("Anti-Assignment",)]
    assert {example.contract for example in read.examples} == {"Pasted agreement"}
    click(app, f"contract_undo_{keys['Insurance']}_Insurance")
    assert marks(app).count("<mark") == 3


def test_a_flag_that_was_missed_begins_at_the_clause_that_is_clicked(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    notices = next(clause.id for clause in shown(app).clauses if "Any notice" in clause.text)
    clicked = iter([notices, "c99<script>"])
    monkeypatch.setattr(flagged_view, "follow_clicks", lambda ids: clause_click.pick(next(clicked, ""), ids))
    run(app)
    assert app.selectbox(key="contract_add_clause").value == notices
    click(app, "contract_add")
    assert shown(app).verdicts == {(notices, next(iter(state.catalogue()))): "added"}


def test_abbreviations_in_labels_are_in_capitals_on_the_page(monkeypatch, store):
    app = paste(open_page(monkeypatch, store, ScriptedFlagger({"unlimited": ("Ip Ownership Assignment", 0.9)})))
    app.button_group(key="contract_scope").set_value("all")
    run(app)
    assert "IP Ownership Assignment" in marks(app)
    said = [html(app), *(button.label for button in app.button), *words(app.caption)]
    assert any("IP Ownership" in one for one in said[1:]) and not any("Ip Ownership" in one for one in said)


def test_abbreviations_in_labels_are_in_capitals_on_the_charts_and_in_what_is_handed_on():
    figure = label_counts_figure({"Ip Ownership Assignment": 2, "Insurance": 1})
    assert list(figure.data[0].y) == ["Insurance", "IP Ownership Assignment"]


def test_every_export_holds_the_flags(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    buttons = {button.key: button for button in app.get("download_button")}
    assert len(buttons) >= 5
    assert buttons["contract_download_corrections"].proto.disabled
    files = exported(app)
    assert b"Uncapped Liability" in files["html"]
    assert b"recall 81%, precision 74%" in files["html"]
    assert files["csv"].decode("utf-8-sig").count("\n") == 3
    flags = [flag for clause in json.loads(files["json"])["clauses"] for flag in clause["flags"]]
    assert [flag["label"] for flag in flags] == ["Uncapped Liability", "Insurance"]
    assert all(flag["why"] and flag["check"] for flag in flags)
    assert len(list(docx.Document(io.BytesIO(files["docx"])).comments)) == 2


def test_exports_hold_the_evidence_and_a_word_file_that_is_a_copy_says_so(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    entry = shown(app)
    judged = next(iter(entry.results.values()))
    assert entry.evidence

    def evidence(pairs):
        return [entry.evidence.get(pair, ()) for pair in pairs]

    flagged = flag_contract(judged.scored, state.catalogue(), evidence=evidence)
    entry.data = b"PK no zip"
    rows = report_rows(flagged, state.catalogue())
    files = {export.key: export.make() for export in exports_of(entry, judged, flagged, rows)}
    told = [flag for clause in json.loads(files["json"])["clauses"] for flag in clause["flags"]]
    assert [one["contract"] for one in told[0]["evidence"]] == ["train-2", "train-3"]
    assert "train-2" in files["csv"].decode("utf-8-sig")
    assert "copy of its text" in docx.Document(io.BytesIO(files["docx"])).paragraphs[0].text
    run(app)
    assert any("copy of its text" in caption for caption in words(app.caption))


def test_an_uploaded_word_file_comes_back_with_comments(monkeypatch, store):
    original = docx.Document()
    for paragraph in CONTRACT.split("\n\n"):
        original.add_paragraph(paragraph)
    buffer = io.BytesIO()
    original.save(buffer)
    app = upload(open_page(monkeypatch, store), ("agreement.docx", buffer.getvalue()))
    assert shown(app).data == buffer.getvalue()
    commented = docx.Document(io.BytesIO(exported(app)["docx"]))
    assert len(list(commented.comments)) == 2
    assert len(commented.paragraphs) == len(original.paragraphs)


# --- base against LoRA, prompting -----------------------------------------------------------------------------------


def test_the_untrained_base_is_put_beside_the_adapter_with_the_gold_of_a_sample(monkeypatch, store):
    flaggers = {
        "adapter": ScriptedFlagger({"confidential": ("Post-Termination Services", 0.9)}),
        "zero_shot": ScriptedFlagger({"the": ("Insurance", 0.6)}),
    }
    app = open_page(monkeypatch, store, lambda choice: flaggers[choice.kind], contract="nda.txt")
    assert not flaggers["zero_shot"].judged
    unfold(app, "contract_tabs", "Base against LoRA")
    click(app, "contract_compare")
    assert len(flaggers["zero_shot"].judged) == 1
    figures = [(metric.label, metric.value) for metric in app.metric]
    assert [label for label, _ in figures].count("Recall on gold") == 2
    assert [label for label, _ in figures].count("Flags") == 2
    assert "Post-Termination Services" in cards(app)[0]


def test_clauses_are_put_to_the_chat_model_and_its_words_are_shown_raw(monkeypatch, store):
    replies = iter(["Yes.", "No, it is <b>capped</b>."])
    chat = FakeChatModel(lambda _: next(replies))
    app = paste(open_page(monkeypatch, store, chat=chat))
    unfold(app, "contract_tabs", state.PROMPTING)
    click(app, "contract_prompt_one")
    assert len(chat.questions) == 2
    table = next(text for text in html(app).splitlines() if "flag-table" in text)
    assert "Yes: agrees with the flag" in table
    assert "No: does not agree" in table
    assert "No, it is &lt;b&gt;capped&lt;/b&gt;." in table
    assert "tokens in" in table


def test_a_reply_that_cannot_be_read_is_shown_as_such(monkeypatch, store):
    chat = FakeChatModel(lambda _: "The clause speaks of bananas.")
    app = paste(open_page(monkeypatch, store, chat=chat))
    unfold(app, "contract_tabs", state.PROMPTING)
    click(app, "contract_prompt_five")
    assert len(chat.questions) == 4
    assert html(app).count("neither Yes nor No") == 4
    assert html(app).count("The clause speaks of bananas.") == 4


def test_a_chat_model_that_fails_is_a_sentence(monkeypatch, store):
    app = paste(open_page(monkeypatch, store, chat=FakeChatModel(lambda _: ModelError("It is gone. Load it."))))
    unfold(app, "contract_tabs", state.PROMPTING)
    click(app, "contract_prompt_one")
    assert words(app.error) == ["It is gone. Load it."]
    assert len(cards(app)) == 2


# --- the real thing -------------------------------------------------------------------------------------------------


@pytest.mark.models
def test_the_shipped_adapter_flags_a_sample(monkeypatch, tmp_path, minilm):
    store = AdapterStore(tmp_path, shipped=SHIPPED_ADAPTERS)
    if store.active("clauses") is None:
        pytest.skip("No adapter is shipped in data/adapters.")
    real = contract_resources.clause_model
    app = open_page(monkeypatch, store, lambda choice: real(choice).result(), quick_s=240.0)
    number = advance.sample_names().index("nda.txt")
    click(app, f"contract_sample_{number}")
    assert cards(app)
    assert "<mark" in marks(app)
    identity = store.active("clauses").identity
    assert identity in html(app)
    judged = shown(app).results[identity].scored
    stored = stored_result(JUDGED_SAMPLES, identity, judged.document, judged.clauses)
    assert stored is not None, "the flagger, the sample or the splitting changed: run scripts/judge_samples.py"
    # Number formats differ from machine to machine: what is near a threshold may fall on either side of it.
    assert np.abs(stored.scored.probabilities - judged.probabilities).max() < 0.05
    sure = np.abs(judged.probabilities - judged.thresholds) > 0.05
    flags = [scored.probabilities >= scored.thresholds for scored in (stored.scored, judged)]
    assert (flags[0] == flags[1])[sure].all()


def test_a_pdf_is_shown_as_text_or_as_its_pages(monkeypatch, store):
    app = open_page(monkeypatch, store, ScriptedFlagger({"80 per cent of the annual target": ("Insurance", 0.9)}))
    assert not app.get("image")
    app.button(key="contract_sample_0").click()
    run(app)
    name = shown(app).name
    assert name.endswith(".pdf")
    app.button_group(key="contract_shown_as").set_value("Page")
    run(app)
    (picture,) = app.get("image")
    assert picture.proto.imgs[0].caption == "Page 3 of 6, with what is flagged on it"
    app.button_group(key="contract_shown_as").set_value("Text")
    run(app)
    assert not app.get("image")


def test_a_page_without_flags_does_not_claim_any(monkeypatch, store):
    app = open_page(monkeypatch, store, ScriptedFlagger({"no clause says this": ("Insurance", 0.9)}))
    click(app, "contract_sample_0")
    app.button_group(key="contract_shown_as").set_value("Page")
    run(app)
    (picture,) = app.get("image")
    assert picture.proto.imgs[0].caption == "Page 1 of 6"


def test_pasted_text_has_no_pages(monkeypatch, store):
    app = paste(open_page(monkeypatch, store))
    assert not [group for group in app.button_group if group.key == "contract_shown_as"]


def test_the_contract_on_the_screen_goes_before_another_in_the_background(
    monkeypatch: pytest.MonkeyPatch, store: AdapterStore
) -> None:
    app = paste(open_page(monkeypatch, store, ScriptedFlagger(), contract="nda.txt"))
    session, here = data(app), shown(app)
    other = next(entry for entry in session.entries if entry is not here)
    key = next(iter(here.results))
    kept = here.results.pop(key)
    background: Job[object] = Job()
    session.judging = Judging(other, kept.choice, background, JudgingProgress())
    run(run(app))
    assert background.cancel.is_set() and key in here.results
    assert not other.stopped and session.notice is None, "nobody pressed Stop"
    own: Job[object] = Job()
    here.results.pop(key)
    session.judging = Judging(here, kept.choice, own, JudgingProgress())
    run(app)
    assert not own.cancel.is_set(), "its own judging goes on"
