"""HTML files made from templates: text stays text, a missing name is an error, the policy allows what stands there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest

from playground.text.html_page import as_it_stands, load_templates, policy_hash

HOSTILE = "<script>alert(1)</script>\"' & \u202epay\u202c\x00"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27; &amp; pay"
Render = Callable[..., str]


@pytest.fixture
def render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Render:
    """Return a function that renders a template of a package of its own."""
    package = tmp_path / f"of_{tmp_path.name}"  # a name of its own: Python keeps what it has imported
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    templates = load_templates(package.name)

    def rendered(source: str, **values: object) -> str:
        (package / "templates" / "page.html").write_text(source, encoding="utf-8")
        return templates.get_template("page.html").render(**values)

    return rendered


@pytest.mark.parametrize(
    "source",
    [
        "{{ value }}",
        "{% macro cell(text) %}{{ text }}{% endmacro %}{{ cell(value) }}",
        "{% set text %}{{ value }}{% endset %}{{ text }}",
        '{{ [value] | join(", ") }}',
        '{{ value ~ "" }}',
        '{{ "{}".format(value) }}',
        "{% for one in [value] %}{{ one }}{% endfor %}",
    ],
)
def test_text_becomes_no_markup_and_nothing_invisible_is_left(render: Render, source: str) -> None:
    assert render(source, value=HOSTILE) == ESCAPED


def test_numbers_and_our_own_markup_are_shown_as_they_are(render: Render) -> None:
    assert render("{{ 3 }} {{ value }}", value=as_it_stands("'a' < b")) == "3 'a' < b"


def test_a_name_that_the_template_was_not_given_is_an_error(render: Render) -> None:
    with pytest.raises(jinja2.UndefinedError, match="'value' is undefined"):
        render("{{ value }}")
    with pytest.raises(jinja2.UndefinedError, match="no attribute 'numbre'"):
        render("{{ value.numbre }}", value=3)


def test_line_ends_of_a_file_are_line_feeds_so_that_its_hash_is_that_of_the_page(render: Render) -> None:
    assert render("a\r\nb\rc\n") == "a\nb\nc\n"


def test_a_policy_names_a_script_by_its_hash() -> None:
    # CSP Level 3, section 8.2: echo -n "doSomething();" | openssl sha256 -binary | openssl base64
    expected = "'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='"
    assert policy_hash("doSomething();") == expected
