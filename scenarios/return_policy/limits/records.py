"""The experiments that ask the return-policy bot, as the project knows them. Nothing heavy is imported here."""

from __future__ import annotations

from playground.limits.experiment import Experiment, ExperimentFunctions, Size


def _token_limit() -> ExperimentFunctions:
    from scenarios.return_policy.limits.token_limit import functions

    return functions()


def _lost_in_the_middle() -> ExperimentFunctions:
    from scenarios.return_policy.limits.lost_in_the_middle import functions

    return functions()


def _fragile_prompts() -> ExperimentFunctions:
    from scenarios.return_policy.limits.fragile_prompts import functions

    return functions()


def _shorter_prompts() -> ExperimentFunctions:
    from scenarios.return_policy.limits.shorter_prompts import functions

    return functions()


_KEPT_ASIDE = "The questions are about five shops by which nothing in this project was chosen."


def _stale_facts() -> ExperimentFunctions:
    from scenarios.return_policy.limits.stale_facts import functions

    return functions()


def _model_size() -> ExperimentFunctions:
    from scenarios.return_policy.limits.model_size import functions

    return functions()


def _edge() -> ExperimentFunctions:
    from scenarios.return_policy.limits.edge import functions

    return functions()


EXPERIMENTS = (
    Experiment(
        name="token-limit",
        title="Token limit",
        claim="Prompting is limited by the context window: what does not fit into it cannot be used.",
        method="A return policy is padded with clauses of contracts, true and foreign, to 25, 50, 100 and 150 % of the "
        "tokens that the model can read; its own sections stay in order, spread evenly. The same questions are asked "
        "with the whole text in the prompt, which is cut where it does not fit, and with RAG over the same text. "
        f"{_KEPT_ASIDE}",
        source="After the article's limit; the padding follows the needle-in-a-haystack test (Kamradt, 2023).",
        rule="It shows where the whole text is answered worse at its greatest length than at its smallest, and RAG is "
        "not (McNemar, p below 0.05 after Holm).",
        live=Size(6, ("whole text, 25 %", "whole text, 150 %", "RAG, 150 %")),
        full=Size(60),
        live_takes_s=75,
        load=_token_limit,
        in_turns=False,
    ),
    Experiment(
        name="lost-in-the-middle",
        title="Lost in the middle",
        claim="Models use what stands at the beginning and at the end of a long context better than what stands in "
        "its middle.",
        method="Five sections of a policy are in the prompt: the one that has the answer, and the four best others "
        "that retrieval finds beside it. Only the place of the one with the answer changes. All questions have an "
        f"answer in one sentence. {_KEPT_ASIDE}",
        source="Liu et al., 2023, Lost in the Middle: How Language Models Use Long Contexts (arXiv 2307.03172).",
        rule="It shows where both ends are better than the worst place between them; in part where any two places "
        "differ (McNemar, p below 0.05 after Holm).",
        live=Size(14, ("reader, place 1", "reader, place 3", "reader, place 5")),
        full=Size(110),
        live_takes_s=60,
        load=_lost_in_the_middle,
    ),
    Experiment(
        name="fragile-prompts",
        title="Fragile prompts",
        claim="Small changes to a prompt that mean nothing to a person can change the answer.",
        method="Ten prompts that mean the same: the bot's own, four formats (names, separators and order of the "
        "fields) and five wordings of the system prompt. Question and passage stay the same; the model answers once "
        f"as it is and once through the LoRA adapter that learned to read passages. {_KEPT_ASIDE}",
        source="FormatSpread: Sclar et al., 2023, Quantifying Language Models' Sensitivity to Spurious Features in "
        "Prompt Design (arXiv 2310.11324).",
        rule="It shows where the best wording is at least 5 points above the worst (McNemar, p below 0.05) and at "
        "least 20 % of the questions are right in one wording and wrong in another; in part where one of "
        "the two holds.",
        live=Size(
            10,
            tuple(
                f"{kind}, {wording}"
                for kind in ("prompted", "reader")
                for wording in ("the bot's own", "capitals", "question first", "short")
            ),
        ),
        full=Size(60),
        live_takes_s=60,
        load=_fragile_prompts,
    ),
    Experiment(
        name="shorter-prompts",
        title="Shorter prompts cost less",
        claim="A fine-tuned model needs a shorter prompt, so every request costs less.",
        method="The same questions with system prompt, passages and worked examples, and by the tuned model with a "
        "bare prompt and one passage: tokens in the prompt, seconds from question to answer, right answers. The "
        "recorded rows are those of the comparison, on the project's own questions.",
        source="The article's row 'inference cost'.",
        rule="It shows where the tuned model takes fewer tokens and less time than the best prompt and does not answer "
        "fewer questions right (McNemar, p below 0.05 after Holm); in part where it takes less of one.",
        live=Size(8, ("rag+few-shot", "rag", "rag+lora")),
        full=Size(60),
        live_takes_s=40,
        load=_shorter_prompts,
        recorded=("return_policy-techniques",),
        compares_times=True,
    ),
    Experiment(
        name="stale-facts",
        title="Stale facts",
        claim="What a model has learnt by fine-tuning grows stale when the facts change; a prompt that holds the new "
        "text is right at once.",
        method="Questions about the facts that version 2 of the NorthTrail policy changed. Each technique answers from "
        "version 1, and its answers are judged by version 1 and, for right after the change nothing of it has changed "
        "yet, by version 2; then again with version 2. Closed-book LoRA knows the policy only from its training.",
        source="The article's 'best for' row; measured by scripts/measure_stale_facts.py.",
        rule="It shows where the technique that reads the new policy answers more of the changed facts right than the "
        "model trained on the old one (McNemar, p below 0.05 after Holm); in part where reading the new policy is only "
        "better than the same technique right after the change.",
        live=Size(
            8,
            (
                "rag, old policy",
                "rag, new policy",
                "rag+lora, old policy",
                "rag+lora, new policy",
                "closed-book-lora, old policy",
            ),
        ),
        full=Size(30),
        live_takes_s=60,
        load=_stale_facts,
    ),
    Experiment(
        name="model-size",
        title="Size of the model",
        claim="A larger model needs less help: prompting alone gets further with it, and a small model that was tuned "
        "for the task can keep up with it.",
        method="The same questions without the policy's text, with RAG, with RAG and worked examples, and with RAG and "
        "the LoRA adapter that reads, on each bundled model that answers. The questions are the project's own, those "
        "of the comparison. One size is measured at a time: choose the model and measure; recorded sizes stand beside "
        "it.",
        source="The article's trend towards small specialised models.",
        rule="It shows where the best prompt on the largest model beats the best prompt on the smallest, and from some "
        "size on it is not shown to be worse than the smallest model with LoRA (McNemar, p below 0.05 after Holm); in "
        "part where one of the two holds.",
        live=Size(6, ("no-text", "rag")),
        full=Size(60),
        live_takes_s=60,
        load=_model_size,
        recorded=("return_policy-techniques", "limits/model-size"),
        beside_recorded=True,
    ),
    Experiment(
        name="edge",
        title="Small models at the edge",
        claim="Small models that were tuned for one task run at the edge: on a laptop, without a network.",
        method="The bundled model answers on this machine: by prompting, with the LoRA adapter that reads beside it, "
        "and with the adapter merged into one GGUF file (adapters export --format merged), which other programs open "
        f"too. Its size, its answers and its seconds are compared. {_KEPT_ASIDE}",
        source="Merging: Hu et al., 2021, LoRA (arXiv 2106.09685), section 4.1.",
        rule="It shows where the merged file answers no fewer questions right than base and adapter apart, and more "
        "than the prompted base (McNemar, p below 0.05 after Holm); in part where one of the two holds.",
        live=Size(8),
        full=Size(60),
        live_takes_s=45,
        load=_edge,
    ),
)
