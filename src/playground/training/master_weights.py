"""LoRA weights that compute in bfloat16 and are updated in float32.

Changes below bfloat16's resolution (1/256 of a value) would be lost if they were added to bfloat16 weights; so the
optimiser works on a float32 copy, the weights that count, and the network computes with its rounded image (mixed
precision training, Micikevicius et al., 2018, arXiv 1710.03740). On float32 the two are the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_MAX_GRADIENT_NORM = 1.0
_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class WeightGroup:
    """Parameters of one learning rate (the highest of the schedule); ``clipped`` says whether gradients are cut."""

    parameters: Mapping[str, torch.nn.Parameter]
    learning_rate: float
    clipped: bool = True


class MasterWeights:
    """A float32 copy of the parameters of ``groups`` as one flat tensor, with AdamW on it."""

    def __init__(
        self, groups: Sequence[WeightGroup], *, betas: tuple[float, float] = (0.9, 0.999), weight_decay: float = 0.0
    ) -> None:
        import torch

        self._groups = tuple(groups)
        self._parameters = {name: value for group in groups for name, value in group.parameters.items()}
        self._flat = torch.cat([value.detach().float().reshape(-1) for value in self._parameters.values()])
        self._gradient = torch.zeros_like(self._flat)
        sizes = [sum(value.numel() for value in group.parameters.values()) for group in groups]
        # Views of the flat tensor: the optimiser has groups, messages and checkpoints have one piece.
        self._parts = [torch.nn.Parameter(part) for part in self._flat.split(sizes)]  # type: ignore[no-untyped-call]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": [part], "lr": group.learning_rate}
                for part, group in zip(self._parts, self._groups, strict=True)
            ],
            betas=betas,
            weight_decay=weight_decay,
        )

    @property
    def learning_rate(self) -> float:
        """The highest of the first group."""
        return self._groups[0].learning_rate

    def initialise(self, seed: int) -> None:
        """Set the matrices as LoRA's authors did: A at random (uniform, variance 1 / (3 inputs)), B zero.

        With a generator of its own, so that what other threads draw meanwhile does not matter.
        """
        import torch

        generator = torch.Generator().manual_seed(seed)
        for name, values in self.named(self._flat).items():
            if "lora_A" in name:
                bound = 1 / math.sqrt(values.shape[1])
                drawn = torch.empty(values.shape).uniform_(-bound, bound, generator=generator)
                values.copy_(drawn)
            else:
                values.zero_()
        self._publish()

    def load(self, named: Mapping[str, torch.Tensor]) -> None:
        """Set the parameters of these names, which must have the same shapes."""
        held = self.named(self._flat)
        for name, values in named.items():
            held[name].copy_(values)
        self._publish()

    def collect_gradients(self) -> None:
        """Add the gradients of a backward pass, in float32, and clear them."""
        at = 0
        for parameter in self._parameters.values():
            if parameter.grad is not None:
                self._gradient[at : at + parameter.numel()] += parameter.grad.float().reshape(-1)
            parameter.grad = None
            at += parameter.numel()

    def discard_gradients(self) -> None:
        """Forget what was collected since the last step."""
        self._gradient.zero_()

    def step(self, rate_share: float, total: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Take an optimiser step with the collected gradients, added up over processes by ``total``.

        Every group's rate is ``rate_share`` of its highest; the gradient of each clipped group is cut to norm 1.
        """
        import torch

        gradient = total(self._gradient)
        sizes = [part.numel() for part in self._parts]
        gradients = gradient.split(sizes)  # type: ignore[no-untyped-call]
        for part, own, group, options in zip(
            self._parts, gradients, self._groups, self._optimizer.param_groups, strict=True
        ):
            part.grad = own
            if group.clipped:
                torch.nn.utils.clip_grad_norm_([part], _MAX_GRADIENT_NORM)
            options["lr"] = group.learning_rate * rate_share
        self._optimizer.step()
        for part in self._parts:
            part.grad = None
        self._gradient.zero_()
        self._publish()

    def copy(self) -> torch.Tensor:
        """Return a copy of the flat float32 weights."""
        return self._flat.detach().clone()

    def named(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return float32 tensors by parameter name, cut from a copy made earlier."""
        tensors, at = {}, 0
        for name, parameter in self._parameters.items():
            tensors[name] = flat[at : at + parameter.numel()].view(parameter.shape)
            at += parameter.numel()
        return tensors

    def state(self) -> dict[str, torch.Tensor]:
        """Return all that the next step depends on."""
        import torch

        state = {"weights": self.copy(), "step": torch.zeros(())}
        state |= {name: torch.zeros_like(self._flat) for name in _MOMENTS}
        held = [self._optimizer.state.get(part) for part in self._parts]
        if moments := [one for one in held if one]:
            state["step"] = moments[0]["step"].detach().clone()
            state |= {name: torch.cat([one[name] for one in moments]) for name in _MOMENTS}
        return state

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what ``state`` returned; shapes must be this model's."""
        self._flat.copy_(state["weights"])
        sizes = [part.numel() for part in self._parts]
        cut = {name: state[name].to(self._flat.device).split(sizes) for name in _MOMENTS}  # type: ignore[no-untyped-call]
        for number, part in enumerate(self._parts):
            self._optimizer.state[part] = {
                "step": state["step"].clone().cpu(),
                **{name: cut[name][number].clone() for name in _MOMENTS},
            }
        self._publish()

    def _publish(self) -> None:
        """Round the weights into the network."""
        for name, values in self.named(self._flat).items():
            self._parameters[name].data.copy_(values)
