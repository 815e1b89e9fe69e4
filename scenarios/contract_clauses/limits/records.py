"""The experiments that train the contract flagger, as the project knows them. Nothing heavy is imported here."""

from __future__ import annotations

from playground.limits.experiment import Experiment, ExperimentFunctions, Size


def _garbage_in() -> ExperimentFunctions:
    from scenarios.contract_clauses.limits.garbage_in import functions

    return functions()


def _continuous_tuning() -> ExperimentFunctions:
    from scenarios.contract_clauses.limits.continuous_tuning import functions

    return functions()


EXPERIMENTS = (
    Experiment(
        name="garbage-in",
        title="Garbage in, garbage out",
        claim="A fine-tuned model is as good as its training data: wrong labels make wrong answers.",
        method="The labels of 0, 10, 20 and 40 % of the training clauses are made wrong: replaced by another label at "
        "random, or by the wrong label that the model takes the clause for most readily. Then the flagger's head is "
        "trained: a logistic regression for each label on the frozen encoder, not LoRA, so that a hundred trainings "
        "share one reading of the clauses. A third line drops, before the training, the clauses whose label confident "
        "learning doubts. Judged on clauses of other contracts, whose labels are right; the contracts are the "
        "project's own invented ones.",
        source="Confident learning: Northcutt, Jiang and Chuang, 2021 (JAIR 70), on out-of-fold probabilities.",
        rule="It shows where with 40 % of wrong labels every seed is below every seed with right ones, for both ways "
        "of being wrong; in part where it is so for one of them.",
        live=Size(1, ("right labels", "random, 20 %", "random, 40 %", "random and cleaned, 40 %")),
        full=Size(3),
        live_takes_s=45,
        load=_garbage_in,
        examples_are="seeds",
        needs_model=False,
    ),
    Experiment(
        name="continuous-tuning",
        title="Continuous fine-tuning",
        claim="A tuned model can go on learning from the corrections that its users make.",
        method="The flagger's head learned from the project's clauses of contracts. In five rounds it judges clauses "
        "as people type them; those that it judges wrongly come back corrected, and its training goes on: with the "
        "clauses of before replayed beside the corrections, on the corrections of the round alone, or without any, "
        "with as many steps. Judged on other contracts of the old kind, and on typed clauses that were kept aside. A "
        "gate says of every head whether it may replace the first one. The head is a logistic regression a label on "
        "the frozen encoder, not LoRA.",
        source="Experience replay: Rolnick et al., 2019, Experience Replay for Continual Learning (arXiv 1811.11682).",
        rule="It shows where after the last round with replay every seed is better on typed clauses and none lost more "
        "than 2 points on the old contracts; in part where only the first holds.",
        live=Size(1),
        full=Size(5),
        live_takes_s=40,
        load=_continuous_tuning,
        examples_are="seeds",
        needs_model=False,
    ),
)
