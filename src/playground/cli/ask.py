"""``ask``: one question about one policy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from playground.cli import loading
from playground.cli.arguments import input_path, positive, words
from playground.cli.terminal import seconds
from playground.text.terminal import one_line, plain

if TYPE_CHECKING:
    from playground.types import Answer, Document


def add_command(commands: Any) -> None:
    """Add ``ask`` to the parser."""
    parser = commands.add_parser("ask", help="answer a question about a policy or a contract, with evidence")
    parser.add_argument(
        "question", type=words, metavar="QUESTION", help="several in one message are answered one after the other"
    )
    parser.add_argument(
        "--policy",
        type=input_path("--policy"),
        required=True,
        metavar="FILE",
        help="the document: a policy, a contract or another text (PDF, DOCX, Markdown, HTML or text)",
    )
    parser.add_argument(
        "--strategy",
        help="no-text, whole-document, rag, rag+few-shot, rag+cot or rag+lora (default: rag+lora where there is "
        "an adapter that was trained on the model, else rag)",
    )
    parser.add_argument("--adapter", metavar="NAME", help="of rag+lora (default: the active one that fits)")
    parser.add_argument(
        "--model",
        default="bundled",
        help="bundled, medium, large, endpoint, endpoint:MODEL, a Hugging Face id or a folder (default: bundled)",
    )
    parser.add_argument("--top-k", type=positive, metavar="N", help="passages in a prompt (default: 3; rag+lora: 1)")
    parser.add_argument("--system-prompt", type=words, metavar="TEXT", help="instead of the scenario's own")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Answer, print unless ``--json`` is given, and return the JSON object: of several questions, ``answers``."""
    from playground.answering.answer import checked_question
    from playground.answering.prompt import Turn
    from playground.answering.splitting import split_questions
    from playground.answering.strategy import answer_timed
    from playground.documents.injection import warned_by_meaning
    from playground.retrieval.index import RetrievalSettings, build_index
    from scenarios.return_policy import evaluation, scenario

    checked_question(arguments.question)
    retrieval = RetrievalSettings(top_k=arguments.top_k) if arguments.top_k else None
    strategy = arguments.strategy or evaluation.default_strategy(arguments.model)
    adapter = evaluation.reader_identity(strategy, arguments.adapter, arguments.model)
    settings = evaluation.bot_settings(strategy, system=arguments.system_prompt, retrieval=retrieval, adapter=adapter)
    document = loading.load_policy(arguments.policy)
    _print_notes(document.warnings)
    model, embedder = loading.load_model(arguments.model), loading.load_embedder()
    _print_notes(warned_by_meaning(document, embedder).warnings[len(document.warnings) :])
    index = build_index(document, embedder)
    questions = split_questions(arguments.question)
    answers: list[dict[str, object]] = []
    turns: list[Turn] = []
    if len(questions) > 1 and not arguments.json:
        print(f"Your message has {len(questions)} questions; each is answered by itself.")
    for question in questions:
        if len(questions) > 1 and not arguments.json:
            print(f"\n{one_line(question)}")
        answer, timings = answer_timed(
            question,
            index,
            model,
            settings,
            examples=scenario.few_shot_examples(),
            history=tuple(turns),
            on_token=None if arguments.json or settings.withhold_unsupported else _write,
        )
        if not answer.rule:
            turns.append(Turn(question, answer.text))
        answers.append(as_json(answer, timings, strategy))
        if not arguments.json:
            # What may be withheld is printed once it was checked.
            print(f"{plain(answer.text) if settings.withhold_unsupported else ''}\n")
            _print_evidence(answer, document)
            print(_stamp(answer, timings, document, strategy))
    if len(answers) == 1:
        return answers[0]
    asked = zip(questions, answers, strict=True)
    return {"answers": [{"question": question} | answer for question, answer in asked]}


def as_json(answer: Answer, timings: dict[str, float], strategy: str) -> dict[str, object]:
    """Return the object that ``--json`` prints; unknown token counts, times and costs are null."""
    from playground.answering.strategy import citation_row

    usage = answer.completion.usage
    return {
        "answer": answer.text,
        "abstained": answer.abstained,
        "withheld": answer.withheld,
        "reasoning": answer.reasoning,
        "unsupported": list(answer.unsupported),
        "worked_out": list(answer.worked_out),
        "citations": [citation_row(citation) for citation in answer.citations],
        "usage": {
            "input_tokens": usage.input_tokens if usage else None,
            "output_tokens": usage.output_tokens if usage else None,
        },
        "timings": {name: timings.get(name) for name in ("retrieve_s", "first_token_s", "total_s")},
        "cost_usd": answer.cost_usd,
        "model": answer.completion.model_id,
        "adapter": answer.completion.adapter,
        "strategy": strategy,
    }


def _print_notes(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f"note: {one_line(warning)}", file=sys.stderr)


def _write(text: str) -> None:
    sys.stdout.write(plain(text))
    sys.stdout.flush()


def _print_evidence(answer: Answer, document: Document) -> None:
    for number, citation in enumerate(answer.citations, start=1):
        place = [document.source, f"characters {citation.start}-{citation.end}"]
        if citation.page is not None:
            place.insert(1, f"page {citation.page}")
        print(f'[{number}] "{one_line(citation.text)}"')
        print(f"    {one_line(', '.join(place))}, score {citation.score:.2f}")
    if answer.withheld:
        print(f"withheld, as no passage states {one_line(', '.join(answer.unstated))}: {one_line(answer.withheld)}")
    elif answer.abstained:
        print("abstained: the answer says that it does not know")
    elif not answer.citations:
        print("no passage supports this answer")
    if answer.unsupported:
        print(f"warning: no cited passage contains {one_line(', '.join(answer.unsupported))}")
    for omission in answer.prompt.omitted:
        print(f"note: {one_line(omission)}")


def _named(adapter: str | None) -> tuple[str, ...]:
    return () if adapter is None else (f"adapter {adapter}",)


def _stamp(answer: Answer, timings: dict[str, float], document: Document, strategy: str) -> str:
    from playground.pricing import describe_cost

    usage = answer.completion.usage
    tokens = f"{usage.input_tokens} tokens in, {usage.output_tokens} out" if usage else "tokens unknown"
    parts = [
        *(
            answer.completion.model_id,
            strategy,
            *_named(answer.completion.adapter),
            f"{document.source} ({document.sha256[:8]})",
        ),
        f"retrieval {seconds(timings.get('retrieve_s'))}",
        f"first token {seconds(timings.get('first_token_s'))}",
        f"total {seconds(timings.get('total_s'))}",
        *(tokens, describe_cost(answer.cost_usd)),
    ]
    return one_line(" · ".join(parts))
