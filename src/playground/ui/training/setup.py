"""How to train: base, labels, number of examples, rank, length. Ends in a plan and the button that starts it."""

from __future__ import annotations

import streamlit as st

from playground.adapters import AdapterStore
from playground.annotations import WrittenClauses
from playground.errors import PlaygroundError
from playground.text.label_titles import label_title
from playground.training.clauses.bases import BUNDLED_BASES
from playground.training.clauses.encoder_settings import EncoderSettings
from playground.training.clauses.plan import TrainingPlan, split_for_training
from playground.ui.shared.notices import Notice, draw_notice
from playground.ui.training.desk import DESK
from playground.ui.training.state import Data, Key, annotations_of, session
from scenarios.contract_clauses import scenario

_OTHER = "other"
_DEFAULT_MINUTES = 2.0
_MOST_BY_DEFAULT = 2_000
"""Of large data: what a laptop learns from in minutes."""
_FEWEST = 20
_WRITTEN_LICENCE = (
    "Apache-2.0, as the project: the clauses were written for it. The names of the labels are those of CUAD (The "
    "Atticus Project, CC BY 4.0)."
)


def draw_base() -> str:
    """Draw the choice of base and return its name for a plan; "" while a name is missing."""
    bases = [*BUNDLED_BASES, _OTHER]
    base = st.selectbox(
        "Base model, frozen",
        bases,
        format_func=_base_title,
        key=Key.BASE,
        persist_state="session",
    )
    if base != _OTHER:
        return str(base)
    name = st.text_input(
        "Folder or hub id of an encoder like BERT or MPNet",
        key=Key.BASE_NAME,
        placeholder="owner/name or /path/to/model",
        max_chars=500,
        persist_state="session",
        help="Safetensors weights only; no remote code is run.",
    )
    return name.strip()


def _base_title(name: str) -> str:
    hints = {
        "encoder": "encoder, minutes",
        "large_encoder": "larger encoder, about 10 times slower",
        "language_model": "language model, much slower",
    }
    return "Another encoder…" if name == _OTHER else f"{BUNDLED_BASES[name]} ({hints[name]})"


def draw_labels(data: Data) -> tuple[str, ...]:
    """Draw the choice of labels and return it: by default the liabilities that occur in the data."""
    present = annotations_of(data).labels
    liabilities = [label for label in present if label in set(scenario.liability_labels())]
    # The widget belongs to its data: other data have other labels.
    chosen = st.multiselect(
        f"Labels to learn, of {len(present)} in the data",
        present,
        default=liabilities or list(present),
        format_func=label_title,
        key=f"{Key.LABELS}_{annotations_of(data).sha256[:12]}",
        persist_state="session",
    )
    return tuple(chosen)


def draw_settings(data: Data, base: str, labels: tuple[str, ...], store: AdapterStore) -> TrainingPlan:
    """Draw the hyper-parameters and return the plan that they make."""
    most = len(annotations_of(data).examples)
    default = EncoderSettings()
    left, right = st.columns(2)
    examples = left.number_input(
        "Most clauses to train on",
        min_value=min(_FEWEST, most),
        max_value=most,
        value=min(most, _MOST_BY_DEFAULT),
        step=50,
        key=f"{Key.EXAMPLES}_{annotations_of(data).sha256[:12]}",
        persist_state="session",
        help="Drawn alike from all labels. Besides, contracts are kept aside to choose and to measure.",
    )
    rank = right.select_slider("Rank of the LoRA branches", [2, 4, 8, 16, 32, 64], default.rank, key=Key.RANK)
    epochs = left.number_input(
        "Epochs", min_value=0.5, max_value=100.0, value=default.epochs, step=1.0, key=Key.EPOCHS, format="%g"
    )
    minutes = right.number_input(
        "At most, minutes",
        min_value=0.0,
        max_value=1440.0,
        value=_DEFAULT_MINUTES,
        step=1.0,
        key=Key.MINUTES,
        format="%g",
        help="The schedule is fitted into it; it ends with the epochs if they are done earlier. 0: no limit.",
    )
    with st.expander("More settings"):
        left, right = st.columns(2)
        rate = left.number_input(
            "Learning rate", 1e-5, 1e-1, default.learning_rate, step=1e-4, format="%.5f", key=Key.RATE
        )
        window = right.number_input(
            "Window, tokens",
            0,
            512,
            default.window_tokens,
            step=64,
            key=Key.WINDOW,
            help="Reads neighbours of one contract together, for data that were annotated whole. 0: each alone.",
        )
        seed = left.number_input("Seed", 0, 2**31, default.seed, key=Key.SEED)
        free = store.free_name("my-flagger")
        # With the free name in its key, the next training is offered the next name.
        name = right.text_input("Name of the adapter", free, max_chars=64, key=f"{Key.NAME}_{free}")
    settings = EncoderSettings(
        rank=int(rank),
        alpha=float(rank),
        learning_rate=float(rate),
        epochs=float(epochs),
        max_minutes=float(minutes) or None,
        window_tokens=int(window),
        seed=int(seed),
    )
    return planned(
        name.strip(),
        data,
        labels,
        base,
        examples=int(examples) if int(examples) < most else None,
        settings=settings,
    )


def planned(
    name: str, data: Data, labels: tuple[str, ...], base: str, *, examples: int | None, settings: EncoderSettings
) -> TrainingPlan:
    """Return a plan with what the page adds to every one."""
    return TrainingPlan(
        name=name,
        data=data,
        labels=labels,
        base=base,
        examples=examples,
        settings=settings,
        keywords=scenario.keywords(),
        licence=_WRITTEN_LICENCE if isinstance(data, WrittenClauses) else "",
    )


def draw_start(plan: TrainingPlan, store: AdapterStore) -> None:
    """Draw the button that starts the training."""
    st.button(
        "Start training",
        key=Key.START,
        type="primary",
        icon=":material/model_training:",
        disabled=not plan.base or not plan.labels,
        on_click=_start,
        args=(plan, store),
    )
    if not plan.labels:
        st.caption("Choose at least one label.")
    elif not plan.base:
        st.caption("Name the base model.")
    draw_notice(session().start_notice)


def _start(plan: TrainingPlan, store: AdapterStore) -> None:
    data = session()
    data.start_notice = None
    try:
        # Bad data is said at once, beside the button, and nothing is begun.
        split_for_training(plan)
        DESK.start(plan, store, data.id)
    except PlaygroundError as error:
        data.start_notice = Notice("error", str(error))
