"""A scenario of three sums, as small as one can be: what a newcomer brings, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from playground.comparison.defaults import plain_compared
from playground.comparison.scenario import ComparedScenario, Scenario, ScenarioFunctions
from playground.comparison.techniques import Technique
from playground.errors import EvaluationError
from playground.measuring.evaluation import EvaluationPlan, sample_examples
from playground.measuring.request import MeasuringRequest
from playground.measuring.runs import RunInfo
from playground.types import ChatModel, Embedder, Example, Message, Prediction

EXAMPLES = tuple(Example(f"sum-{a}-{b}", f"{a} + {b}", str(a + b)) for a, b in ((1, 1), (2, 3), (40, 2)))


def prepare(
    request: MeasuringRequest, *, load_model: Callable[[], ChatModel], load_embedder: Callable[[], Embedder]
) -> EvaluationPlan:
    if unknown := [name for name in request.strategies if name not in ("ask", "guess")]:
        raise EvaluationError(f"There is no strategy {unknown[0]!r}. Use one of: ask, guess.")
    model = load_model()

    def ask(example: Example) -> Prediction:
        completion = model.complete([Message("user", f"What is {example.input}?")], seed=request.seed)
        return Prediction(completion.text, completion.usage, {"total_s": 0.5})

    def guess(_example: Example) -> Prediction:
        return Prediction("2", None, {"total_s": 0.25})

    count = len(EXAMPLES) if request.limit is None else min(request.limit, len(EXAMPLES))
    return EvaluationPlan(
        scenario=SCENARIO.name,
        model_id=model.model_id,
        seed=request.seed,
        strategies={name: {"ask": ask, "guess": guess}[name] for name in request.strategies},
        examples=sample_examples(list(EXAMPLES), count, seed=request.seed, stratum=lambda _example: 0),
        metrics={"right": lambda prediction, example: float(prediction.output == example.target)},
        failed_cost_usd=0.0,
    )


def compared(_info: RunInfo, _file: object) -> ComparedScenario:
    return plain_compared(SCENARIO, "sum")


SCENARIO = Scenario(
    name="tiny_sums",
    title="Tiny sums",
    techniques=(
        Technique("ask", "Ask the model", "#366797", "circle", "prompting"),
        Technique("guess", "Always say 2", "#bf8b03", "square", chat_model="none"),
    ),
    load=lambda: ScenarioFunctions(prepare=prepare, compared=compared, example_count=lambda: len(EXAMPLES)),
    examples_are="sums",
)


def answer(question: str) -> str:
    """Stands for a model that can add small numbers."""
    return {"What is 1 + 1?": "2", "What is 2 + 3?": "5"}.get(question, "I cannot count so far.")
