"""The judging on Ray Data: actors that load the flagger once, fed with tasks in waves (requirements-cluster.txt).

Ray is used for what it is good at: it brings tasks to actors and results back. What is done stands in the ledger of the
driver; Ray writes no file. It keeps no order and may lose a block with an actor that dies: results are told apart by
their content, and what did not come back is given out once more, a task at a time.

Ray Data gives a task out again for ever where its actor dies. Who begins a content therefore says so in a book that no
actor takes with it, and a content that was begun twice without an end is not begun again.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.bulk.judging import Judged, Task, died, from_json, start_judging, to_json
from playground.errors import ModelError, PlaygroundError
from playground.flagging.files import FlagJob

if TYPE_CHECKING:
    import pyarrow

LOCAL = "local"
"""As an address: a Ray of one machine, started for this run and ended with it."""

_WAVE = 20_000  # tasks that the driver holds at once; an actor loads the flagger once a wave
_MOST_IN_BLOCK = 8
_BLOCKS_AN_ACTOR = 4
_STORE_BYTES = 256 << 20  # names go in, JSON comes back
_MOST_BEGUN = 2  # times that a content may end its actor
_TRIES = 3  # to start a Ray of this machine
_NOT_INSTALLED = (
    "Ray is not installed here. Run `pip install -r requirements-cluster.txt`, or leave out --ray-address: the same "
    "command then runs on this machine."
)


@dataclass(frozen=True, slots=True)
class _Failed:
    sentence: str


class Begun:
    """The book of what was begun and not ended, in a process of its own."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def begin(self, ended: str, content: str) -> bool:
        """Strike out ``ended`` and note ``content``; "" is none. Return False where it was begun too often."""
        self._times.pop(ended, None)
        if not content:
            return True
        self._times[content] += 1
        return self._times[content] <= _MOST_BEGUN


class JudgeActor:
    """Judges the tasks of a block. Ray makes one of each actor and keeps it."""

    def __init__(self, job: FlagJob, begun: Any) -> None:
        self._begun = begun
        self._judge: Any
        try:
            # One thread, said outright: Ray sets OMP_NUM_THREADS, which OpenVINO does not heed.
            self._judge = start_judging(job, 1)
        except PlaygroundError as error:
            self._judge = _Failed(str(error))

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        import pyarrow as pa

        if isinstance(self._judge, _Failed):
            return _replies([""], [self._judge.sentence.encode()])
        tasks = [Task(row["content"], row["path"]) for row in batch.to_pylist()]
        table: pa.Table = _replies([task.content for task in tasks], [to_json(one) for one in self._judged(tasks)])
        return table

    def _judged(self, tasks: Sequence[Task]) -> Iterator[Judged]:
        import ray

        ended = ""
        for task in tasks:
            may_begin = ray.get(self._begun.begin.remote(ended, task.content))
            yield self._judge(task) if may_begin else died(task)
            ended = task.content
        self._begun.begin.remote(ended, "")


def judge_on_ray(tasks: Iterator[Task], job: FlagJob, address: str, actors: int | None) -> Iterator[Judged]:
    """Judge on the cluster at ``address``, or on a Ray of this machine where it is "local".

    Args:
        tasks: taken a wave at a time.
        job: how contracts are flagged; goes to the actors.
        address: as ``ray.init`` takes it.
        actors: how many, of one core each; None for the cores of the cluster.

    Raises:
        ModelError: Ray is not installed or cannot be reached, or the flagger cannot be loaded by the actors.
    """
    with connected(address, actors):
        import ray

        count = actors or max(1, int(ray.cluster_resources().get("CPU", 1)))
        begun = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Begun).remote()
        while wave := list(itertools.islice(tasks, _WAVE)):
            size = max(1, min(_MOST_IN_BLOCK, len(wave) // (count * _BLOCKS_AN_ACTOR)))
            left = {task.content: task for task in wave}
            for block in (size, 1):
                for judged in _wave(list(left.values()), job, begun, min(count, len(left)), block):
                    if left.pop(judged.content, None) is not None:
                        yield judged
                if not left:
                    break
            yield from map(died, left.values())


@contextlib.contextmanager
def connected(address: str, cores: int | None = None) -> Iterator[None]:
    """Connect to Ray, unless this process is connected already; who connected disconnects.

    Raises:
        ModelError: Ray is not installed, or cannot be started or reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == LOCAL:
        # Ray takes a loopback address for an invitation to find a better one, unless it knows that it is alone.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ModelError(_NOT_INSTALLED) from error
    if ray.is_initialized():
        yield
        return
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    if address == LOCAL:
        options |= {"num_cpus": cores, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
    _start(address, options, _TRIES if address == LOCAL else 1)
    try:
        yield
    finally:
        ray.shutdown()


def _start(address: str, options: dict[str, Any], tries: int) -> None:
    import ray

    for left in reversed(range(tries)):
        try:
            ray.init(address=address, **options)
            return
        except (
            Exception
        ) as error:  # Ray raises that too: its agent gets 15 seconds to start, which a busy machine misses
            ray.shutdown()
            if left:
                continue
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            if address == LOCAL:
                raise ModelError(
                    f"Ray could not be started on this machine ({reason}). Try again when it is less busy, or leave "
                    "out --ray-address: the same command then runs without Ray."
                ) from error
            raise ModelError(
                f"The Ray cluster at {address} cannot be used ({reason}). Check --ray-address, and that `ray status` "
                "answers there."
            ) from error


def _wave(tasks: Sequence[Task], job: FlagJob, begun: Any, actors: int, block: int) -> Iterator[Judged]:
    """Yield what came back of the tasks, a block of so many at a time; some may not."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # a block whose actor died is missing, and the others go on
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    rows = [{"content": task.content, "path": task.path} for task in tasks]
    replies = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // block)).map_batches(
        JudgeActor,
        fn_constructor_kwargs={"job": job, "begun": begun},
        batch_size=None,  # a block
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=1,
    )
    try:
        for batch in replies.iter_batches(batch_size=None, batch_format="pyarrow"):
            for reply in batch.to_pylist():
                if not reply["content"]:
                    raise ModelError(reply["reply"].decode("utf-8", "replace"))
                yield from_json(reply["reply"])
    except ray.exceptions.RayError as error:
        reason = str(error).splitlines()[0][:200]
        raise ModelError(f"The Ray cluster failed ({reason}). Run the same command again to go on.") from error


def _replies(contents: Sequence[str], replies: Sequence[bytes]) -> pyarrow.Table:
    import pyarrow as pa

    schema = pa.schema([("content", pa.string()), ("reply", pa.binary())])
    return pa.table({"content": list(contents), "reply": list(replies)}, schema=schema)
