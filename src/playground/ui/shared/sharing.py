"""The address of what is on the screen, to hand on: without the name of the session, which is nobody else's."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from playground.ui.shared.keeping import IN_ADDRESS


def draw_link() -> None:
    """Draw the way to copy the link to this page; the address is made when it is opened."""
    opened = st.popover("Copy link", icon=":material/link:", key="copy_link", on_change="rerun")
    if opened.open:
        with opened:
            st.code(link(), language=None, wrap_lines=True)
            st.caption("Opens this page with the same choices on this machine; chat and contracts are not in it.")


def link() -> str:
    """Return the page's address with its choices, without the session's name."""
    parts = urlsplit(str(st.context.url or ""))
    query = {name: st.query_params.get_all(name) for name in st.query_params if name != IN_ADDRESS}
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query, doseq=True), ""))
