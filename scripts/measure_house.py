"""Count the rooms of the house, the arrows between them, the circles, and name the longest modules.

python scripts/measure_house.py                      (this checkout)
python scripts/measure_house.py --checkout FOLDER    (another one, say an older commit: git worktree add FOLDER COMMIT)

A room is what stands right under ``playground``, ``scenarios`` or at the top: a folder, or a file that stands loose. An
arrow is one room that imports another. A circle is a group of files that import each other in a loop.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]  # nothing of the project is imported: another checkout may be asked about
PACKAGES = ("playground", "scenarios")


def main() -> None:
    """Print the figures of a checkout as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, default=ROOT, metavar="FOLDER", help="default: this one")
    print(json.dumps(figures(parser.parse_args().checkout.resolve()), indent=2))


def figures(checkout: Path) -> dict[str, object]:
    """Return rooms, arrows, circles and the longest modules of the code in ``checkout``."""
    import grimp

    sys.path[:0] = [str(checkout / "src"), str(checkout)]
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    arrows = {(room(a), room(b)) for a, found in imports.items() for b in found if room(a) != room(b)}
    lengths = {
        str(path.relative_to(checkout)): len(path.read_text(encoding="utf-8").splitlines())
        for package in (checkout / "src" / "playground", checkout / "scenarios")
        for path in package.rglob("*.py")
    }
    longest = sorted(lengths, key=lambda name: -lengths[name])[:3]
    return {
        "rooms": len({room(module) for module in graph.modules} - set(PACKAGES)),
        "files": len(lengths),
        "most_files_in_a_folder": max(_counted(str(Path(name).parent) for name in lengths).values()),
        "arrows_between_rooms": len(arrows),
        "arrows_between_files": sum(len(found) for found in imports.values()),
        "circles": [sorted(circle) for circle in circles(imports)],
        "longest": {name: lengths[name] for name in longest},
    }


def room(module: str) -> str:
    """Return the room of a dotted module name: its first two parts."""
    return ".".join(module.split(".")[:2])


def circles(imports: Mapping[str, Iterable[str]]) -> Iterator[set[str]]:
    """Yield each group of modules that reach each other along ``imports``; a package and what it hands on is none."""
    import numpy as np
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    names = sorted(imports)
    place = {name: number for number, name in enumerate(names)}
    pairs = [(place[a], place[b]) for a in names for b in imports[a]]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    matrix = csr_matrix((np.ones(len(pairs)), (rows, columns)), shape=(len(names), len(names)))
    _count, group = connected_components(matrix, connection="strong")
    for number in np.unique(group):
        members = {names[i] for i in np.flatnonzero(group == number)}
        if len(members) > 1:
            yield members


def _counted(names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


if __name__ == "__main__":
    main()
