"""Regular expressions from outside cannot hang, fill the memory or pass unnoticed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from playground.errors import EvaluationError
from playground.text import bounded_patterns
from playground.text.bounded_patterns import MOST_CHARACTERS, all_found, child_pid, find_invalid

BACKTRACKS = r"(a|a)+$"


@pytest.fixture(autouse=True, params=[True, False], ids=["polled", "watched"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the child in both ways, whichever this system would use."""
    if request.param and not bounded_patterns.CAN_POLL:
        pytest.skip("pipes cannot be polled here")
    monkeypatch.setattr(bounded_patterns, "CAN_POLL", request.param)


def test_all_must_be_found_whatever_the_case() -> None:
    assert all_found([r"\b30 days\b", "REFUND"], "A refund within 30 Days.")
    assert not all_found([r"\b30 days\b", "credit"], "A refund within 30 Days.")
    assert all_found([], "anything")
    assert all_found(["^caf\u00e9$"], "CAF\u00c9")


def test_catastrophic_backtracking_is_stopped_and_named() -> None:
    with pytest.raises(EvaluationError, match="was stopped") as caught:
        all_found(["fine", BACKTRACKS], "a" * 60 + "!", timeout_s=0.5)
    assert BACKTRACKS in str(caught.value)


def test_an_invalid_expression_is_named_with_the_reason() -> None:
    with pytest.raises(EvaluationError, match=re.escape("(open")):
        all_found(["(open"], "text")
    invalid = find_invalid(["fine", "(open", "a**", r"[z-a]"])
    assert set(invalid) == {"(open", "a**", "[z-a]"}
    assert "unterminated" in invalid["(open"]


def test_nesting_too_deep_to_compile_is_invalid() -> None:
    deep = "(" * 2000 + ")" * 2000
    assert set(find_invalid(["fine", deep])) == {deep}


def test_one_that_takes_the_compiler_down_is_told_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = bounded_patterns._ask_child

    def dies_on_bad(given: list[str], text: str | None, timeout_s: float) -> object:
        return None if "bad" in given else honest(given, text, timeout_s)

    monkeypatch.setattr(bounded_patterns, "_ask_child", dies_on_bad)
    assert set(find_invalid(["one", "two", "bad", "(", "five"])) == {"bad", "("}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bound the time only")
def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    large = "a" * 400_000  # compiled in a second, on a busy machine in many: here memory counts, not time
    assert not all_found([large], "b", timeout_s=60)
    monkeypatch.setattr(bounded_patterns, "MEMORY_BYTES", 40 << 20)
    assert not all_found(["a"], "b", timeout_s=60)
    with pytest.raises(EvaluationError):
        all_found([large], "b", timeout_s=60)


def test_a_long_text_is_searched_up_to_the_limit() -> None:
    text = "x" * (MOST_CHARACTERS - 3) + "endbeyond"
    assert all_found(["end"], text)
    assert not all_found(["beyond"], text)


def test_text_that_ascii_cannot_write_reaches_the_child() -> None:
    assert all_found(["\u20ac\\d+", "\U0001f436"], "\u20ac30 for the \U0001f436")


def test_one_child_serves_question_after_question() -> None:
    assert all_found(["a"], "a")
    first = child_pid()
    assert not all_found(["b"], "a")
    assert find_invalid(["("]) != {}
    assert child_pid() == first


def test_after_a_timeout_a_fresh_child_goes_on() -> None:
    assert all_found(["a"], "a")
    first = child_pid()
    with pytest.raises(EvaluationError, match="was stopped"):
        all_found([BACKTRACKS], "a" * 60 + "!", timeout_s=0.3)
    assert child_pid() is None
    assert all_found(["a"], "a")
    assert child_pid() != first


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="no signals there")
def test_a_child_that_died_while_it_waited_is_replaced_unnoticed() -> None:
    assert all_found(["a"], "a")
    died = child_pid()
    assert died is not None
    os.kill(died, signal.SIGKILL)
    os.waitid(os.P_PID, died, os.WEXITED | os.WNOWAIT)  # it is gone, and its parent has not noticed
    assert all_found(["a"], "a")
    assert child_pid() not in (died, None)


def test_after_an_interruption_no_reply_is_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all_found(["a"], "a")

    def interrupted(line: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr("json.loads", interrupted)  # with which the reply would be read
        with pytest.raises(KeyboardInterrupt):
            all_found(["a"], "b")
    assert child_pid() is None
    assert all_found(["a"], "a")


def test_a_child_that_keeps_much_memory_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_patterns, "MOST_KEPT_PAGES", -(1 << 30))
    assert all_found(["a"], "a")
    assert child_pid() is None


def test_threads_get_the_replies_to_their_own_questions() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: all_found([f"^{number}$"], str(number % 50)), range(200)))
    assert found == [number < 50 for number in range(200)]


def test_time_that_earlier_questions_took_does_not_count() -> None:
    slow = "(x+x+)+y"  # a few tenths of a second of work on this text
    for _ in range(3):
        assert not all_found([slow], "x" * 21, timeout_s=20)
    assert all_found(["a"], "a", timeout_s=1)


def test_the_child_ends_with_its_process() -> None:
    code = "from playground.text import bounded_patterns as p; p.all_found(['a'], 'a'); print(p.child_pid())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks there")
def test_a_fork_starts_a_child_of_its_own() -> None:
    assert all_found(["a"], "a")
    before = child_pid()
    fork = os.fork()
    if fork == 0:
        os._exit(0 if all_found(["b"], "b") and child_pid() != before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]) == 0
    assert all_found(["a"], "a")
    assert child_pid() == before
