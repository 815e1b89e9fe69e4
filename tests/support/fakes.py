"""A chat model that answers from a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playground.types import Completion, Message, OnToken, Usage

Reply = str | Exception
Script = Callable[[str], Reply]
"""Last message -> the answer, or what to raise instead."""


class FakeChatModel:
    """Answers as ``script`` says, a token a word; ``questions`` keeps the last message of each request."""

    def __init__(
        self,
        script: Script,
        *,
        price_usd: float | None = 0.0,
        usage: bool = True,
        model_id: str = "fake-model",
        context_limit: int = 4096,
    ) -> None:
        self.script = script
        self.model_id = model_id
        self.context_limit = context_limit
        self.questions: list[str] = []
        self._price_usd = price_usd
        self._usage = usage

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def count_prompt_tokens(self, messages: Sequence[Message]) -> int:
        return sum(self.count_tokens(message.content) + 1 for message in messages)

    def cost_usd(self, usage: Usage | None) -> float | None:
        return self._price_usd

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
        self.questions.append(messages[-1].content)
        reply = self.script(messages[-1].content)
        if isinstance(reply, BaseException):
            raise reply
        if on_token is not None:
            for piece in reply.splitlines(keepends=True):
                on_token(piece)
        return Completion(
            text=reply,
            model_id=self.model_id,
            messages=tuple(messages),
            usage=Usage(self.count_prompt_tokens(messages), self.count_tokens(reply)) if self._usage else None,
            first_token_s=0.0,
            duration_s=0.0,
            stop_reason="end",
            adapter=adapter,
        )
