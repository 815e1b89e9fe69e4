"""HTML files made from templates: every value is escaped, nothing invisible is left, and a policy names what may run.

Templates are files in a folder ``templates`` beside the code that fills them.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
from typing import TYPE_CHECKING, Any

from playground.text.normalise import normalise_text

if TYPE_CHECKING:
    import jinja2
    import markupsafe


@functools.cache
def load_templates(package: str) -> jinja2.Environment:
    """Return the templates of a package, from its folder ``templates``.

    Whatever a template shows goes through ``shown``; a name that the template was not given is an error.

    Raises:
        ValueError: the package has no such folder.
    """
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        finalize=shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def shown(value: Any) -> Any:
    """Return text as HTML shows it letter for letter, without what is invisible (controls, bidi overrides).

    What is no text, and markup that was made by a template or by ``as_it_stands``, is returned as it is.
    """
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return as_it_stands(html.escape(normalise_text(value), quote=True))


def as_it_stands(text: str) -> markupsafe.Markup:
    """Return text that a template must not escape. Only for what no reader, file or row has written a letter of."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - this is the place that says so


def policy_hash(text: str) -> markupsafe.Markup:
    """Return the source by which a content security policy allows one script or style sheet: its SHA-256.

    ``text`` is the element's content as a parser reads it, with line feeds alone as line ends.
    """
    return as_it_stands(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'")
