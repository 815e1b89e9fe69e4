"""Training and test clauses from different contracts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from playground.errors import AnnotationError
from playground.types import AnnotatedClause

_ALL = ""
"""Key of the number of clauses among the numbers of each label."""


def split_by_contract(
    examples: Sequence[AnnotatedClause], test_share: float, seed: int
) -> tuple[tuple[AnnotatedClause, ...], tuple[AnnotatedClause, ...]]:
    """Split clauses into train and test so that no contract is in both.

    Iterative stratification (Sechidis, Tsoumakas, Vlahavas, "On the Stratification of Multi-label Data", ECML PKDD
    2011), of contracts instead of examples: from the rarest label on, each contract with it goes where most of the
    label is still wanted. A label that two contracts have is on both sides unless a rarer label has decided otherwise,
    first on the side of training. Depends on the seed and the clauses, not on their order; the order is kept.

    Raises:
        AnnotationError: fewer than two contracts.
        ValueError: ``test_share`` is not between 0 and 1.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"test_share is {test_share}; it must be between 0 and 1.")
    counts: dict[str, Counter[str]] = {}
    for example in examples:
        counts.setdefault(example.contract, Counter()).update({_ALL, *example.labels})
    if len(counts) < 2:
        raise AnnotationError(
            "All clauses are of one contract, so none can be kept aside for testing. Add clauses of another contract."
        )
    test = _choose(counts, test_share, seed)
    return (
        tuple(example for example in examples if example.contract not in test),
        tuple(example for example in examples if example.contract in test),
    )


def _choose(counts: dict[str, Counter[str]], test_share: float, seed: int) -> set[str]:
    """Return the contracts of the test side; both sides have at least one."""
    # A hash instead of a shuffle: the draw does not depend on the order in which the contracts came.
    draw = {contract: hashlib.sha256(f"{seed}:{contract}".encode()).digest() for contract in counts}
    total: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
        spread.update(count.keys())
    shares = (1 - test_share, test_share)
    have: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    sides: tuple[set[str], set[str]] = (set(), set())
    free = set(counts)

    def lack(side: int, key: str) -> float:
        """Share of what the side should have of ``key`` that it has not yet; negative when it has more."""
        return 1 - have[side][key] / (total[key] * shares[side])

    for label in sorted(total, key=lambda key: (key == _ALL, spread[key], key)):
        # Those with many first: small ones then even out the difference.
        for contract in sorted(
            (contract for contract in free if counts[contract][label]),
            key=lambda contract: (-counts[contract][label], draw[contract]),
        ):
            if not have[0][label]:
                side = 0
            elif not have[1][label]:
                side = 1
            else:
                side = int(lack(1, label) + lack(1, _ALL) > lack(0, label) + lack(0, _ALL))
            sides[side].add(contract)
            have[side].update(counts[contract])
            free.discard(contract)
    if not sides[1]:
        sides[1].add(min(sides[0], key=lambda contract: (counts[contract][_ALL], draw[contract])))
    return sides[1]
