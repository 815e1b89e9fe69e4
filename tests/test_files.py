"""Reading and writing files that somebody names: only files, whole or not at all."""

import os
import shutil
from pathlib import Path

import pytest

from playground import atomic
from playground.atomic import replace_file, write_new
from playground.files import check_output, expanded, folder_bytes, read_file

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")


def _odd_places(folder: Path) -> list[Path]:
    """Return what has a path and is no file: a pipe, devices, a folder, and links to them."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    (folder / "sub").mkdir()
    links = []
    for number, target in enumerate((pipe, Path("/dev/zero"), Path("/dev/null"), folder / "sub")):
        links.append(folder / f"link{number}")
        links[-1].symlink_to(target)
    return [pipe, Path("/dev/zero"), Path("/dev/null"), folder / "sub", *links]


@needs_pipes
def test_what_is_no_file_is_neither_read_nor_written(tmp_path: Path) -> None:
    for path in _odd_places(tmp_path):
        before = path.lstat().st_mode
        with pytest.raises(OSError, match="no file"):
            read_file(path)
        with pytest.raises(OSError, match="no file"):
            check_output(path)
        with pytest.raises(OSError, match="no file"):
            replace_file(path, b"x")
        with pytest.raises(FileExistsError):
            write_new(path, b"x")
        assert path.lstat().st_mode == before


def test_no_more_is_read_than_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_file(tmp_path / "a") == b"12345"
    assert read_file(tmp_path / "a", 3) == b"1234"
    with pytest.raises(OSError, match="name"):
        read_file(Path("a\0b"))


def test_a_link_to_a_file_stays_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "report.html", tmp_path / "link.html"
    target.write_text("old")
    link.symlink_to(target)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    with pytest.raises(FileExistsError):
        write_new(link, b"x")
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        write_new(link, b"x")


@pytest.mark.parametrize("write", [replace_file, write_new])
def test_a_full_disk_leaves_nothing_and_the_next_try_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object
) -> None:
    assert callable(write)

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "fsync_path", full)
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "a", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_place_of_an_output_is_checked_before_it_is_made(tmp_path: Path) -> None:
    check_output(tmp_path / "new" / "folder" / "a.html")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        check_output(tmp_path / "file" / "a.html")
    with pytest.raises(OSError, match="name"):
        check_output(Path("a\0b"))


def test_an_unknown_user_is_a_name_like_others() -> None:
    assert expanded("~nobody-of-this-name/a") == Path("~nobody-of-this-name/a")
    assert expanded("~") == Path.home()


def test_a_folder_that_changes_meanwhile_has_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stays").write_bytes(b"12345")
    gone = tmp_path / "gone"
    gone.mkdir()
    (gone / "file").write_bytes(b"123")
    assert folder_bytes(tmp_path) == 8
    scandir = os.scandir

    def removing(path: str | Path | int) -> object:
        """List a folder that another process removes just before, as pip does with its own."""
        if not isinstance(path, int) and Path(path) == gone and gone.exists():
            shutil.rmtree(gone)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", removing)
    assert folder_bytes(tmp_path) == 5
    assert not gone.exists()
    assert folder_bytes(gone) == 0
