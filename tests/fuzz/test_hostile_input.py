"""What anybody may send: whatever it is, it is taken or refused with a sentence, and nothing else happens.

    PLAYGROUND_FUZZ_EXAMPLES=20000 python -m pytest tests/fuzz        (by hand; without it, less than a minute)

Hypothesis makes the input: Hatfield-Dodds et al., 2019, "Hypothesis: A new approach to property-based testing" (JOSS).
"""

import contextlib
import functools
import io
import json
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.adapters import AdapterStore
from playground.annotations import read_annotations
from playground.documents import load_document
from playground.errors import AdapterError, AnnotationError, DocumentError
from playground.models.endpoint.stream import Received, read_chunk
from playground.paths import POLICIES
from tests.support.fakes_adapters import CONFIG, writing

_MORE = int(os.environ.get("PLAYGROUND_FUZZ_EXAMPLES", "0"))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def _examples(number: int) -> settings:
    return settings(
        max_examples=_MORE or number, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )


@functools.cache
def _samples() -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(POLICIES.iterdir()) if path.is_file()]


@st.composite
def _changed_samples(draw: st.DrawFn) -> tuple[str, bytes]:
    """One of the sample policies with bytes replaced, cut out or put in."""
    name, data = draw(st.sampled_from(_samples()))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 64)))
        data = data[:start] + draw(st.binary(max_size=64)) + data[end:]
    return name, data


def _load(data: bytes, name: str) -> None:
    try:
        document = load_document(data, name)
    except DocumentError as error:
        assert str(error)
        return
    assert document.text.strip()
    document.text.encode()
    for block in document.blocks:
        assert 0 <= block.start <= block.end <= len(document.text)


@_examples(40)  # each starts a process
@given(_changed_samples())
def test_a_damaged_document_is_read_or_refused(sample: tuple[str, bytes]) -> None:
    _load(sample[1], sample[0])


@_examples(150)
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode), st.sampled_from(["a.txt", "a.md", "a"]))
def test_any_bytes_as_text_are_read_or_refused(data: bytes, name: str) -> None:
    _load(data, name)


def _members(folder: str) -> dict[str, bytes]:
    store = AdapterStore(Path(folder))
    store.save("mine", writing())
    with zipfile.ZipFile(io.BytesIO(store.export_zip("mine"))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@st.composite
def _configurations(draw: st.DrawFn) -> bytes:
    changed = draw(st.dictionaries(st.sampled_from([*CONFIG, "alpha_pattern", "rank_pattern"]), _JSON, max_size=3))
    return json.dumps({**CONFIG, **changed}).encode()


@_examples(100)
@given(st.data())
def test_a_hostile_archive_is_imported_or_refused_and_nothing_is_left(
    tmp_path_factory: object, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("adapters")  # type: ignore[attr-defined]
    members = dict(_members(str(folder)))
    name = data.draw(st.sampled_from([*members, "../../out", "a.pkl"]))
    members[name] = data.draw(
        st.binary(max_size=200) | _configurations() | _JSON.map(lambda row: json.dumps(row).encode())
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    archived = bytearray(buffer.getvalue())
    if data.draw(st.booleans()):
        archived[data.draw(st.integers(0, len(archived) - 1))] ^= data.draw(st.integers(1, 255))
    store = AdapterStore(folder)
    before = sorted(path.name for path in folder.iterdir())
    try:
        store.import_zip(bytes(archived), "other")
    except AdapterError as error:
        assert str(error)
        assert sorted(path.name for path in folder.iterdir()) == before
    assert not (folder.parent / "out").exists()


_ROWS = st.fixed_dictionaries(
    {}, optional={"text": _JSON, "label": _JSON, "labels": _JSON, "data": _JSON, "title": _JSON, "paragraphs": _JSON}
)
_ANNOTATIONS = st.one_of(
    st.binary(max_size=400),
    st.lists(_ROWS | _JSON, max_size=6).map(lambda rows: "\n".join(map(json.dumps, rows)).encode()),
    _JSON.map(lambda row: json.dumps({"data": row}).encode()),
    st.text("text,label\n\"';x", max_size=200).map(str.encode),
)


@_examples(300)
@given(_ANNOTATIONS, st.sampled_from(["a.json", "a.jsonl", "a.csv", "a"]))
def test_any_annotations_are_read_or_refused(data: bytes, name: str) -> None:
    try:
        found = read_annotations(data, name, ["Insurance", "Cap On Liability"])
    except AnnotationError as error:
        assert str(error)
    else:
        assert found.clauses


def _object(value: object) -> object:
    """Return JSON as the openai package gives it: objects with attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{str(key): _object(item) for key, item in value.items()})
    return [_object(item) for item in value] if isinstance(value, list) else value


_CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "choices": _JSON
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "delta": st.fixed_dictionaries({}, optional={"content": _JSON}) | _JSON,
                    "finish_reason": _JSON,
                },
            ),
            max_size=2,
        ),
        "usage": st.fixed_dictionaries(
            {}, optional={"prompt_tokens": _JSON, "completion_tokens": _JSON, "prompt_tokens_details": _JSON}
        )
        | _JSON,
    },
)


@_examples(400)
@given(st.lists(_CHUNKS | _JSON, max_size=5))
def test_any_stream_is_read_or_refused(chunks: list[object]) -> None:
    received = Received()
    with contextlib.suppress(ValueError):  # which the endpoint's model turns into a sentence
        for chunk in chunks:
            assert isinstance(read_chunk(_object(chunk), received), str)
    if received.usage is not None:
        assert 0 <= received.usage.cached_tokens <= received.usage.input_tokens
        assert received.usage.output_tokens >= 0
