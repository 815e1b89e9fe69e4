"""Every state of the training page, with a scripted training."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground import paths
from playground.adapters import AdapterStore
from playground.errors import TrainingError
from playground.models.catalog import MINILM
from playground.training.progress import OnProgress, TrainingProgress
from playground.ui.contract_clauses.flagger_choice import flagger_choices
from playground.ui.shared import resources
from playground.ui.training import desk as training_desk
from playground.ui.training.desk import TrainingDesk
from playground.ui.training.reliability import reliability_of
from playground.ui.training.store import _row
from scenarios.return_policy.reader.training import Effect, ReaderPlan, ReaderReport
from tests.support.fakes_adapters import writing
from tests.support.fakes_training import ScriptedTraining, trained_adapter, use_training
from tests.support.fakes_ui import ROOT, click, html, run, unfold, words

PAGE = "pages/training.py"
HEADER = "text,labels,contract\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AdapterStore:
    """A store that is empty, and the page's own."""
    store = AdapterStore(tmp_path / "adapters")
    monkeypatch.setattr(resources, "adapter_store", lambda: store)
    return store


@pytest.fixture(autouse=True)
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainingDesk]:
    """A desk that no earlier test has left a training on, and that leaves none behind."""
    desk = training_desk.DESK
    desk._run = None
    monkeypatch.setattr(resources, "missing_bundles", lambda _choice: ())
    yield desk
    if latest := desk.latest():
        latest.stop.set()
        assert latest.job.done.wait(60)
    desk._run = None


def open_page() -> AppTest:
    return run(AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).switch_page(PAGE))


def finished(app: AppTest, desk: TrainingDesk) -> AppTest:
    """Wait for the training's end and draw the page again, as its fragment does."""
    latest = desk.latest()
    assert latest is not None
    assert latest.job.done.wait(120)
    return run(app)


def choose_labels(app: AppTest, *labels: str) -> AppTest:
    app.multiselect[0].set_value(list(labels))
    return run(app)


def upload_table(app: AppTest, text: str, name: str = "mine.csv") -> AppTest:
    app.button_group(key="training_source").set_value("table")
    run(app)
    uploader = next(widget for widget in app.get("file_uploader") if widget.key.startswith("training_upload"))
    uploader.upload(name, text.encode(), "text/csv")
    return run(app)


def rows(count: int, contracts: int) -> str:
    return HEADER + "".join(
        f"The Supplier keeps insurance number {i}.,{'Insurance' if i % 2 else ''},contract {i % contracts}\n"
        for i in range(count)
    )


def test_the_first_screen_shows_what_there_is_to_learn(store: AdapterStore) -> None:
    app = open_page()
    assert any("1,108 clauses" in text.value for text in app.markdown)
    assert len(app.multiselect[0].value) == 21
    assert app.number_input(key="training_epochs").value == 6
    assert app.number_input(key="training_minutes").value == 2
    assert len(app.get("plotly_chart")) == 1
    unfold(app, "training_contents", "Examples")
    assert len([text for text in app.text if len(text.value) > 20]) >= 4, "examples are shown"
    assert not app.button(key="training_start").disabled
    assert any("There is none yet" in text for text in words(app.caption))


def test_without_a_label_nothing_can_be_started(store: AdapterStore) -> None:
    app = choose_labels(open_page())
    assert app.button(key="training_start").disabled


def test_a_training_is_shown_while_it_runs_and_stops_with_the_best_so_far(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = use_training(monkeypatch, ScriptedTraining(wait_for_stop=True))
    app = click(choose_labels(open_page(), "Insurance", "Audit Rights"), "training_start")
    assert training.going.wait(60)
    run(app)
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Best validation score"] == "0.600"
    assert figures["Examples per second"] == "25"
    assert figures["Trained"] == "0:03 of 2:00"
    assert len(app.get("plotly_chart")) == 2
    assert training.calls[0]["split"].labels == ("Insurance", "Audit Rights")
    assert not [button for button in app.button if button.key == "training_start"]

    other = open_page()
    assert any("another browser window" in text for text in words(other.info))
    assert any("answers and flags are slower meanwhile" in text for text in words(other.info))
    assert other.button(key="training_stop").disabled, "its owner alone may stop it"
    latest = desk.latest()
    assert latest is not None
    latest.owner_seen_at -= 2 * training_desk.OWNER_GONE_AFTER_S
    run(other)
    assert not other.button(key="training_stop").disabled, "but anybody where the owner is gone"
    assert {metric.label for metric in other.metric} == set(figures)

    app.switch_page("app.py")
    run(app)
    app.switch_page(PAGE)
    run(app)
    assert app.button(key="training_stop"), "it is found again when the page was left"
    click(app, "training_stop")
    finished(app, desk)
    assert any("Stopped early" in text for text in words(app.success))
    assert store.get("my-flagger").manifest.hyper_parameters["stopped_early"] is True


def test_what_a_training_brought_can_be_read_and_used(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_training(monkeypatch, ScriptedTraining())
    app = finished(click(choose_labels(open_page(), "Insurance", "Audit Rights"), "training_start"), desk)
    report = desk.latest().job.result  # type: ignore[union-attr]
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["micro AP"] == f"{report.test.value('micro_ap'):.2f}"
    assert figures["Trained in"] == "0:12"
    page = html(app)
    assert "unchanged" in page
    assert page.count("e" * 64) == 2
    tables = [frame.value for frame in app.dataframe]
    labels = next(table for table in tables if "Precision" in table.columns)
    assert list(labels["Label"]) == ["Insurance", "Audit Rights"]
    assert any("Flagged as" in table.columns for table in tables)
    error = report.test.errors[0]
    assert error.text in [text.value for text in app.text]

    assert report.test.reliability
    unfold(app, "training_store_reliability")
    charts = " ".join(str(chart.proto) for chart in app.get("plotly_chart"))
    assert charts.count("Share that is right, by probability") == 2, "in the report and beside the stored adapter"
    assert any("On the dashed line a probability means what it says" in text for text in words(app.caption))
    assert reliability_of(store.get("my-flagger")) == report.test.reliability, "and the manifest keeps it"

    slider = app.select_slider(key="training_shift")
    loosest, strictest = report.test.operating_points[0], report.test.operating_points[-1]
    slider.set_value(strictest.shift)
    run(app)
    assert f"{strictest.recall:.0%}" == {m.label: m.value for m in app.metric}["Recall"]
    slider = app.select_slider(key="training_shift")
    slider.set_value(loosest.shift)
    run(app)
    assert f"{loosest.flags:,}" == {m.label: m.value for m in app.metric}["Flags"]

    assert store.active("clauses") is None
    click(app, "training_activate_new")
    assert any("flags contracts in this window from now on" in text for text in words(app.success))
    assert store.active("clauses") is None, "for everybody is a second step"
    other = open_page()
    click(app, "training_everybody_new")
    assert store.active("clauses").name == "my-flagger"  # type: ignore[union-attr]
    assert any("flags contracts for everybody here" in text for text in words(app.success))
    assert not [text for text in words(app.info) if "for everybody" in text], "who did it need not be told"
    run(other)
    assert any("my-flagger@" in text and "for everybody on this machine" in text for text in words(other.info))
    click(other, "announcement_read")
    assert not other.info
    click(app, "training_again")
    assert app.button(key="training_start")
    names = [widget.value for widget in app.text_input if (widget.key or "").startswith("training_name")]
    assert names == ["my-flagger-2"]


def test_what_is_worse_than_its_base_says_so_first_and_two_minutes_more_go_on(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = use_training(monkeypatch, ScriptedTraining())
    perfect = dict.fromkeys(("micro_ap", "macro_ap", "micro_f1", "macro_f1"), 1.0)
    better_base: tuple[dict[str, object], tuple[str, ...]] = ({"untrained base": perfect}, ())
    monkeypatch.setattr("playground.training.clauses.train.measure_baselines", lambda *_args, **_options: better_base)
    store.save("older", writing(labels=("Insurance",), created_at="2020-01-01T00:00:00+00:00"))
    app = finished(click(choose_labels(open_page(), "Insurance", "Audit Rights"), "training_start"), desk)
    assert any("Worse than the untrained base" in text for text in words(app.warning))
    assert not app.success, "no green banner leads it"
    buttons = [button.key for button in app.button]
    assert buttons.index("training_more") < buttons.index("training_activate_new")
    listed = next(frame.value for frame in app.dataframe if "Adapter" in frame.value.columns)
    assert [name.split("@")[0] for name in listed["Adapter"]] == ["older", "my-flagger"], "it is not offered first"
    assert "worse than its untrained base" in listed["Remarks"][1]
    assert [option.key.split("@")[0] for option in flagger_choices(store).options][:2] == ["older", "my-flagger"]
    finished(click(app, "training_more"), desk)
    assert training.calls[-1]["start_from"] == store.get("my-flagger").folder
    assert training.calls[-1]["settings"].max_minutes == 2.0
    assert store.get("my-flagger-2")


def test_an_interrupted_training_is_offered_first_and_goes_on_under_another_limit(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted = use_training(monkeypatch, ScriptedTraining(error=TrainingError("The power went.")))
    app = open_page()
    assert not any("interrupted" in text for text in words(app.markdown))
    finished(click(app, "training_start"), desk)
    click(app, "training_again")
    offered = next(text for text in words(app.markdown) if "An interrupted training can go on" in text)
    assert "my-flagger, on the project's own clauses: 3 steps" in offered
    training = use_training(monkeypatch, ScriptedTraining())
    app.number_input(key="training_minutes").set_value(7.0)
    run(app)
    finished(click(app, "training_go_on_0"), desk)
    assert training.calls[-1]["folder"] == interrupted.calls[-1]["folder"]
    assert any("Went on from step 3" in text for text in words(app.success))
    click(app, "training_again")
    assert not any("interrupted" in text for text in words(app.markdown))


def test_an_interrupted_training_can_be_thrown_away(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_training(monkeypatch, ScriptedTraining(error=TrainingError("The power went.")))
    app = finished(click(open_page(), "training_start"), desk)
    click(app, "training_again")
    click(app, "training_throw_away_0")
    assert not any("interrupted" in text for text in words(app.markdown))


def test_a_failed_training_is_a_sentence_and_stores_nothing(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_training(monkeypatch, ScriptedTraining(error=TrainingError("The loss is no number any more. Lower the rate.")))
    app = finished(click(open_page(), "training_start"), desk)
    assert "The loss is no number any more. Lower the rate." in words(app.error)
    assert not store.list()
    click(app, "training_again")
    assert app.button(key="training_start")


def test_a_second_training_is_refused_while_one_runs(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = use_training(monkeypatch, ScriptedTraining(wait_for_stop=True))
    late = open_page()
    click(open_page(), "training_start")
    assert training.going.wait(60)
    click(late, "training_start")
    assert len(training.calls) == 1
    assert late.button(key="training_stop")


def test_a_table_of_ones_own_is_mapped_and_its_bad_rows_listed(store: AdapterStore) -> None:
    text = rows(40, 5) + "Bad row,No Such Label,contract 1\n"
    app = upload_table(open_page(), text)
    assert [app.selectbox(key=f"training_column_{name}").value for name in ("text", "labels", "contract")] == [
        *("text", "labels", "contract"),
    ]
    click(app, "training_read_table")
    assert any("40 clauses are ready" in text for text in words(app.caption))
    rejected = next(frame.value for frame in app.dataframe if "Why" in frame.value.columns)
    assert list(rejected["Row"]) == [42]
    assert "No Such Label" in rejected["Why"][0]
    assert app.multiselect[0].value == ["Insurance"]


def test_too_few_contracts_are_said_beside_the_button(store: AdapterStore, desk: TrainingDesk) -> None:
    app = click(upload_table(open_page(), rows(40, 2)), "training_read_table")
    click(app, "training_start")
    assert any("at least 3 are needed" in text for text in words(app.error))
    assert desk.latest() is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "is empty"), ("just one column\nx\n", "only one column"), ("\x80\x04pickle", "pickle")],
)
def test_a_bad_file_is_a_sentence_and_what_was_there_stays(text: str, sentence: str, store: AdapterStore) -> None:
    app = open_page()
    app.button_group(key="training_source").set_value("table")
    run(app)
    uploader = next(widget for widget in app.get("file_uploader") if widget.key.startswith("training_upload"))
    uploader.upload("bad.csv", text.encode("latin-1"), "text/csv")
    run(app)
    assert any(sentence in text for text in words(app.error)), words(app.error)
    app.button_group(key="training_source").set_value("written")
    run(app)
    assert not app.button(key="training_start").disabled


def test_a_path_that_is_not_there_is_a_sentence(store: AdapterStore) -> None:
    app = open_page()
    app.button_group(key="training_source").set_value("cuad")
    run(app)
    app.text_input(key="training_path").set_value("/no/such/CUAD.json")
    click(app, "training_load_path")
    assert any("There is no file" in text for text in words(app.error))


def test_adapters_are_activated_exported_deleted_and_imported(store: AdapterStore) -> None:
    for name in ("one", "two"):
        base = {"base_id": MINILM.id, "base_sha256": MINILM.main_file.sha256}
        store.save(name, writing(labels=("Insurance",), **base))
    app = open_page()
    listed = next(frame.value for frame in app.dataframe if "Adapter" in frame.value.columns)
    assert len(listed) == 2
    app.selectbox(key="training_store_pick").set_value("two")
    run(app)
    click(app, "training_store_activate")
    assert store.active("clauses").name == "two"  # type: ignore[union-attr]
    assert app.button(key="training_store_delete").disabled, "it asks first"
    next(box for box in app.checkbox if (box.key or "").startswith("training_store_confirm")).check()
    run(app)
    data = store.export_zip("two")
    click(app, "training_store_delete")
    assert [stored.name for stored in store.list()] == ["one"]
    unfold(app, "training_store", "Import")
    app.text_input(key="training_store_import_name").set_value("another")
    uploader = next(widget for widget in app.get("file_uploader") if widget.key.startswith("training_store_import"))
    uploader.upload("two.zip", data, "application/zip")
    run(app)
    assert {stored.name for stored in store.list()} == {"one", "another"}
    unfold(app, "training_store", "Use, export, delete")
    app.selectbox(key="training_store_pick").set_value("another")
    run(app)
    next(box for box in app.text_input if (box.key or "").startswith("training_store_name")).set_value("two")
    click(app, "training_store_rename")
    assert {stored.name for stored in store.list()} == {"one", "two"}
    unfold(app, "training_store", "Import")
    uploader = next(widget for widget in app.get("file_uploader") if widget.key.startswith("training_store_import"))
    uploader.upload("evil.zip", io.BytesIO(b"PK nothing").getvalue(), "application/zip")
    run(app)
    assert any("damaged" in text for text in words(app.error))


def test_a_damaged_adapter_is_told_and_the_others_stay(store: AdapterStore) -> None:
    store.save("good", writing(labels=("Insurance",)))
    store.save("bad", writing(labels=("Insurance",)))
    (store.root / "bad" / "head.safetensors").write_bytes(b"no")
    app = open_page()
    assert any("'bad'" in text and "not used" in text for text in words(app.warning))
    assert app.selectbox(key="training_store_pick").options == ["good"]


def test_two_adapters_are_compared_by_what_differs(store: AdapterStore) -> None:
    store.save("one", writing(labels=("Insurance",), seed=1))
    store.save("two", writing(labels=("Insurance",), seed=2))
    app = unfold(open_page(), "training_store", "Compare")
    compared = next(frame.value for frame in app.dataframe if "Property" in frame.value.columns)
    assert list(compared["Property"]) == ["seed"]


BIN = {
    "low": 0.2, "high": 0.4, "count": 50, "mean_probability": 0.31, "observed": {"value": 0.3, "low": 0.2, "high": 0.4}
}  # fmt: skip


def test_the_reliability_of_a_stored_adapter_is_drawn(store: AdapterStore) -> None:
    metrics = {"reliability": [BIN], "measured_on": "12 unseen <b>contracts"}
    store.save("drawn", writing(labels=("Insurance",), metrics=metrics))
    store.save("plain", writing(labels=("Insurance",)))
    app = open_page()
    app.selectbox(key="training_store_pick").set_value("drawn")
    unfold(app, "training_store_reliability")
    (chart,) = app.get("plotly_chart")[-1:]
    assert "0.31" in str(chart.proto) and "as predicted" in str(chart.proto)
    assert any("50 pairs. Measured on 12 unseen" in text for text in words(app.caption))
    app.selectbox(key="training_store_pick").set_value("plain")
    run(app)
    assert "No reliability curve is stored with this adapter." in words(app.caption)


@pytest.mark.parametrize(
    "rows",
    [
        None,
        "many",
        [3],
        [{**BIN, "observed": 0.3}],
        [{**BIN, "mean_probability": 7}],
        [{**BIN, "mean_probability": True}],
        [{**BIN, "count": 0}],
        [{**BIN, "observed": {"value": "x", "low": 0.2, "high": 0.4}}],
    ],
)
def test_a_reliability_curve_of_a_stranger_is_checked(store: AdapterStore, rows: object) -> None:
    stored = store.save("one", writing(labels=("Insurance",), metrics={"reliability": rows}))
    assert reliability_of(stored) == ()


def test_the_shipped_flagger_has_a_reliability_curve() -> None:
    stored = AdapterStore(Path("nowhere"), paths.SHIPPED_ADAPTERS).get("cuad-minilm")
    bins = reliability_of(stored)
    # Of the 39 test contracts' pairs of a clause and a label those with a probability of 5 % at least.
    assert [part.low for part in bins] == sorted({part.low for part in bins})
    assert bins[0].low == pytest.approx(0.05)
    assert sum(part.count for part in bins) == 1_733


def test_every_shipped_flagger_has_its_average_precision_in_the_list() -> None:
    shipped = AdapterStore(Path("nowhere"), paths.SHIPPED_ADAPTERS).list()
    rows = {one.name: _row(one, None) for one in shipped if one.manifest.task == "clauses"}
    assert {"cuad-minilm", "own-clauses"} <= set(rows)
    assert all(isinstance(row["Micro AP"], float) for row in rows.values())
    assert rows["cuad-minilm"]["Micro AP"] == pytest.approx(0.638, abs=5e-4)


def scripted_reader(
    store: AdapterStore, *, error: Exception | None = None, wait: threading.Event | None = None
) -> Callable[..., ReaderReport]:
    """Stand in for the training of a reader: a few steps, an adapter in the store, two questions."""

    def train(plan: ReaderPlan, into: AdapterStore, on_progress: OnProgress) -> ReaderReport:
        history = tuple(
            TrainingProgress("training", step, step / 4, loss=2.0 / step, examples=8 * step, examples_per_s=5.0)
            for step in (1, 2, 3)
        )
        for progress in history:
            on_progress(progress)
        if wait is not None:
            while on_progress(history[-1]):
                wait.wait(0.01)
        if error is not None:
            raise error
        stored = into.save(plan.name, writing(name=plan.name, task="reader", base_kind="language_model", labels=()))
        trained = trained_adapter(plan.settings, steps=3, examples=24, duration_s=61.0, stopped=wait is not None)
        effects = (
            Effect("How long?", True, "The answer is: 60 <b>days</b>", "You have 30 days.", False, True),
            Effect("Who owns you?", False, "The owner is Bob.", "I don't know.", False, True),
        )
        return ReaderReport(stored, trained, history, 24, 0.3, effects)

    return train


def choose_reader(app: AppTest) -> AppTest:
    app.button_group(key="training_task").set_value("reader")
    return run(app)


def test_a_reader_is_trained_from_the_page_and_shows_what_it_changed(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_desk.reader, "train_reader", scripted_reader(store))
    app = choose_reader(open_page())
    assert any("invented policies" in text for text in words(app.caption))
    click(app, "training_start")
    finished(app, desk)
    assert any("my-reader" in text and "is stored" in text for text in words(app.success))
    figures = {metric.label: (metric.value, metric.delta) for metric in app.metric}
    assert figures["Answered right"] == ("1 of 1", "+1 to prompting alone")
    assert figures["Base weights"][0] == "unchanged"
    table = html(app)
    assert "&lt;b&gt;days&lt;/b&gt;" in table, "a model's words are never markup"
    assert "I don&#x27;t know." in table or "I don't know." in table
    assert store.active("reader") is None
    click(app, "training_activate_new")
    active = store.active("reader")
    assert active is not None
    assert active.name == "my-reader"


def test_a_reader_that_failed_says_why_and_stores_nothing(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        training_desk.reader, "train_reader", scripted_reader(store, error=TrainingError("The disk is full."))
    )
    app = click(choose_reader(open_page()), "training_start")
    finished(app, desk)
    assert any("The disk is full." in text for text in words(app.error))
    assert not store.list()
    click(app, "training_again")
    assert app.button(key="training_start")


def test_a_reader_under_way_is_stopped(
    store: AdapterStore, desk: TrainingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_desk.reader, "train_reader", scripted_reader(store, wait=threading.Event()))
    app = click(choose_reader(open_page()), "training_start")
    run(app)
    assert any(metric.label == "Questions read" for metric in app.metric)
    click(app, "training_stop")
    finished(app, desk)
    assert any("Stopped early" in text for text in words(app.success))
