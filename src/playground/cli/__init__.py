"""The command line: the same code as the pages.

    python -m playground ask "How long do I have?" --policy data/policies/northtrail-outdoor-v1.md
    python -m playground evaluate return_policy --strategies rag --out runs/first
    python -m playground report runs/first --html report.html
    python -m playground train clauses --data written --out my-flagger
    python -m playground train reader --out my-reader
    python -m playground limits lost-in-the-middle --live
    python -m playground models list
    python -m playground read contract.pdf

``--json`` prints one JSON object on standard output and nothing else there. An error is one line on standard error and
exit code 2; a defect of ours exit code 1 (with PLAYGROUND_DEBUG=1 its traceback); Ctrl-C exit code 130.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from playground.cli import adapters, ask, bulk, evaluate, flag, limits, models, read, report, train
from playground.errors import PlaygroundError
from playground.text.terminal import one_line

DEBUG_VARIABLE = "PLAYGROUND_DEBUG"

_USER_ERROR, _DEFECT, _INTERRUPTED = 2, 1, 130


class _Parser(argparse.ArgumentParser):
    """Argparse prints its usage with every error; here an error is one line."""

    def error(self, message: str) -> NoReturn:
        raise PlaygroundError(f"{message}. See `{self.prog} --help`.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments_given = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A policy may hold characters that this terminal has no code for.
            stream.reconfigure(errors="replace")
    try:
        return _run(arguments_given)
    except PlaygroundError as error:
        print(f"playground: {one_line(str(error))}", file=sys.stderr)
        return _USER_ERROR
    except KeyboardInterrupt as interruption:
        print(f"\n{one_line(str(interruption)) or 'Stopped.'}", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; keep the interpreter from saying so when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _DEFECT
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        print(
            f"playground: something went wrong that should not ({type(error).__name__}: {one_line(str(error))[:300]}). "
            f"Set {DEBUG_VARIABLE}=1 to see where, and report it.",
            file=sys.stderr,
        )
        return _DEFECT


def _run(argv: Sequence[str]) -> int:
    arguments = command_parser(argv).parse_args(argv)
    as_json = bool(getattr(arguments, "json", False))
    with contextlib.ExitStack() as stack:
        if os.environ.get(DEBUG_VARIABLE) != "1":
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        if as_json:
            # Whatever a library prints must not stand beside the one object.
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        result = arguments.run(arguments)
    if as_json and result is not None:  # None: a secondary process of `accelerate launch`
        print(json.dumps(result, allow_nan=False))
    sys.stdout.flush()
    return 0


def command_parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of every command; a scenario that ``argv`` names adds its own arguments to ``evaluate``."""
    parser = _Parser(
        prog="playground",
        description="Prompt engineering against fine-tuning, measured on this machine.",
        epilog="`playground COMMAND --help` says more about a command.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    ask.add_command(commands)
    flag.add_command(commands)
    bulk.add_command(commands)
    read.add_command(commands)
    evaluate.add_command(commands, argv)
    report.add_command(commands, argv)
    limits.add_command(commands)
    models.add_command(commands)
    train.add_command(commands)
    adapters.add_command(commands)
    return parser
