"""JSON read as a typed value, as pydantic checks it: nothing is converted, so "1" is no number and 1 is no truth.

A whole number counts as a number, a list as a tuple and an object as a dataclass of the same fields. Unknown fields are
ignored unless a reader asks for ``only_known``.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from annotated_types import Ge, Lt

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Kind = TypeVar("Kind")

Count = Annotated[int, Ge(0)]
"""A whole number from 0."""
Seconds = Annotated[float, Ge(0), Lt(math.inf)]
"""A finite number from 0; NaN is none."""


def typed_json(kind: type[Kind], text: str | bytes, *, only_known: bool = False) -> Kind:
    """Return JSON text as a value of ``kind``: a dataclass, a container of them, or a plain type.

    Raises:
        ValueError: it is no JSON, or not of this kind; ``fault`` puts the first reason in words.
    """
    value: Kind = _adapter(kind).validate_json(text, strict=True, extra="forbid" if only_known else "ignore")
    return value


def typed(kind: type[Kind], value: object) -> Kind:
    """Return what ``json.loads`` made of a text as a value of ``kind``.

    Raises:
        ValueError: it is not of this kind.
    """
    return typed_json(kind, json.dumps(value))


def json_of(value: object) -> bytes:
    """Return a dataclass as JSON that ``typed_json`` reads back.

    Raises:
        ValueError: something in it is nothing that JSON can say: half of a character, an object of no known kind.
    """
    from pydantic_core import PydanticSerializationError

    try:
        return bytes(_adapter(type(value)).dump_json(value, warnings="error"))
    except (PydanticSerializationError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def fault(error: Exception) -> str:
    """Return the first reason why a value was refused, with its place: "asks.0.type: Input should be ..."."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]


def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}  # making one takes longer than reading a thousand values
