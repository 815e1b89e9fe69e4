"""What the installed packages are: their licences, what is known against them, and a list of them all (SBOM).

    python -m scripts.check_packages licences           each licence is one of allowed_licences.toml
    python -m scripts.check_packages advisories         no locked package has an advisory that is not accepted
    python -m scripts.check_packages refresh all.zip    takes over the advisories of osv.dev's download for PyPI
    python -m scripts.check_packages sbom FILE          writes a CycloneDX list of requirements.lock

None of them needs the network. Exit code 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from playground.paths import ROOT

LOCK = ROOT / "requirements.lock"
FOLDER = ROOT / "docs" / "packages"
LICENCES = FOLDER / "allowed_licences.toml"
ADVISORIES = FOLDER / "advisories.json"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_JOINED = re.compile(r"\s+(?:AND|OR)\s+|[()]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("licences")
    commands.add_parser("advisories")
    commands.add_parser("refresh").add_argument("download", type=Path)
    commands.add_parser("sbom").add_argument("out", type=Path)
    given = parser.parse_args(arguments)
    if given.command == "sbom":
        return _write_sbom(given.out)
    if given.command == "refresh":
        return _refresh(given.download)
    problems = licence_problems() if given.command == "licences" else advisory_problems()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def locked() -> dict[str, str]:
    """Return version by name of everything that requirements.lock installs."""
    return {_name(name): version for name, version in _PIN.findall(LOCK.read_text(encoding="utf-8"))}


def licence_problems() -> list[str]:
    """Return a sentence for each package that has a licence which is not allowed, or none; print how many were seen."""
    rules = tomllib.loads(LICENCES.read_text(encoding="utf-8"))
    problems, seen = [], 0
    for name in locked():
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            if not any(fnmatchcase(name, pattern) for pattern in rules["elsewhere"]["packages"]):
                problems.append(f"{name} is locked and not installed: install it, or name it as elsewhere.")
            continue
        seen += 1
        stated = rules["read"].get(name) or stated_licence(metadata)
        wrong = refused_licences(stated, rules)
        if wrong:
            problems.append(f"{name}: {', '.join(wrong)} is not among the allowed licences of {LICENCES.name}.")
    print(f"{seen} installed packages of requirements.lock looked at; {len(problems)} with a licence to look into.")
    return problems


def stated_licence(metadata: Any) -> str:
    """Return what a package says of its licence: the expression, else the classifiers, else the free text's begin."""
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [str(line) for line in metadata.get_all("Classifier") or () if str(line).startswith("License ::")]
    named = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.count(" :: ") > 1]
    return "; ".join(named) or str(metadata.get("License") or "").strip().split("\n", 1)[0]


def refused_licences(stated: str, rules: Mapping[str, Any]) -> list[str]:
    """Return the parts of a licence expression that are not allowed; "no licence" where it is empty."""
    parts = []
    for named in filter(None, stated.split("; ")):
        parts += [rules["means"][named]] if named in rules["means"] else _JOINED.split(named)
    parts = [part.strip() for part in parts if part.strip()]
    return [part for part in parts if part not in rules["allowed"]] if parts else ["no licence"]


@dataclass(frozen=True, slots=True)
class Hit:
    """An advisory that affects a locked package."""

    name: str
    version: str
    advisory: Mapping[str, Any]


def advisory_problems() -> list[str]:
    """Return a sentence for each advisory that affects the lock and is not accepted; print how old the list is."""
    read = json.loads(ADVISORIES.read_text(encoding="utf-8"))
    accepted: Mapping[str, str] = read["accepted"]
    found = list(hits(locked(), read["advisories"]))
    problems = []
    for hit in found:
        names = {hit.advisory["id"], *hit.advisory.get("aliases", ())}
        if not names & accepted.keys():
            sources = ", ".join(reference["url"] for reference in hit.advisory.get("references", [])[:1])
            problems.append(
                f"{hit.name} {hit.version}: {hit.advisory['id']} ({hit.advisory.get('summary', '')}). {sources}"
            )
    left = len(found) - len(problems)
    print(
        f"{len(read['advisories'])} advisories as of {read['read_on']}; {len(found)} affect requirements.lock, "
        f"{left} of them are accepted with a reason."
    )
    return problems


def hits(packages: Mapping[str, str], advisories: Sequence[Mapping[str, Any]]) -> Iterator[Hit]:
    """Yield the advisories (OSV) that affect one of ``packages``, version by name."""
    for advisory in advisories:
        for affected in advisory.get("affected", ()):
            name = _name(str(affected["package"]["name"]))
            is_ours = affected["package"].get("ecosystem") == "PyPI" and name in packages
            if is_ours and _is_affected(packages[name], affected):
                yield Hit(name, packages[name], advisory)
                break


def _is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    """Whether a version is in an OSV ``affected`` entry: listed, or within the events of a range."""
    if version in affected.get("versions", ()):
        return True
    at = Version(version)
    for span in affected.get("ranges", ()):
        if span.get("type") != "ECOSYSTEM":
            continue
        inside = False
        for event in sorted(span["events"], key=lambda event: _place(next(iter(event.values())))):
            if "introduced" in event and at >= _place(event["introduced"]):
                inside = True
            if ("fixed" in event and at >= _place(event["fixed"])) or (
                "last_affected" in event and at > _place(event["last_affected"])
            ):
                inside = False
        if inside:
            return True
    return False


def _place(version: str) -> Version:
    return Version("0.dev0") if version == "0" else Version(version)


def _refresh(download: Path) -> int:
    """Replace the advisories by those of a download that name a locked package; accepted ones stay accepted."""
    read = json.loads(ADVISORIES.read_text(encoding="utf-8"))
    packages = locked()
    kept = []
    with zipfile.ZipFile(download) as archive:
        for name in archive.namelist():
            advisory = json.loads(archive.read(name))
            try:
                if not advisory.get("withdrawn") and any(hits(packages, [advisory])):
                    fields = ("id", "aliases", "summary", "affected", "references")
                    kept.append({field: advisory[field] for field in fields if field in advisory})
            except InvalidVersion as error:
                print(f"{name}: {error}", file=sys.stderr)
    read |= {
        "read_on": datetime.now(UTC).date().isoformat(),
        "how": "All advisories of osv.dev for PyPI that affect a version of requirements.lock.",
        "advisories": sorted(kept, key=lambda advisory: str(advisory["id"])),
    }
    ADVISORIES.write_text(json.dumps(read, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if advisory_problems() else 0


def _write_sbom(out: Path) -> int:
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(LOCK)]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--of", "JSON", "-o", str(out)]
    return subprocess.run(command, check=False).returncode


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
