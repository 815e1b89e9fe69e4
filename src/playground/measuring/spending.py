"""What the calls of a run cost, counted as they are made, and a cap that is checked before each of them."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

from playground.errors import EvaluationError, SpendingCapError
from playground.pricing import describe_cost
from playground.types import ChatModel, Completion, Message, OnToken, Usage

# Without the endpoint's tokenizer the tokens of a prompt are an estimate, which is meant to be high but need not be.
_ESTIMATE_MARGIN = 1.25


class Spending:
    """The account of a run. Every model that may cost something is ``metered`` before a strategy gets it.

    Of several calls at once, each counts with the most that it may cost until it is over.
    """

    def __init__(self) -> None:
        self.spent_usd = 0.0
        self._under_way_usd = 0.0
        self._account = threading.Lock()
        self._max_cost_usd: float | None = None
        self._models: list[ChatModel] = []

    @property
    def has_models(self) -> bool:
        """Whether there is a model that may cost something."""
        return bool(self._models)

    def metered(self, model: ChatModel) -> ChatModel:
        """Return ``model`` with every call counted; one on this machine costs nothing and is returned as it is."""
        if model.cost_usd(None) == 0.0:
            return model
        self._models.append(model)
        return _MeteredModel(model, self)

    def limit(self, max_cost_usd: float | None, *, spent_usd: float = 0.0) -> None:
        """Set the cap (None: none) and what was spent of it already.

        Raises:
            EvaluationError: the cap is not a positive number, or the price of a metered model is not known.
        """
        if max_cost_usd is not None:
            if not math.isfinite(max_cost_usd) or max_cost_usd <= 0:
                raise EvaluationError(f"A spending cap of {max_cost_usd} USD cannot be kept. Give more than 0.")
            for model in self._models:
                if model.cost_usd(Usage(1, 1)) is None:
                    raise EvaluationError(
                        f"The price of {model.model_id} at its endpoint is not known, so a spending cap cannot be "
                        "kept. Run without one, or use a model whose price is in the list."
                    )
        self._max_cost_usd = max_cost_usd
        self.spent_usd = spent_usd

    def reserve(self, bound_usd: float | None) -> None:
        """Refuse a call that may cost up to ``bound_usd`` when it could exceed the cap; else set that aside for it.

        Raises:
            SpendingCapError: it could, or its bound is not known.
        """
        with self._account:
            committed = self.spent_usd + self._under_way_usd
            if self._max_cost_usd is not None and (bound_usd is None or committed + bound_usd > self._max_cost_usd):
                raise SpendingCapError(
                    f"The spending cap of {describe_cost(self._max_cost_usd)} stops this run: "
                    f"{describe_cost(committed)} was spent, and the next call may cost up to "
                    f"{describe_cost(bound_usd)}. The finished rows are kept; raise the cap to go on."
                )
            self._under_way_usd += bound_usd or 0.0

    def spend(self, cost_usd: float | None, bound_usd: float | None) -> None:
        """Count what a call cost for which ``bound_usd`` was set aside."""
        with self._account:
            self._under_way_usd -= bound_usd or 0.0
            self.spent_usd += cost_usd or 0.0


class _MeteredModel:
    """A chat model whose calls are checked against the cap before, and counted after."""

    def __init__(self, model: ChatModel, spending: Spending) -> None:
        self._model, self._spending = model, spending

    @property
    def model_id(self) -> str:
        return self._model.model_id

    @property
    def context_limit(self) -> int:
        return self._model.context_limit

    def count_tokens(self, text: str) -> int:
        return self._model.count_tokens(text)

    def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
        return self._model.count_prompt_tokens(messages)

    def cost_usd(self, usage: Usage | None) -> float | None:
        return self._model.cost_usd(usage)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        on_token: OnToken | None = None,
        adapter: str | None = None,
    ) -> Completion:
        """Complete the conversation unless that could exceed the cap.

        A call that failed, or whose usage was not reported, counts with its upper bound: it may have been billed.
        """
        tokens = math.ceil(self._model.count_prompt_tokens(messages) * _ESTIMATE_MARGIN)
        bound_usd = self._model.cost_usd(Usage(tokens, max_tokens))
        self._spending.reserve(bound_usd)
        cost_usd = bound_usd
        try:
            completion = self._model.complete(
                messages,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                on_token=on_token,
                adapter=adapter,
            )
            if completion.usage is not None:
                cost_usd = self._model.cost_usd(completion.usage)
        finally:
            self._spending.spend(cost_usd, bound_usd)
        return completion
