"""Random trees of events: each is told to be complete once, after everything it has caused, and of success only if so.

A node of such a tree is an event; its handler fires the children, at once or in the course of some turns, may fail at
the end, and may have a second handler beside it. Some events are cancelled while they are queued.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from circuits import Component, Event, handler, sleep
from support import EventRecorder, on_manual_clock, run_until_idle

KINDS = ["function", "generator", "sleeper", "caller", "flusher"]


@dataclass(eq=False)
class Plan:
    """What becomes of one event."""

    kind: str
    fails: bool
    cancelled: bool
    complete: bool
    success: bool
    failure: bool
    children: list[Plan] = field(default_factory=list)
    event: Event | None = None

    def walk(self) -> list[Plan]:
        """Return this and all that is caused by it: what is cancelled causes nothing."""
        if self.cancelled:
            return []
        return [self, *(plan for child in self.children for plan in child.walk())]


def plans(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Plan]:
    flags = st.booleans()
    rarely = st.sampled_from([False, False, False, True])
    return st.builds(
        Plan,
        kind=st.sampled_from(KINDS),
        fails=rarely,
        cancelled=rarely,
        complete=flags,
        success=flags,
        failure=flags,
        children=children,
    )


def trees(depth: int) -> st.SearchStrategy[Plan]:
    """Events that cause others, which cause others: so deep that some of it happens long after the beginning."""
    return plans(st.lists(trees(depth - 1), min_size=1, max_size=2) if depth else st.just([]))


class Actor(Component):
    """Does what the plans say."""

    def _fire_planned(self, plan: Plan) -> Event:
        plan.event = event = Event.create("node", plan)
        event.complete, event.success, event.failure = plan.complete, plan.success, plan.failure
        self.fire(event)
        if plan.cancelled:
            event.cancel()
        return event

    def node(self, plan: Plan) -> Any:
        return getattr(self, f"_{plan.kind}")(plan)

    @handler("node", priority=-1)
    def beside(self, plan: Plan) -> None:
        """Be called whatever the first handler does."""

    def _function(self, plan: Plan) -> None:
        for child in plan.children:
            self._fire_planned(child)
        self._end(plan)

    def _flusher(self, plan: Plan) -> None:
        for child in plan.children:
            self._fire_planned(child)
        self.flush()
        self._end(plan)

    def _generator(self, plan: Plan) -> Any:
        for child in plan.children:
            yield None
            self._fire_planned(child)
        yield None
        self._end(plan)

    def _sleeper(self, plan: Plan) -> Any:
        for child in plan.children:
            self._fire_planned(child)
            yield sleep(1)
        self._end(plan)

    def _caller(self, plan: Plan) -> Any:
        for child in plan.children:
            yield self.wait(self._fire_planned(child))
        self._end(plan)

    def _end(self, plan: Plan) -> None:
        if plan.fails:
            raise ValueError

    def exception(self, *_: Any, **__: Any) -> None:
        """Keep errors off the screen."""


def position(recorder: EventRecorder, name: str, event: Event) -> list[int]:
    return [index for index, told in enumerate(recorder.seen) if told.name == name and told.parent is event]


@given(st.integers(1, 5).flatmap(trees))
def test_every_event_is_told_of_as_it_deserves(root: Plan) -> None:
    app = on_manual_clock(Actor())
    recorder = EventRecorder().register(app)
    run_until_idle(app)
    app._fire_planned(root)
    for _ in range(200):
        run_until_idle(app)
        app.tick(5)
        if not app._evtree.busy and not app._evtree.loop.timers:
            break

    delivered = {id(event): index for index, event in enumerate(recorder.seen)}
    for plan in root.walk():
        event = plan.event
        assert event is not None
        assert event.value is not None
        assert event.value.done
        assert event.waitingHandlers == 0
        complete = position(recorder, "node_complete", event)
        success = position(recorder, "node_success", event)
        failure = position(recorder, "node_failure", event)
        assert len(complete) == plan.complete
        assert len(success) == (plan.success and not plan.fails)
        assert len(failure) == (plan.failure and plan.fails)
        caused = [other for other in plan.walk() if other is not plan]
        family = [other.event for other in plan.walk()]
        if complete:
            told = [
                index
                for index, other in enumerate(recorder.seen)
                if any(other.parent is member for member in family)
                or (other.name == "exception" and any(other.kwargs["fevent"] is member for member in family))
            ]
            before = [delivered[id(other.event)] for other in caused]
            before += [index for index in told if index != complete[0]]
            assert all(index < complete[0] for index in before)
        if success:
            direct = [delivered[id(child.event)] for child in plan.children if not child.cancelled]
            assert all(index < success[0] for index in direct)
        if failure:
            (error,) = [i for i, other in enumerate(recorder.seen) if other.kwargs.get("fevent") is event]
            assert failure[0] < error
    cancelled = [plan.event for plan in [root, *root.walk()] if plan.cancelled]
    assert not any(event is seen for event in cancelled for seen in recorder.seen)
    assert app._evtree.waiters == {}
    assert app._evtree.tasks == set()


@given(st.lists(st.sampled_from(["fire", "flush", "cancel", "stop"]), min_size=1, max_size=12))
def test_one_event_object_may_be_fired_again_at_any_time(actions: list[str]) -> None:
    handled = []

    class App(Component):
        @handler("again", priority=1)
        def first(self) -> Any:
            handled.append("first")
            return (None for _ in range(1)) if len(handled) % 2 else None

        def again(self) -> None:
            handled.append("second")

    app = App()
    event = Event.create("again")
    event.complete = event.success = event.alert_done = True
    recorder = EventRecorder().register(app)
    run_until_idle(app)
    recorder.clear()
    for action in actions:
        if action == "fire":
            app.fire(event)
        elif action == "flush":
            app.tick()
        else:
            getattr(event, action)()
    run_until_idle(app)
    # However wild that was, the event can be used once more, and then is told of once.
    handled.clear()
    recorder.clear()
    app.fire(event)
    run_until_idle(app)

    told = ["again", "again_done", "again_success", "again_complete"]
    if "fire" in actions:
        assert (recorder.names(), handled) == (told, ["first", "second"])
    elif "cancel" in actions:
        assert (recorder.names(), handled) == ([], [])
    elif "stop" in actions:
        # The recorder is the first handler, and so the last.
        assert (recorder.names(), handled) == (told, [])
    else:
        assert (recorder.names(), handled) == (told, ["first", "second"])
