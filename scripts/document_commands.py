"""docs/commands.md: what every command takes, read from the parsers, so that a new command is there by itself.

Written from the parsers and not from ``--help``: its line breaks depend on the terminal and on the version of Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from playground.cli import command_parser
from playground.paths import ROOT


def commands() -> str:
    """Return a section for every command: what it does, and a table of what it takes."""
    return "\n\n".join(_section(parser, summary) for parser, summary in _leaves(()))


def _leaves(path: Sequence[str]) -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """Yield the parser of every command under ``path`` that has no commands of its own, with its one line of help."""
    # Built anew for every path: a scenario adds its arguments only when it is named.
    parser, summary = command_parser(list(path)), ""
    for name in path:
        choices = _choices(parser)
        summary = next((one.help or "" for one in choices._choices_actions if one.dest == name), summary)
        parser = choices.choices[name]
    below = _find_choices(parser)
    if below is None:
        yield parser, summary
        return
    for name in below.choices:
        yield from _leaves((*path, name))


def _find_choices(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
    # argparse offers no other way to ask a parser what it takes.
    return next((one for one in parser._actions if isinstance(one, argparse._SubParsersAction)), None)


def _choices(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    found = _find_choices(parser)
    if found is None:
        raise ValueError(f"{parser.prog} has no commands")
    return found


def _section(parser: argparse.ArgumentParser, summary: str) -> str:
    actions = [one for one in parser._actions if not isinstance(one, argparse._HelpAction)]
    shown = [one for one in actions if one.help != argparse.SUPPRESS]
    lines = [f"## `{parser.prog}`", ""]
    about = _plain(parser.description or summary, parser)
    if about:
        lines += [f"{about[0].upper()}{about[1:].removesuffix('.')}.", ""]
    lines += ["| Argument | Meaning |", "| --- | --- |"]
    lines += [f"| `{_name(one)}`{' (needed)' if _needed(one) else ''} | {_meaning(one, parser)} |" for one in shown]
    epilog = _plain(parser.epilog or "", parser)
    return "\n".join([*lines, *(["", epilog] if epilog else [])])


def _name(action: argparse.Action) -> str:
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices is not None else None
    metavar = action.metavar if isinstance(action.metavar, str) else choices or action.dest
    if not action.option_strings:
        return f"{metavar} ..." if action.nargs in ("+", "*") else metavar
    if action.nargs == 0:
        return ", ".join(action.option_strings)
    value = metavar if action.metavar or choices else metavar.upper()
    return f"{', '.join(action.option_strings)} {value}{' ...' if action.nargs in ('+', '*') else ''}".replace("|", "/")


def _needed(action: argparse.Action) -> bool:
    return action.required and bool(action.option_strings)


def _meaning(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    return _plain(action.help or "", parser, action).replace("|", "\\|")


def _plain(text: str, parser: argparse.ArgumentParser, action: argparse.Action | None = None) -> str:
    """Return a help text in one line, its ``%(...)s`` filled in and no folder of this machine in it."""
    values = {**(vars(action) if action is not None else {}), "prog": parser.prog}
    filled = text % values if "%" in text else text
    return " ".join(filled.replace(f"{ROOT}/", "").split())
