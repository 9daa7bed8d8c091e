"""The manager: fires events, keeps handlers, is the root of a tree."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from circuits import BaseComponent, Component, Event, Manager, Value, handler, sleep
from circuits.core.manager import TIMEOUT
from support import EventRecorder, run_until_idle, running, wait_until


class work(Event):
    pass


# ── firing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_fire_gives_the_value_that_will_hold_the_results(app: Component) -> None:
    event = work()
    value = app.fire(event)

    assert isinstance(value, Value)
    assert value.event is event
    assert value.manager is app
    assert not value.done
    run_until_idle(app)
    assert value.done


def test_fire_event_is_the_same(app: Component, recorder: EventRecorder) -> None:
    app.fireEvent(work())
    app.flushEvents()

    assert recorder.names() == ["work"]


@pytest.mark.parametrize(
    ("given", "preset", "own", "expected"),
    [
        (("a", "b"), ("c",), "d", ("a", "b")),
        ((), ("c",), "d", ("c",)),
        ((), (), "d", ("d",)),
        ((), (), None, ("*",)),
    ],
    ids=["those given", "those of the event", "that of the component", "every one"],
)
def test_an_event_goes_to(given: Any, preset: Any, own: Any, expected: Any) -> None:
    component = Component(channel=own) if own else Component()
    event = work()
    event.channels = preset
    component.fire(event, *given)

    assert event.channels == expected


def test_channels_of_an_event_class_are_left_alone(app: Component) -> None:
    class preset(Event):
        channels = ("c",)

    app.fire(preset(), "elsewhere")

    assert preset.channels == ("c",)


def test_a_component_without_a_channel_fires_and_listens_everywhere(app: Component) -> None:
    class Open(Component):
        channel = None

        def work(self) -> str:
            return "done"

    component = Open().register(app)
    event = work()
    value = component.fire(event)
    other = app.fire(work(), "anywhere")
    run_until_idle(app)

    assert event.channels == ("*",)
    assert (value.value, other.value) == ("done", "done")


def test_lower_priority_is_delivered_first_and_equals_in_the_order_fired(
    app: Component, recorder: EventRecorder
) -> None:
    for name, priority in (("c", 0), ("e", 5), ("a", -1), ("d", 0), ("b", -0.5)):
        app.fire(Event.create(name), priority=priority)
    app.fire(Event.create("plain"))
    run_until_idle(app)

    assert recorder.names() == ["a", "b", "c", "d", "plain", "e"]


def test_priority_orders_only_what_is_queued_together(app: Component, recorder: EventRecorder) -> None:
    class Host(Component):
        def first(self) -> None:
            self.fire(Event.create("urgent"), priority=-100)

    Host().register(app)
    run_until_idle(app)
    recorder.clear()
    app.fire(Event.create("first"))
    app.fire(Event.create("second"))
    run_until_idle(app)

    assert recorder.names() == ["first", "second", "urgent"]


def test_an_unknown_keyword_is_refused_by_name(app: Component) -> None:
    with pytest.raises(TypeError, match="'urgency'"):
        app.fire(work(), urgency=3)
    with pytest.raises(TypeError, match="'time_out'"):
        app.call(work(), time_out=3)
    with pytest.raises(TypeError, match="'time_out'"):
        app.wait("work", time_out=3)

    assert len(app) == 0


def test_any_component_fires_into_the_one_queue_of_its_tree(app: Component) -> None:
    child = Component().register(app)
    run_until_idle(app)
    child.fire(work())

    assert len(app) == 1
    assert len(child) == 0


def test_flush_on_any_component_empties_the_queue_of_the_tree(app: Component, recorder: EventRecorder) -> None:
    child = Component().register(app)
    app.fire(work())
    child.flush()

    assert len(app) == 0
    assert "work" in recorder.names()


# ── handlers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_function_can_be_added_as_a_handler_of_the_event_of_its_name(app: Component) -> None:
    def work(self: Component) -> Any:
        return self

    method = app.addHandler(work)
    value = app.fire(Event.create("work"))
    run_until_idle(app)

    assert value.value is app
    assert method.__self__ is app  # type: ignore[attr-defined]


def test_a_bound_method_of_another_object_can_be_added(app: Component) -> None:
    class Desk:
        def work(self) -> Any:
            return self

    desk = Desk()
    app.addHandler(desk.work)
    value = app.fire(work())
    run_until_idle(app)

    assert value.value is desk


def test_adding_a_handler_twice_changes_nothing(app: Component) -> None:
    # It was called twice from then on.
    def work(self: Component) -> int:
        return 1

    assert app.addHandler(work) == app.addHandler(work)
    value = app.fire(Event.create("work"))
    run_until_idle(app)

    assert value.value == 1


def test_a_handler_can_be_removed_for_one_event_and_then_for_all(app: Component) -> None:
    @handler("work", "play", "rest")
    def do(self: Component) -> str:
        return "did"

    def results() -> list[Any]:
        values = [app.fire(Event.create(name)) for name in ("work", "play", "rest")]
        run_until_idle(app)
        return [value.value for value in values]

    method = app.addHandler(do)
    assert results() == ["did", "did", "did"]
    app.removeHandler(method, "work")
    assert results() == [None, "did", "did"]
    app.removeHandler(method)
    assert results() == [None, None, None]


@pytest.mark.parametrize("event", [None, "*"])
def test_a_handler_of_every_event_can_be_removed(app: Component, event: str | None) -> None:
    seen = []

    @handler(channel="*")
    def see(self: Component, event: Event, *args: Any) -> None:
        seen.append(event.name)

    method = app.addHandler(see)
    app.fire(work())
    run_until_idle(app)
    app.removeHandler(method, event)
    app.fire(work())
    run_until_idle(app)

    assert seen == ["work"]


def test_removing_a_handler_that_is_not_there_changes_nothing(app: Component) -> None:
    app.removeHandler(lambda self: None)
    app.removeHandler(lambda self: None, "work")


def test_a_manager_lists_its_own_handlers_by_event(app: Component) -> None:
    class Child(BaseComponent):
        @handler("work", "play")
        def do(self) -> None:
            pass

    child = Child().register(app)

    assert set(child._handlers) == {"work", "play", "prepare_unregister_complete"}
    assert child._handlers["work"] == {child.do}
    assert set(app._handlers) == {"prepare_unregister_complete"}
    child.removeHandler(child.do, "play")
    assert "play" not in child._handlers


def test_get_handlers_tells_who_would_be_called(app: Component) -> None:
    class Child(Component):
        def work(self) -> None:
            pass

        @handler("work", priority=1)
        def first(self) -> None:
            pass

    child = Child(channel="c").register(app)

    assert app.getHandlers(work(), "c") == [child.first, child.work]
    assert app.getHandlers(work(), "d") == []
    assert app.getHandlers(work(), child, extra=True) == [child.first, child.work]


# ── text forms and properties ────────────────────────────────────────────────────────────────────────────────────────


def test_the_text_form_shows_name_channel_process_thread_queue_and_state(app: Component) -> None:
    class App(Component):
        def work(self) -> str:
            return repr(self)

    component = App(channel="web")
    assert repr(component) == f"<App/web {os.getpid()}:MainThread (queued=0) [S]>"
    component.fire(work())
    assert repr(component) == f"<App/web {os.getpid()}:MainThread (queued=1) [S]>"

    run_until_idle(component)
    with running(component):
        value = component.fire(work())
        wait_until(lambda: value.done)
    assert value.value == f"<App/web {os.getpid()}:App (queued=0) [R]>"


def test_registered_is_pending_after_a_registration(app: Component) -> None:
    Component().register(app)

    assert repr(app) == f"<App/* {os.getpid()}:MainThread (queued=1) [S]>"


def test_a_channel_that_is_a_component_is_shown_as_an_instance(app: Component) -> None:
    assert repr(Component(channel=app)).startswith("<Component/<instance of App> ")


def test_a_manager_tells_its_name_process_and_state() -> None:
    manager = Manager()

    assert manager.name == "Manager"
    assert manager.pid == os.getpid()
    assert manager.running is False
    assert manager.root is manager.parent is manager
    assert manager.components == set()


def test_a_manager_is_true_and_as_long_as_its_queue() -> None:
    manager = Manager()
    assert manager
    assert len(manager) == 0
    manager.fire(work())
    assert len(manager) == 1


def test_the_documented_idle_time_is_there() -> None:
    assert TIMEOUT == 0.1


# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_start_runs_the_tree_in_a_thread_named_after_it() -> None:
    app = Component()
    thread, bridge = app.start()
    assert bridge is None
    assert isinstance(thread, threading.Thread)
    assert thread.name == "Component"
    wait_until(lambda: app.running)
    assert app._Manager__thread is thread  # type: ignore[attr-defined]

    app.stop()
    app.join()
    assert not thread.is_alive()
    assert app._Manager__thread is None  # type: ignore[attr-defined]


def test_join_before_a_start_returns_at_once() -> None:
    Component().join()


def test_an_event_fired_in_another_thread_wakes_a_tree_that_sleeps() -> None:
    class App(Component):
        def work(self) -> str:
            return threading.current_thread().name

    with running(App()) as app:
        wait_until(lambda: app._evtree.idle)
        value = app.fire(work())
        wait_until(lambda: value.done)

    assert value.value == "App"


def test_handlers_can_be_added_and_removed_in_another_thread() -> None:
    def work(self: Component) -> str:
        return "added"

    with running(Component()) as app:
        method = app.addHandler(work)
        value = app.fire(Event.create("work"))
        wait_until(lambda: value.done)
        assert value.value == "added"
        app.removeHandler(method)
        value = app.fire(Event.create("work"))
        wait_until(lambda: value.done)
        assert value.value is None


def test_resume_wakes_a_tree_that_sleeps() -> None:
    turns = []

    class App(Component):
        @handler(False)
        def tick(self, timeout: float = -1) -> None:
            turns.append(timeout)
            super().tick(timeout)

    with running(Component()) as app:
        wait_until(lambda: app._evtree.idle)
        app.resume()
        value = app.fire(work())
        wait_until(lambda: value.done)


# ── call and wait ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_call_and_wait_have_a_second_name(app: Component) -> None:
    assert Manager.callEvent is Manager.call
    assert Manager.waitEvent is Manager.wait


def test_a_wait_may_name_the_class_of_the_event(app: Component) -> None:
    class Waiting(Component):
        def begin(self) -> Any:
            value = yield self.wait(work)
            yield value.event.args

    Waiting().register(app)
    value = app.fire(Event.create("begin"))
    run_until_idle(app)
    app.fire(work("hard"))
    run_until_idle(app)

    assert value.value == ("hard",)


# ── ticks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tick_of_a_tree_that_does_not_run_never_blocks(app: Component) -> None:
    app.tick()
    app.tick(0)


def test_a_tick_with_a_time_waits_no_longer_than_that(app: Component) -> None:
    app.tick(2.5)

    assert app._evtree.loop.poller.sleeps == [2.5]  # type: ignore[attr-defined]


def test_a_tick_with_a_time_ends_when_a_timer_is_due(app: Component) -> None:
    class Sleeper(Component):
        def work(self) -> Any:
            yield sleep(1)
            yield "woke"

    Sleeper().register(app)
    value = app.fire(work())
    run_until_idle(app)
    app.tick(10)
    run_until_idle(app)

    assert app._evtree.loop.poller.sleeps == [1]  # type: ignore[attr-defined]
    assert value.value == "woke"
