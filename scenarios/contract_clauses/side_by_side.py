"""Scenario B, one pair of a clause and a label at a time: the gold, and what each technique judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.comparison.examples import ShownAnswer, ShownExample, facts_line, kept_messages
from playground.comparison.outcomes import TechniqueRows
from playground.measuring.runs import RunInfo
from playground.types import RunRecord
from scenarios.contract_clauses.compared import own_contracts_by_title
from scenarios.contract_clauses.figures import MeasuredRows, judged_pairs
from scenarios.contract_clauses.measured_contracts import LABELS, MeasuredContract

_NO_PROMPT_KEPT = "judged without a prompt"
_NEITHER = "the reply says neither yes nor no"


def shown_examples(ids: Sequence[str], info: RunInfo) -> dict[str, ShownExample]:
    """Return the pairs with these ids (contract, clause and label, by line)."""
    contracts = own_contracts_by_title(info)
    return {name: _shown(name, contracts) for name in ids}


def _shown(name: str, contracts: Mapping[str, MeasuredContract]) -> ShownExample:
    title, clause, label = _parts(name)
    contract = contracts.get(title)
    if contract is None or label not in range(len(LABELS)) or clause not in range(len(contract.clauses)):
        return ShownExample(name, name.replace("\n", ", "), "", "not known here")
    gold = bool(contract.gold[clause, label])
    one = contract.clauses[clause]
    return ShownExample(
        id=name,
        title=f"Does this clause carry “{LABELS[label]}”?",
        where=f"{title}, clause {clause + 1}" + (f": {one.heading}" if one.heading else ""),
        expected="yes" if gold else "no",
        text=one.text,
    )


def shown_answers(group: TechniqueRows, ids: Sequence[str], info: RunInfo) -> dict[str, ShownAnswer]:
    """Return what a technique judged of the pairs with these ids."""
    contracts = own_contracts_by_title(info)
    wanted: dict[str, list[tuple[int, int]]] = {}
    for name in ids:
        title, clause, label = _parts(name)
        if title in contracts:
            wanted.setdefault(title, []).append((clause, label))
    rows = [row for row in group.records if row.example_id in wanted]
    of_rows = [contracts[row.example_id] for row in rows]
    measured = MeasuredRows(group.strategy, group.model_id, group.adapter, tuple(rows))
    found = {}
    for one in judged_pairs(measured, of_rows, [wanted[row.example_id] for row in rows]):
        row = rows[one.contract]
        asked = _asked(row, one.clause, one.label)
        reply = str(asked.get("reply") or "") if asked else ""
        unreadable = row.error is None and asked is not None and asked.get("score") is None
        # What counts for a pair without an answer is the opposite of what is right, and nothing that the model said.
        is_answer = row.error is None and not unreadable and (asked is not None or not measured.prompted)
        said = f"{'yes' if one.flagged else 'no'} (score {one.score:.2f})" if is_answer else ""
        found[f"{row.example_id}\n{one.clause}\n{one.label}"] = ShownAnswer(
            answer="\n\n".join(filter(None, (said, reply))),
            right=one.flagged == one.gold and is_answer,
            facts=_facts(row, asked),
            messages=kept_messages(asked.get("messages")) if asked else (),
            error=row.error or (_NEITHER if unreadable else ""),
            unreadable=unreadable,
        )
    return found


def _asked(row: RunRecord, clause: int, label: int) -> Mapping[str, object] | None:
    asked = row.prediction.detail.get("asked") if row.prediction else None
    if not isinstance(asked, list):
        return None
    return next(
        (
            pair
            for pair in asked
            if isinstance(pair, Mapping) and (pair.get("clause"), pair.get("label")) == (clause, label)
        ),
        None,
    )


def _facts(row: RunRecord, asked: Mapping[str, object] | None) -> str:
    if row.prediction is None:
        return ""
    usage = row.prediction.usage
    whole = facts_line(
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        first_token_s=None,
        total_s=row.prediction.timings.get("total_s"),
    )
    first = asked.get("first_token_s") if asked else None
    of_pair = facts_line(
        input_tokens=None,
        output_tokens=None,
        first_token_s=first if isinstance(first, float) else None,
        total_s=None,
    )
    words = [of_pair, f"whole contract: {whole}" if whole else _NO_PROMPT_KEPT]
    return " · ".join(filter(None, words))


def _parts(name: str) -> tuple[str, int, int]:
    title, _, rest = name.partition("\n")
    clause, _, label = rest.partition("\n")
    is_place = clause.isdecimal() and label.isdecimal()
    return title, int(clause) if is_place else -1, int(label) if is_place else -1
