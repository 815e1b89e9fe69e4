"""Scenario B at scale: opens what `bulk flag` found in a folder of thousands of contracts."""

import streamlit as st

from playground.bulk.reading import results_in
from playground.errors import DocumentError
from playground.ui.bulk import state
from playground.ui.bulk.contract import draw_contract
from playground.ui.bulk.table import draw_choice, draw_filters, draw_nothing, draw_summary, draw_table
from playground.ui.shared.layout import begin_page
from playground.ui.shared.markup import escape_markdown

begin_page(
    "Many contracts",
    "Scenario B at scale: what was found in a whole folder, which contracts to read first, and why.",
)
names = results_in(state.root())
if not names:
    draw_nothing()
    st.stop()
try:
    result = state.result(draw_choice(names))
    draw_summary(result)
    rows = result.chosen(draw_filters(result))
    if opened := draw_table(rows, result):
        draw_contract(result, opened)
except (DocumentError, OSError) as error:
    st.error(escape_markdown(str(error)))
