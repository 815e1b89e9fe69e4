"""Match regular expressions from outside files in a child process that is killed when it takes too long.

Neither matching nor compiling an expression is bounded in Python: nested repetition backtracks for years, and nested
counts fill the memory. The child gets a bound on both; its program is ``_CHILD``, which imports nothing of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from playground.errors import EvaluationError

TIMEOUT_S = 5.0
MOST_CHARACTERS = 20_000
"""Longest stretch of a text that is searched."""

_MEMORY_BYTES = 512 << 20
_CHILD = """
import json, re, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]),) * 2)
except (ImportError, ValueError, OSError):
    pass  # the parent's time-out still holds
job = json.load(sys.stdin)
replies = []
for pattern in job["patterns"]:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
        replies.append(None if job["text"] is None else bool(compiled.search(job["text"])))
    except re.error as error:
        replies.append(str(error))
    except (MemoryError, OverflowError, RecursionError):
        replies.append("it is too large")
print(json.dumps(replies))
"""


def find_invalid(patterns: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """Return, for each of ``patterns`` that is no usable regular expression, the reason."""
    distinct = list(dict.fromkeys(patterns))
    replies = _ask_child(distinct, None, timeout_s)
    if replies is None:  # one of many spoils the child, so look for it
        if len(distinct) == 1:
            return {distinct[0]: "it takes too long or too much memory to compile"}
        middle = len(distinct) // 2
        halves = distinct[:middle], distinct[middle:]
        return {k: v for half in halves for k, v in find_invalid(half, timeout_s=timeout_s).items()}
    return {pattern: reply for pattern, reply in zip(distinct, replies, strict=True) if isinstance(reply, str)}


def all_found(patterns: Sequence[str], text: str, *, timeout_s: float = TIMEOUT_S) -> bool:
    """Tell whether every one of ``patterns`` is found in the first 20,000 characters of ``text``, whatever the case.

    Raises:
        EvaluationError: an expression is invalid, or searching took longer than ``timeout_s`` or too much memory.
    """
    if not patterns:
        return True
    replies = _ask_child(patterns, text[:MOST_CHARACTERS], timeout_s)
    if replies is None:
        raise EvaluationError(
            f"Matching the expected answer took over {timeout_s:g} s or too much memory and was stopped. Simplify its "
            f"regular expressions, nested repetition first: {_shortened(patterns)}"
        )
    for pattern, reply in zip(patterns, replies, strict=True):
        if isinstance(reply, str):
            raise EvaluationError(f"The regular expression {_shortened([pattern])} is invalid: {reply}. Correct it.")
    return all(replies)


def _ask_child(patterns: Sequence[str], text: str | None, timeout_s: float) -> list[bool | str | None] | None:
    """Return the child's reply for each pattern; None when it was killed or died."""
    command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", _CHILD, str(_MEMORY_BYTES), str(int(timeout_s) + 1)]
    job = json.dumps({"patterns": list(patterns), "text": text}).encode()
    try:
        done = subprocess.run(command, input=job, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        raise EvaluationError(
            f"The program that matches answers could not be started ({error.strerror}). Close other programs and go on."
        ) from error
    if done.returncode:
        return None
    replies: list[bool | str | None] = json.loads(done.stdout)
    return replies


def _shortened(patterns: Sequence[str]) -> str:
    return ", ".join(pattern if len(pattern) <= 80 else f"{pattern[:79]}…" for pattern in patterns[:3])
