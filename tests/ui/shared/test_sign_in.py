"""Pages open to all on a laptop, and to nobody where signing in is wanted and not done or not set up."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from playground.ui.shared import sign_in
from playground.ui.shared.sign_in import REQUIRED_VARIABLE, SIGN_IN, SIGN_OUT


def page() -> None:
    import streamlit as st

    from playground.ui.shared.sign_in import require_sign_in

    require_sign_in()
    st.write("the page")


def shown(app: AppTest) -> bool:
    return any(text.value == "the page" for text in app.markdown)


def test_without_a_set_up_the_page_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REQUIRED_VARIABLE, raising=False)
    assert shown(AppTest.from_function(page).run())


def test_where_signing_in_is_required_a_missing_set_up_closes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRED_VARIABLE, "1")
    app = AppTest.from_function(page).run()
    assert not shown(app)
    assert "is not set up" in app.error[0].value


def test_who_has_not_signed_in_sees_the_button_and_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "is_set_up", lambda: True)
    monkeypatch.setattr(sign_in, "find_spec", lambda _name: object())
    app = AppTest.from_function(page).run()
    assert not shown(app)
    assert [button.key for button in app.button] == [SIGN_IN]


def test_who_has_signed_in_sees_the_page_and_may_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    class User(dict[str, str]):
        is_logged_in = True

    monkeypatch.setattr(sign_in, "is_set_up", lambda: True)
    monkeypatch.setattr(sign_in, "find_spec", lambda _name: object())
    monkeypatch.setattr(sign_in.st, "user", User(name="*Ada*"))
    app = AppTest.from_function(page).run()
    assert shown(app)
    assert [button.key for button in app.button] == [SIGN_OUT]
    assert app.caption[0].value == r"Signed in as \*Ada\*"


def test_without_the_package_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "is_set_up", lambda: True)
    monkeypatch.setattr(sign_in, "find_spec", lambda _name: None)
    app = AppTest.from_function(page).run()
    assert not shown(app)
    assert "Authlib" in app.error[0].value
