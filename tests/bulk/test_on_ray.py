"""The same run on Ray: the same bytes, a dead actor costs one file. Skipped without Ray.

Ray is started once for all of them, which takes 15 to 20 seconds.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from playground.bulk import on_ray
from playground.bulk.flagging import flag_in_bulk
from playground.bulk.judging import Judged, Task
from playground.bulk.on_ray import connected, judge_on_ray
from playground.errors import ModelError
from playground.flagging.files import FlagJob
from tests.bulk.test_flagging import damage_two_in_a_hundred, numbered, table, table_bytes
from tests.support.bulk_jobs import run, scripted_job
from tests.support.scripted_flagger import load_nothing

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"
)


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """A Ray of this machine with two cores."""
    if find_spec("ray") is None:
        if os.environ.get("PLAYGROUND_REQUIRE_RAY"):
            pytest.fail("Ray is not installed: pip install -r requirements-cluster.txt")
        pytest.skip("Ray is not installed here: `make test-cluster` installs it and runs this.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with connected("local", 2):
            yield


def on_two_actors(tasks: Iterator[Task], job: FlagJob) -> Iterator[Judged]:
    return judge_on_ray(tasks, job, "local", 2)


def flag(folder: Path, out: Path, job: FlagJob | None = None) -> None:
    flag_in_bulk(folder, job or scripted_job(), out, on_two_actors, lambda _progress: None)


def test_two_actors_write_the_bytes_of_one_process_also_in_waves(
    ray_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = numbered(tmp_path / "contracts", 30)
    damaged = damage_two_in_a_hundred(folder)
    monkeypatch.setattr(on_ray, "_WAVE", 20)
    flag(folder, tmp_path / "ray")
    run(folder, tmp_path / "here")
    assert table_bytes(tmp_path / "ray") == table_bytes(tmp_path / "here")
    assert {row["file"] for row in table(tmp_path / "ray", "errors")} == damaged


def test_an_actor_that_dies_costs_one_file_and_nothing_is_asked_that_ray_will_drop(
    ray_here: None, tmp_path: Path
) -> None:
    from ray.util.annotations import RayDeprecationWarning

    folder = numbered(tmp_path / "contracts", 10)
    (folder / "kills.txt").write_text("1. The parties may END THE PROCESS at any time by notice to each other.\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RayDeprecationWarning)
        flag(folder, tmp_path / "ray")
    assert [row["file"] for row in table(tmp_path / "ray", "errors")] == ["kills.txt"]
    assert "The process that read it ended" in table(tmp_path / "ray", "errors")[0]["error"]
    (folder / "kills.txt").unlink()
    run(folder, tmp_path / "ray")
    run(folder, tmp_path / "here")
    assert table_bytes(tmp_path / "ray") == table_bytes(tmp_path / "here")


def test_a_flagger_that_actors_cannot_load_is_said(ray_here: None, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="The encoder is gone"):
        flag(numbered(tmp_path / "contracts", 2), tmp_path / "out", scripted_job(load=load_nothing))


def test_no_report_of_use_leaves_the_machine_and_nothing_listens_to_others(ray_here: None) -> None:
    import psutil
    import ray
    from ray._common.usage import usage_lib

    assert not usage_lib.usage_stats_enabled()
    assert [node["NodeManagerAddress"] for node in ray.nodes()] == ["127.0.0.1"]
    listening = {
        connection.laddr.ip
        for process in psutil.Process().children(recursive=True)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}


def test_without_ray_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModelError, match=r"pip install -r requirements-cluster\.txt"):
        flag(numbered(tmp_path / "contracts", 1), tmp_path / "out")


def test_a_ray_that_does_not_come_up_is_tried_again_and_then_said(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def init(address: str, **_options: object) -> None:
        tried.append(address)
        raise Exception("The current node timed out during startup.")

    ray = SimpleNamespace(is_initialized=lambda: False, init=init, shutdown=lambda: None)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.data", ray)
    with pytest.raises(ModelError, match="could not be started on this machine .*timed out"), connected("local"):
        pass
    assert tried == ["local"] * 3
    with pytest.raises(ModelError, match="The Ray cluster at 10.0.0.1:6379 cannot be used"), connected("10.0.0.1:6379"):
        pass
    assert len(tried) == 4, "an address that does not answer is not tried again"
