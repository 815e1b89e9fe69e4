"""Keep what a session holds, so that it survives a reload of the page and a restart of the app.

The address carries an unguessable name (``?session=…``), the folder of that name what is kept, see ``kept_files``. A
page calls ``keep_up`` before it draws anything: the first time, what was kept is put back; later, what has changed is
written. Where the app can be reached from other machines, nothing is kept.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

import streamlit as st
from streamlit import config, runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.models.kept_prompts import delete_all, forget_old, prompts_folder
from playground.typed_json import fault, json_of, typed_json
from playground.ui.shared.kept_files import KEPT_S, KeptFiles, NotKeptError, default_root, new_token
from playground.ui.shared.markup import escape_markdown, human_bytes
from playground.ui.shared.session import part_of_session

Kind = TypeVar("Kind")

IN_ADDRESS = "session"
_UNKNOWN = "What the address names is not kept any more: a session is kept for a day after its last change."

_holders: dict[str, str] = {}
"""Token -> the Streamlit session that writes under it: two tabs of one address must not write over each other."""
_lock = threading.Lock()
_swept: set[KeptFiles] = set()


@dataclass(slots=True)
class Keeping:
    """How this session is kept. ``token`` is "" until there is something to keep."""

    files: KeptFiles
    token: str = ""
    off: bool = False
    problem: str = ""
    """Why something was not kept or not put back, a sentence."""
    put_back: set[str] = field(default_factory=set)
    written: dict[str, object] = field(default_factory=dict)
    pieces: dict[tuple[str, int, str], tuple[object, str]] = field(default_factory=dict)
    """Part, identity of an immutable value, what is made of it -> the value, so that it stays alive, and its piece."""


@dataclass(frozen=True, slots=True)
class Part:
    """A page's part of what is kept, as ``keep_up`` works with it.

    ``state`` returns what decides whether something has changed, compared by identity and, where that differs, by
    equality; None while there is nothing worth keeping, or it is not complete. ``write`` returns the index and the
    names of all pieces. ``put_back`` is given the index.
    """

    name: str
    state: Callable[[], tuple[object, ...] | None]
    write: Callable[[PieceWriter], tuple[bytes, tuple[str, ...]]]
    put_back: Callable[[bytes, PieceReader], None]


@dataclass(frozen=True, slots=True)
class PieceWriter:
    """Writes the pieces of one part."""

    keeping: Keeping
    part: str

    def json(self, value: object, what: str = "", make: Callable[[], object] | None = None) -> str:
        """Write an immutable dataclass as a piece, once, and return the piece's name.

        ``make`` returns what is written in its place; ``what`` tells apart several things made of one value.

        Raises:
            NotKeptError: it does not fit, the disk refuses, or it is nothing that JSON can say.
        """
        known = self.keeping.pieces.get((self.part, id(value), what))
        if known and known[0] is value:
            return known[1]
        try:
            data = json_of(make() if make else value)
        except ValueError as error:
            raise NotKeptError("Something of it cannot be written as JSON.") from error
        return self._remember(value, what, data)

    def file(self, value: bytes) -> str:
        """Write bytes as a piece, once, and return the piece's name; raises as ``json`` does."""
        known = self.keeping.pieces.get((self.part, id(value), ""))
        return known[1] if known and known[0] is value else self._remember(value, "", value)

    def _remember(self, value: object, what: str, data: bytes) -> str:
        name = self.keeping.files.add_piece(self.keeping.token, self.part, data)
        self.keeping.pieces[self.part, id(value), what] = value, name
        return name


@dataclass(frozen=True, slots=True)
class PieceReader:
    """Reads the pieces of one part; what was read is known to the writer."""

    keeping: Keeping
    part: str

    def json(self, kind: type[Kind], name: str) -> Kind:
        """Return a piece as a value of ``kind``.

        Raises:
            NotKeptError: it is damaged.
            ValueError: it is of another kind.
        """
        value = typed_json(kind, self.keeping.files.piece(self.keeping.token, self.part, name))
        self.keeping.pieces[self.part, id(value), ""] = value, name
        return value

    def file(self, name: str) -> bytes:
        """Return a piece.

        Raises:
            NotKeptError: it is damaged.
        """
        data = self.keeping.files.piece(self.keeping.token, self.part, name)
        self.keeping.pieces[self.part, id(data), ""] = data, name
        return data


def keeping() -> Keeping:
    """Return how this session is kept; the first time, the session that the address names is taken up."""
    return part_of_session("playground_keeping", _begin)


def keep_up(part: Part) -> None:
    """Put a part back where it is kept; once that is done, write it whenever it has changed."""
    kept = keeping()
    if part.name not in kept.put_back:
        kept.put_back.add(part.name)
        _put_back(kept, part)
    elif not kept.off:
        _write(kept, part)
    if kept.token and st.query_params.get(IN_ADDRESS) != kept.token:
        st.query_params[IN_ADDRESS] = kept.token


def delete_now() -> None:
    """Delete what is kept of this session, and keep nothing of it from now on; what is on the screen stays."""
    kept = keeping()
    try:
        if kept.token:
            kept.files.delete(kept.token)
    except NotKeptError as error:
        kept.problem = f"It could not be deleted. {error}"
        return
    with _lock:
        _holders.pop(kept.token, None)
    delete_all(prompts_folder())
    kept.token, kept.off, kept.problem = "", True, ""
    kept.pieces.clear()
    kept.written.clear()
    st.query_params.pop(IN_ADDRESS, None)


def keep_again() -> None:
    """Keep this session from now on, after ``delete_now``."""
    keeping().off = False


def draw_keeping() -> None:
    """Say in the sidebar what is kept and where, with the way to delete it; nothing while nothing is kept."""
    kept = keeping()
    if kept.problem:
        st.warning(escape_markdown(kept.problem), icon=":material/save:")
    if kept.off and not _is_open():
        st.caption("Nothing of this session is kept on the disk; a reload begins anew.")
        st.button("Keep it again", key="keep_again", on_click=keep_again)
    if not kept.token:
        return
    until = datetime.fromtimestamp(kept.files.changed_at(kept.token) + KEPT_S, UTC)
    with st.popover("Kept on this disk", icon=":material/save:", width="stretch"):
        st.markdown(
            "Chat, policies, contracts and decisions survive a reload and a restart of the app. Model keys are never "
            "kept."
        )
        st.caption(
            f"Until {until:%d %B, %H:%M} UTC, a day after the last change; removed when the app starts after that. "
            f"{human_bytes(kept.files.size_bytes(kept.token))} in {escape_markdown(str(kept.files.folder(kept.token)))}"
        )
        st.caption("Who has this page's full address on this machine can open it. *Copy link* leaves the name out.")
        st.button("Delete now", key="delete_kept", icon=":material/delete:", on_click=delete_now)


def _begin() -> Keeping:
    files = KeptFiles(default_root())
    if _is_open():
        return Keeping(files, off=True)
    if files not in _swept:
        _swept.add(files)
        files.remove_old()
        forget_old(prompts_folder())
    named = st.query_params.get(IN_ADDRESS, "")
    if not named:
        return Keeping(files)
    if not files.has(named):
        st.query_params.pop(IN_ADDRESS, None)
        return Keeping(files, problem=_UNKNOWN)
    with _lock:
        holder, me = _holders.get(named), _session_id()
        try:
            # A tab that was doubled goes on with a copy: what one tab does never shows up in the other.
            token = files.copied(named) if holder not in (None, me) and is_live(str(holder)) else named
        except NotKeptError as error:
            return Keeping(files, off=True, problem=f"What another tab holds could not be copied. {error}")
        _holders[token] = me
    return Keeping(files, token)


def _put_back(kept: Keeping, part: Part) -> None:
    if not kept.token:
        return
    try:
        index = kept.files.index(kept.token, part.name)
        if index is not None:
            part.put_back(index, PieceReader(kept, part.name))
            kept.written[part.name] = part.state()
    except (NotKeptError, ValueError) as error:
        kept.problem = f"What was kept here is damaged ({fault(error)}); it could not be put back."
        try:
            aside = kept.files.set_aside(kept.token, part.name)
            kept.problem += f" It was set aside as {aside.name}, beside what is kept from now on."
        except NotKeptError:
            kept.off = True


def _write(kept: Keeping, part: Part) -> None:
    state = part.state()
    before = kept.written.get(part.name)
    if state is None or _same(state, before):
        return
    kept.problem = ""
    try:
        if not kept.token:
            kept.token = new_token()
            with _lock:
                _holders[kept.token] = _session_id()
            kept.files.remove_old()
        index, pieces = part.write(PieceWriter(kept, part.name))
        kept.files.set_index(kept.token, part.name, index, pieces)
        for key, (_, name) in list(kept.pieces.items()):
            if key[0] == part.name and name not in pieces:  # its file is gone
                del kept.pieces[key]
    except NotKeptError as error:
        kept.problem = f"The last change was not kept. {error}"
    kept.written[part.name] = state  # what failed is tried again with the next change


def _same(state: tuple[object, ...], before: object) -> bool:
    return (
        isinstance(before, tuple)
        and len(before) == len(state)
        and all(one is other or one == other for one, other in zip(state, before, strict=True))
    )


def _is_open() -> bool:
    """Tell whether other machines reach the app: it listens for them, or this page goes by another name."""
    listens_at = str(config.get_option("server.address") or "")
    name = urlsplit(f"//{st.context.headers.get('Host', '')}").hostname
    return not _is_loopback(listens_at) or not (name is None or _is_loopback(name))


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _session_id() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


def is_live(session_id: str) -> bool:
    """Tell whether a browser is connected to a Streamlit session of this process."""
    return runtime.exists() and runtime.get_instance().is_active_session(session_id)
