"""LoRA weights that compute in bfloat16 and are updated in float32.

Changes below bfloat16's resolution (1/256 of a value) would be lost if they were added to bfloat16 weights; so the
optimiser works on a float32 copy, the weights that count, and the network computes with its rounded image (mixed
precision training, Micikevicius et al., 2018, arXiv 1710.03740). On float32 the two are the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_MAX_GRADIENT_NORM = 1.0


class MasterWeights:
    """A float32 copy of ``parameters`` as one flat tensor, with AdamW on it (no weight decay)."""

    def __init__(self, parameters: Mapping[str, torch.nn.Parameter]) -> None:
        import torch

        self._parameters = dict(parameters)
        flat = torch.cat([parameter.detach().float().reshape(-1) for parameter in self._parameters.values()])
        self._flat = torch.nn.Parameter(flat)
        self._gradient = torch.zeros_like(flat)
        self._optimizer = torch.optim.AdamW([self._flat], weight_decay=0.0)

    @property
    def size(self) -> int:
        """Number of trained values."""
        return self._flat.numel()

    def initialise(self, seed: int) -> None:
        """Set the matrices as LoRA's authors did: A at random (uniform, variance 1 / (3 inputs)), B zero.

        With a generator of its own, so that what other threads draw meanwhile does not matter.
        """
        import torch

        generator = torch.Generator().manual_seed(seed)
        for name, values in self._slices().items():
            if "lora_A" in name:
                bound = 1 / math.sqrt(values.shape[1])
                drawn = torch.empty(values.shape).uniform_(-bound, bound, generator=generator)
                values.copy_(drawn)
            else:
                values.zero_()
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

    def step(self, learning_rate: float, average: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Take an optimiser step with the collected gradients, averaged over processes and clipped to norm 1."""
        import torch

        self._flat.grad = average(self._gradient)
        torch.nn.utils.clip_grad_norm_([self._flat], _MAX_GRADIENT_NORM)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        self._flat.grad = None
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

        moments = self._optimizer.state.get(self._flat) or {
            "step": torch.zeros(()),
            "exp_avg": torch.zeros_like(self._flat),
            "exp_avg_sq": torch.zeros_like(self._flat),
        }
        state = {"weights": self.copy(), **{name: moments[name] for name in ("step", "exp_avg", "exp_avg_sq")}}
        return {name: tensor.detach().clone() for name, tensor in state.items()}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what ``state`` returned; shapes must be this model's."""
        self._flat.data.copy_(state["weights"])
        self._optimizer.state[self._flat] = {
            "step": state["step"].clone().cpu(),
            "exp_avg": state["exp_avg"].to(self._flat.device, copy=True),
            "exp_avg_sq": state["exp_avg_sq"].to(self._flat.device, copy=True),
        }
        self._publish()

    def _slices(self) -> dict[str, torch.Tensor]:
        return self.named(self._flat.data)

    def _publish(self) -> None:
        """Round the weights into the network."""
        for name, values in self._slices().items():
            self._parameters[name].data.copy_(values)
