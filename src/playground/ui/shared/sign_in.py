"""Signing in through the company's own identity provider (OpenID Connect), where the app is set up for it.

Off on a presenter's laptop. ``[auth]`` in secrets.toml turns it on; see docs/scale.md. Who is signed in is all that is
asked: everybody who is may use every page.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import streamlit as st

from playground.ui.shared.markup import escape_markdown

REQUIRED_VARIABLE = "PLAYGROUND_REQUIRE_SIGN_IN"
SIGN_IN, SIGN_OUT = "sign_in", "sign_out"


def require_sign_in() -> None:
    """Go on if nobody has to sign in or this visitor has; else draw the way to do so and end the page here."""
    if not is_set_up():
        if os.environ.get(REQUIRED_VARIABLE) == "1":
            st.error("This app is for people who sign in, and that is not set up: [auth] is missing in secrets.toml.")
            st.stop()
        return
    if find_spec("authlib") is None:
        st.error("Signing in needs the package Authlib. Run `pip install -r deploy/requirements.txt` and restart.")
        st.stop()
    if not getattr(st.user, "is_logged_in", False):
        st.title("Scenario playground", anchor=False)
        st.write("Sign in to go on.")
        st.button("Sign in", key=SIGN_IN, type="primary", on_click=st.login)
        st.stop()
    with st.sidebar:
        st.caption(f"Signed in as {escape_markdown(str(st.user.get('name') or st.user.get('email') or 'somebody'))}")
        st.button("Sign out", key=SIGN_OUT, on_click=st.logout)


def is_set_up() -> bool:
    """Tell whether secrets.toml has an ``[auth]`` table."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets
