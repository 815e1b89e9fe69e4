"""One adapter on disk: reading it, checking it, and checking that a base fits it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from playground.adapters.contents import CARD_FILE, CONFIG_FILE, check_folder, read_manifest
from playground.adapters.manifest import AdapterManifest, check_name
from playground.errors import AdapterError


@dataclass(frozen=True, slots=True)
class StoredAdapter:
    """A complete adapter on disk. ``folder`` is what PEFT loads; ``shipped`` ones cannot be deleted."""

    folder: Path
    manifest: AdapterManifest
    shipped: bool = False

    @property
    def name(self) -> str:
        """The name it is asked for by."""
        return self.manifest.name

    @property
    def identity(self) -> str:
        """What a run records: "name@first8" of the hash over its files."""
        return self.manifest.identity

    @property
    def config_path(self) -> Path:
        """PEFT's configuration."""
        return self.folder / CONFIG_FILE

    @property
    def card_path(self) -> Path | None:
        """The model card; show it as plain text, as it may be a stranger's."""
        return self.folder / CARD_FILE if CARD_FILE in self.manifest.files else None


def read_stored(folder: Path, *, shipped: bool) -> StoredAdapter:
    """Read an adapter's manifest and check its files by hash, those that changed since the last look only.

    Raises:
        AdapterError: it is incomplete or damaged; the message says what to do.
    """
    try:
        check_name(folder.name)
        # A copied folder goes by its own name.
        manifest = replace(read_manifest(folder), name=folder.name)
        check_folder(folder, manifest)
    except (AdapterError, OSError) as error:
        raise AdapterError(broken_sentence(folder, error, shipped=shipped)) from error
    return StoredAdapter(folder, manifest, shipped)


def verify(stored: StoredAdapter) -> None:
    """Read every file again and compare its hash; call it before an adapter is loaded.

    Raises:
        AdapterError: a file is missing, changed or not listed.
    """
    try:
        check_folder(stored.folder, stored.manifest, fresh=True)
    except (AdapterError, OSError) as error:
        raise AdapterError(broken_sentence(stored.folder, error, shipped=stored.shipped)) from error


def check_base(manifest: AdapterManifest, base_id: str, base_sha256: str) -> None:
    """Check that the base at hand is the one that the adapter was trained on.

    The hash of the weights decides: the same weights under another name or folder are the same base.

    Raises:
        AdapterError: it is another base; the message names both.
    """
    if manifest.base_sha256 != base_sha256.lower():
        raise AdapterError(
            f"The adapter {manifest.name!r} was trained on {manifest.base_id} (SHA-256 {manifest.base_sha256[:12]}…), "
            f"but the base at hand is {base_id} (SHA-256 {base_sha256[:12]}…). Choose the adapter's own base, or train "
            "an adapter on this one."
        )


def broken_sentence(folder: Path, error: Exception, *, shipped: bool) -> str:
    """Return why the adapter in ``folder`` is not used, and what to do."""
    reason = f"It cannot be read ({error.strerror or error})." if isinstance(error, OSError) else str(error)
    remedy = "Restore it from the project's repository." if shipped else "Delete it, then train or import it again."
    return f"The adapter {folder.name[:80]!r} in {folder.parent} is not used. {reason} {remedy}"
