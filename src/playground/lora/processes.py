"""What the processes of one training tell each other (accelerate); with a single process, nothing happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Processes:
    """Those that `accelerate launch` or torchrun started, or this one alone; every method is called by all of them."""

    def __init__(self) -> None:
        import torch
        from accelerate import Accelerator

        self._accelerator: Any = Accelerator(cpu=not torch.cuda.is_available())
        self.count = int(self._accelerator.num_processes)
        self.index = int(self._accelerator.process_index)
        self.is_main = bool(self._accelerator.is_main_process)
        self.device: torch.device = self._accelerator.device

    def total(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the sum of the processes' tensors."""
        if self.count == 1:
            return tensor
        summed: torch.Tensor = self._accelerator.reduce(tensor, "sum")
        return summed

    def any(self, said: bool) -> bool:
        """Tell whether any process says so: none may wait for one that has stopped."""
        import torch

        if self.count == 1:
            return said
        return bool(self.total(torch.tensor(float(said), device=self.device)).item())

    def from_main(self, value: Any) -> Any:
        """Return the main process's value."""
        from accelerate.utils import broadcast_object_list

        if self.count == 1:
            return value
        return broadcast_object_list([value], from_process=0)[0]

    def tensors_from_main(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the main process's tensors; those of the others give names and shapes."""
        from accelerate.utils import broadcast

        placed = {name: tensor.to(self.device) for name, tensor in tensors.items()}
        if self.count == 1:
            return placed
        return {name: broadcast(placed[name], from_process=0) for name in sorted(placed)}
