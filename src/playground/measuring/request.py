"""What is to be measured, typed: the command line and the comparison page both fill it, a scenario's ``prepare`` reads.

A scenario that asks for more than every scenario does derives its own request and declares each field with ``option``;
the command line makes an argument of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

Value = TypeVar("Value")
Kind = Literal["text", "file", "count", "number", "switch"]
"""How an option is read from the command line: "count" is a whole number from 1 on, "switch" takes no value."""

_METADATA = "option"


@dataclass(frozen=True, slots=True)
class Option:
    """A field of a request as the command line offers it; see ``option`` for the attributes."""

    name: str
    kind: Kind
    help: str
    default: object
    metavar: str | None
    group: str
    adapter_of: tuple[str, ...]
    means: str


def option(
    default: Value,
    help: str,
    *,
    kind: Kind = "text",
    metavar: str | None = None,
    group: str = "",
    adapter_of: tuple[str, ...] = (),
    means: Literal["", "examples file", "pairs"] = "",
) -> Value:
    """Return the field of a request that only one scenario has, for a frozen dataclass.

    Args:
        default: where nobody chose.
        help: what ``evaluate SCENARIO --help`` says.
        kind: how the command line reads it.
        metavar: stands for the value in the help.
        group: heading of the options that belong together; "" for none.
        adapter_of: the techniques whose adapter it names, so that the page can name a recorded one.
        means: "examples file": a run is only read with the file that it was measured on (``report`` asks for it too);
            "pairs": how many pairs of a text and a label a chat model is asked about an example.
    """
    described = {
        "kind": kind,
        "help": help,
        "metavar": metavar,
        "group": group,
        "adapter_of": adapter_of,
        "means": means,
    }
    return field(default=default, metadata={_METADATA: described})


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuringRequest:
    """What every scenario is asked for.

    ``strategies`` names the techniques, ``model`` the chat model as on the command line; ``limit`` is the size of a
    random sample, None for every example; ``seed`` is of sample and model.
    """

    strategies: tuple[str, ...]
    model: str = "bundled"
    limit: int | None = None
    seed: int = 0

    @classmethod
    def of(cls, request: MeasuringRequest) -> Self:
        """Return ``request`` as one of this scenario.

        Raises:
            TypeError: it is one of another scenario: a defect of who filled it.
        """
        if not isinstance(request, cls):
            raise TypeError(f"{cls.__name__} wanted, {type(request).__name__} given")
        return request

    @property
    def examples_file(self) -> Path | None:
        """The file that the examples are read from, where the scenario has such an option and it was given."""
        found = next((one.name for one in options_of(type(self)) if one.means == "examples file"), None)
        value = getattr(self, found) if found else None
        return value if isinstance(value, Path) else None


def options_of(request: type[MeasuringRequest]) -> tuple[Option, ...]:
    """Return what a scenario asks for beside what every scenario does, in the order of the declarations."""
    return tuple(
        Option(name=one.name, default=one.default, **one.metadata[_METADATA])
        for one in fields(request)
        if _METADATA in one.metadata
    )


def request_for(
    kind: type[MeasuringRequest],
    *,
    strategies: Sequence[str],
    model: str,
    limit: int | None,
    seed: int = 0,
    adapters: Mapping[str, str] | None = None,
    pairs: int | None = None,
) -> MeasuringRequest:
    """Return a request of a scenario's kind with adapters named by technique, and the rest as by default.

    ``pairs`` is left out where the scenario has no such option.
    """
    named, values = adapters or {}, dict[str, Any]()
    for one in options_of(kind):
        if names := [name for technique, name in named.items() if technique in one.adapter_of]:
            values[one.name] = ",".join(names)
        if one.means == "pairs" and pairs is not None:
            values[one.name] = pairs
    return kind(strategies=tuple(strategies), model=model, limit=limit, seed=seed, **values)
