"""The link that is handed on has the choices of the page and not the name of the session."""

from __future__ import annotations

import pytest

from playground.ui.shared import sharing


def test_the_link_leaves_the_session_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        url = "http://127.0.0.1:8501/return_policy?session=0123"

    class Params(dict[str, str]):
        def get_all(self, name: str) -> list[str]:
            return [self[name]]

    monkeypatch.setattr(sharing.st, "context", Context())
    monkeypatch.setattr(sharing.st, "query_params", Params(session="0" * 32, policy="a b.md", present="1"))
    assert sharing.link() == "http://127.0.0.1:8501/return_policy?policy=a+b.md&present=1"
