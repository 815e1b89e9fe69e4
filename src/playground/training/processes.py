"""What the processes of one training tell each other (accelerate); with a single process, nothing happens."""

from __future__ import annotations

import os
import sys
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

    def from_main(self, value: Any) -> Any:
        """Return the main process's value."""
        from accelerate.utils import broadcast_object_list

        if self.count == 1:
            return value
        return broadcast_object_list([value], from_process=0)[0]


def end_if_one_of_several(exit_code: int) -> None:
    """End this process at once where it is one of several of a training; return where it is alone.

    A program's last line. The threads that carry messages between processes let go of their last tensors when they get
    round to it, and one that wants the interpreter for that while it is going away aborts the process ("terminate
    called without an active exception"). The launcher would take that for a failure and end the others too, in the
    middle of measuring and saving.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return
    torch.distributed.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)
