"""A click on a clause in the text: the page learns which one, to begin a flag that was missed there.

The text stays plain HTML of ours. The component draws nothing; it listens on the box that holds the text and reports
the id that we gave the clause ("c12").
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import streamlit as st

from playground.ui.contract_clauses.state import Key, session

_LISTEN = """
export default function (component) {
  const { setTriggerValue } = component;
  const listen = (event) => {
    const clause = event.target.closest && event.target.closest(".st-key-contract_text .clause");
    if (!clause || String(window.getSelection())) return;  // who selects words is reading
    const id = Array.from(clause.classList).find((name) => name.startsWith("clause-"));
    if (id) setTriggerValue("clause", id.slice("clause-".length));
  };
  document.addEventListener("click", listen);
  return () => document.removeEventListener("click", listen);
}
"""


@lru_cache(maxsize=1)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("clause_click", js=_LISTEN)


def follow_clicks(clause_ids: frozenset[str]) -> None:
    """Note the clause that was clicked; what is no clause of the contract is passed over."""
    result = _component()(key=Key.CLICK, on_clause_change=lambda: None, height=1)
    pick(str(getattr(result, "clause", None) or ""), clause_ids)


def pick(clause_id: str, clause_ids: frozenset[str]) -> None:
    """Begin a flag at a clause."""
    if clause_id in clause_ids:
        session().picked = clause_id
        st.session_state[Key.ADD_CLAUSE] = clause_id
        st.session_state[Key.ADD_SEARCH] = ""
        st.session_state[Key.ADD_OPEN] = True
