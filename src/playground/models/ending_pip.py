"""pip that ends with the process that started it, also when that one is killed.

    python -m playground.models.ending_pip download ...

``bundled`` starts it with a pipe as standard input and writes nothing to it: the operating system closes the pipe when
its writer ends, however it ends. ``--only-binary`` keeps pip from starting processes of its own.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def _end_with_parent() -> None:
    # The descriptor, as sys.stdin has a lock that the interpreter wants when it ends.
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv[0] = "pip"
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
