"""What an adapter does, and what it is on."""

from __future__ import annotations

from typing import Literal, get_args

Task = Literal["clauses", "reader", "closed_book"]

TASKS: tuple[Task, ...] = get_args(Task)


BaseKind = Literal["encoder", "language_model"]
