from __future__ import annotations

import pytest

from evkernel.errors import LoopClosed
from evkernel.testing import Deadlock, ManualClock, Recorder, ScriptedPoller, run_until_idle


def test_a_manual_clock_moves_when_it_is_told_to() -> None:
    clock = ManualClock(10)
    clock.advance(2.5)

    assert clock.now() == 12.5


def test_a_manual_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="time does not go back"):
        ManualClock().advance(-1)


def test_a_recorder_keeps_the_order() -> None:
    recorder = Recorder()
    recorder.record("a", 1)
    recorder.callback("b")(2, 3)

    assert recorder.entries == [("a", 1), ("b", 2, 3)]
    assert recorder.names() == ["a", "b"]

    recorder.clear()
    assert recorder.entries == []


def test_running_until_idle_counts_the_steps() -> None:
    work = iter([True, True, False])

    assert run_until_idle(lambda: next(work)) == 2


def test_what_never_becomes_idle_is_stopped() -> None:
    with pytest.raises(Deadlock, match="still busy after 7 steps"):
        run_until_idle(lambda: True, limit=7)


class TestScriptedPoller:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def poller(self, clock: ManualClock) -> ScriptedPoller:
        return ScriptedPoller(clock)

    @pytest.fixture
    def recorder(self) -> Recorder:
        return Recorder()

    def test_readiness_is_a_level(self, poller: ScriptedPoller, recorder: Recorder) -> None:
        poller.set_reader(7, recorder.callback("read"))
        poller.set_ready(7, read=True)

        poller.dispatch(poller.wait(0))
        poller.dispatch(poller.wait(0))
        poller.set_idle(7)
        poller.dispatch(poller.wait(0))

        assert recorder.names() == ["read", "read"]

    def test_nobody_hears_of_readiness_that_was_not_asked_for(self, poller: ScriptedPoller) -> None:
        poller.set_reader(7, print)
        poller.set_ready(7, write=True)
        poller.set_ready(8, read=True)

        assert poller.wait(0) == []

    def test_a_hang_up_wakes_both_directions(self, poller: ScriptedPoller, recorder: Recorder) -> None:
        poller.set_reader(7, recorder.callback("read"))
        poller.set_writer(7, recorder.callback("write"))
        poller.set_ready(7, hang_up=True)

        poller.dispatch(poller.wait(0))

        assert recorder.names() == ["read", "write"]

    def test_sleeping_advances_the_clock(self, poller: ScriptedPoller, clock: ManualClock) -> None:
        poller.set_reader(7, print)

        assert poller.wait(3) == []

        assert clock.now() == 3
        assert poller.sleeps == [3]

    def test_a_sleep_ends_with_what_is_scripted(self, poller: ScriptedPoller, clock: ManualClock) -> None:
        poller.set_writer(7, print)
        poller.at(2, 7, write=True)

        assert poller.wait(None) == [(7, 4)]
        assert clock.now() == 2

    def test_sleeping_for_ever_is_an_error(self, poller: ScriptedPoller) -> None:
        with pytest.raises(Deadlock, match="nothing is ready, nothing is scripted"):
            poller.wait(None)

    def test_it_changes_closes_and_refuses_like_a_real_one(self, poller: ScriptedPoller, recorder: Recorder) -> None:
        poller.set_reader(7, print)
        poller.on_change = recorder.record
        poller.discard(7)
        assert recorder.entries == [(7, 0)]
        assert poller.fileno() is None

        poller.close()
        with pytest.raises(LoopClosed):
            poller.wait(1)
