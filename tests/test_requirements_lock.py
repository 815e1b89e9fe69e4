"""The lock holds what requirements.txt pins, in the same versions, and a hash for everything."""

import re

from playground.paths import ROOT

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def _pins(name: str) -> set[tuple[str, str]]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {(re.sub(r"[-_.]+", "-", package.lower()), version) for package, version in _PIN.findall(text)}


def test_the_lock_holds_every_pin_in_its_version() -> None:
    assert _pins("requirements.txt") <= _pins("requirements.lock")


def test_every_package_of_the_lock_has_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    packages = re.split(r"^(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    named = [package for package in packages if package.strip()]
    assert len(named) > 80
    assert [package.split()[0] for package in named if "--hash=sha256:" not in package] == []
