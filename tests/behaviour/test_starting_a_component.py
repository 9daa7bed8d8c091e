"""A component runs beside the program that started it: in a thread, or in a process with a bridge to it."""

from __future__ import annotations

import os
import signal
import socket
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from circuits import Component, Event, Manager, Timer, handler, ipc, sleep
from circuits.core.bridge import BridgeLostError
from support import EventRecorder, run_program, running, start_program, wait_until


class ping(Event):
    """Asks for a pid."""


class look(Event):
    """Asks a component what it is part of."""


class relay(Event):
    """Asks a process to start another one, and to ask that for its pid."""


class show(Event):
    """Asks for the descriptors of a process."""


class App(Component):
    """Runs, and can tell where."""

    def ping(self) -> int:
        return os.getpid()


@pytest.fixture
def link() -> Iterator[Component]:
    """A tree that runs in a thread, and records."""
    link = Component()
    link.recorder = EventRecorder().register(link)  # type: ignore[attr-defined]
    with running(link):
        yield link
    # The tests still hold it when they are asked for what they have left open.
    link._evtree.loop.close()


def ask(link: Any, event: Event, *channels: Any) -> Any:
    """Have an event handled in the linked process, and give its result."""
    value = link.fire(ipc(event), *channels)
    wait_until(lambda: value.done)
    assert not value.errors, value.value
    return value.value


def end(app: Component, link: Any = None) -> int:
    """Stop a process in the orderly way; give its exit code."""
    app.stop()
    app.join()
    process = app._Manager__process  # type: ignore[attr-defined]
    if link is not None:
        app._bridge.unregister()  # type: ignore[attr-defined]
        wait_until(lambda: app._bridge.parent is app._bridge)  # type: ignore[attr-defined]
    code: int = process.exitcode
    return code


# ── in a thread ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_start_gives_the_thread_which_has_the_name_of_the_component() -> None:
    app = App()
    thread, bridge = app.start()

    assert (thread.name, bridge) == ("App", None)
    assert app._Manager__thread is thread  # type: ignore[attr-defined]
    wait_until(lambda: app.running)
    app.stop()
    app.join()
    assert not thread.is_alive()
    assert app._Manager__thread is None  # type: ignore[attr-defined]
    assert not app.running


def test_join_comes_back_only_when_the_thread_has_ended() -> None:
    for _ in range(20):
        app = App()
        thread, _ = app.start()
        app.stop()
        wait_until(lambda app=app, thread=thread: not app.running or not thread.is_alive())
        app.stop()
        app.join()
        assert not thread.is_alive()


def test_join_without_start_comes_back_at_once() -> None:
    App().join()


def test_a_tree_that_runs_cannot_be_started_again() -> None:
    with running(App()) as app, pytest.raises(RuntimeError, match="runs already"):
        app.start()


def test_a_component_that_has_ended_can_be_started_again() -> None:
    app = App()
    for _ in range(2):
        with running(app):
            value = app.fire(ping())
            wait_until(lambda value=value: value.done)
        assert value.value == os.getpid()


def test_a_run_in_another_thread_leaves_the_signals_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with running(App()):
        during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert during == before


def test_many_trees_run_in_as_many_threads_and_each_keeps_to_its_own() -> None:
    class Counter(Component):
        def init(self, number: int) -> None:
            self.number = number
            self.threads: set[int] = set()
            self.count = 0

        def ping(self) -> Any:
            self.threads.add(threading.get_ident())
            yield sleep(0.001)
            self.threads.add(threading.get_ident())
            self.count += 1

    counters = [Counter(number) for number in range(20)]
    for counter in counters:
        counter.start()
    for _ in range(10):
        for counter in counters:
            counter.fire(ping())
    wait_until(lambda: all(counter.count == 10 for counter in counters))
    for counter in counters:
        counter.stop()
    for counter in counters:
        counter.join()

    assert len({ident for counter in counters for ident in counter.threads}) == 20
    assert all(len(counter.threads) == 1 for counter in counters)


# ── in a process ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_start_gives_the_process_and_the_pid_of_the_component_is_that_of_the_process() -> None:
    app = App()
    assert app.pid == os.getpid()
    process, bridge = app.start(process=True)

    assert bridge is None
    assert app.pid == process.pid != os.getpid()
    assert process.name == "App"
    assert f" {process.pid}:" in repr(app)
    assert end(app) == 0


def test_a_linked_process_is_ready_and_handles_events(link: Any) -> None:
    app = App()
    _, bridge = app.start(process=True, link=link)
    wait_until(lambda: link.recorder.of("ready"))

    assert app._bridge is bridge
    assert bridge.ready
    assert link.recorder.of("ready")[0].args == (bridge,)
    assert ask(link, ping()) == app.pid
    assert end(app, link) == 0
    assert not bridge.ready


def test_a_process_can_be_linked_to_a_plain_manager() -> None:
    manager = Manager()
    recorder = EventRecorder().register(manager)
    manager.start()
    app = App()
    app.start(process=True, link=manager)
    wait_until(lambda: recorder.of("ready"))

    assert ask(manager, ping()) == app.pid
    assert end(app, manager) == 0
    manager.stop()
    manager.join()


def test_a_process_can_be_linked_to_a_tree_that_starts_later() -> None:
    link, app = Component(), App()
    app.start(process=True, link=link)
    with running(link):
        assert ask(link, ping()) == app.pid
        assert end(app, link) == 0


def test_the_parent_stays_as_it_was() -> None:
    root, app = Component(), App()
    app.register(root)
    app.start(process=True)

    assert app.parent is root
    assert app.root is root
    assert not app.running
    assert end(app) == 0


def test_in_the_process_the_component_is_a_root_that_nobody_told_anything(link: Any) -> None:
    class Outer(Component):
        def look(self) -> str:
            return "outer"

    class Watcher(Component):
        def init(self) -> None:
            self.seen: list[str] = []

        @handler(channel="*")
        def _see(self, event: Event, *_: Any, **__: Any) -> None:
            self.seen.append(event.name)

    class Inner(Component):
        def init(self) -> None:
            self.watcher = Watcher().register(self)

        def look(self) -> Any:
            names = [name for name in self.watcher.seen if "unregister" in name]
            return self.root is self, self.parent is self, len(self.root.components), names

    outer, inner = Outer(), Inner()
    inner.register(outer)
    inner.start(process=True, link=link)

    # Itself a root, with its watcher and the bridge in it; and the other component of the parent is not there.
    assert ask(link, look()) == (True, True, 2, [])
    assert end(inner, link) == 0


def test_events_that_were_fired_before_the_start_are_handled_in_the_process(tmp_path: Any) -> None:
    class Writer(Component):
        def note(self, text: str) -> None:
            (tmp_path / "note").write_text(f"{text} {os.getpid()}")

    app = Writer()
    app.fire(Event.create("note", "hello"))
    app.start(process=True)
    wait_until((tmp_path / "note").exists)

    assert end(app) == 0
    assert (tmp_path / "note").read_text() == f"hello {app.pid}"


def test_timers_and_generators_of_the_component_go_on_in_the_process(link: Any) -> None:
    class Clock(Component):
        def init(self) -> None:
            self.strokes = 0
            Timer(0.01, Event.create("stroke"), persist=True).register(self)

        def stroke(self) -> None:
            self.strokes += 1

        def ping(self) -> Any:
            while self.strokes < 3:
                yield sleep(0.01)
            yield "struck"

    app = Clock()
    app.start(process=True, link=link)

    assert ask(link, ping()) == "struck"
    assert end(app, link) == 0


def test_stop_lets_the_process_handle_what_is_queued_and_tell_that_it_stops(tmp_path: Any) -> None:
    class Polite(Component):
        def started(self, *_: Any) -> None:
            (tmp_path / "started").touch()

        def signal(self, number: int, *_: Any) -> None:
            (tmp_path / f"signal {number}").touch()

        def stopped(self, *_: Any) -> Any:
            yield
            (tmp_path / "stopped").touch()

    app = Polite()
    app.start(process=True)
    wait_until((tmp_path / "started").exists)

    assert end(app) == 0
    assert (tmp_path / f"signal {signal.SIGTERM}").exists()
    assert (tmp_path / "stopped").exists()


def test_a_process_that_is_stopped_while_it_starts_starts_and_stops(tmp_path: Any) -> None:
    class Polite(Component):
        def stopped(self, *_: Any) -> None:
            (tmp_path / f"stopped {os.getpid()}").touch()

    for _ in range(10):
        app = Polite()
        app.start(process=True)
        assert end(app) == 0
        assert (tmp_path / f"stopped {app.pid}").exists()


def test_a_process_that_does_not_stop_is_killed_after_a_time_of_grace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("circuits.core._start.GRACE", 0.05)

    class Stubborn(Component):
        def started(self, *_: Any) -> None:
            (tmp_path / "started").touch()

        def signal(self, event: Event, *_: Any) -> None:
            event.stop()

    app = Stubborn()
    app.start(process=True)
    wait_until((tmp_path / "started").exists)

    assert end(app) == -signal.SIGKILL


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (0, 0), (7, 7), ("because", 1)])
def test_the_exit_code_of_the_process_is_the_code_it_stops_with(code: Any, expected: int, capfd: Any) -> None:
    class Leaver(Component):
        def started(self, *_: Any) -> None:
            raise SystemExit(code)

    app = Leaver()
    process, _ = app.start(process=True)
    app.join()

    assert process.exitcode == expected
    assert capfd.readouterr().err == ("because\n" if code == "because" else "")


def test_a_component_can_be_started_as_several_processes_which_are_stopped_together() -> None:
    app = App()
    processes = [app.start(process=True)[0] for _ in range(3)]

    assert len({process.pid for process in processes}) == 3
    app.stop()
    app.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]


def test_a_component_that_was_a_process_can_be_started_again(link: Any) -> None:
    app = App()
    pids = []
    for _ in range(2):
        app.start(process=True, link=link)
        pids.append(ask(link, ping(), app._bridge))  # type: ignore[attr-defined]
        assert pids[-1] == app.pid
        assert end(app, link) == 0

    assert pids[0] != pids[1]


def test_a_running_tree_can_start_a_process_from_a_handler(tmp_path: Any) -> None:
    class Parent(Component):
        def init(self) -> None:
            self.app = App()

        def started(self, *_: Any) -> Any:
            self.app.start(process=True, link=self)
            yield self.wait("ready")
            self.value = (yield self.call(ipc(ping()))).value
            self.app.stop()
            yield self.wait("bridge_lost")
            self.app.join()
            self.stop()

    parent = Parent()
    parent.run()

    assert parent.value == parent.app.pid != os.getpid()


def test_a_coroutine_can_start_a_process() -> None:
    class Parent(Component):
        def init(self) -> None:
            self.app = App()

        async def started(self, *_: Any) -> None:
            self.app.start(process=True, link=self)
            await self.wait("ready")
            self.value = await self.call(ipc(ping()))
            self.app.stop()
            await self.wait("bridge_lost")
            self.app.join()
            self.stop()

    parent = Parent()
    parent.run()

    assert parent.value == parent.app.pid != os.getpid()


def test_a_running_tree_can_start_a_copy_of_itself(tmp_path: Any) -> None:
    class Twin(Component):
        def init(self) -> None:
            self.pid_of_parent = os.getpid()

        def started(self, *_: Any) -> None:
            (tmp_path / f"{os.getpid()}").touch()
            if os.getpid() == self.pid_of_parent:
                self.start(process=True)
            else:
                self.stop()

    twin = Twin()
    thread, _ = twin.start()
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    # The twin stops itself, and its parent goes on: it is another process.
    process = wait_until(lambda: twin._Manager__process)  # type: ignore[attr-defined]
    process.join(10)
    assert process.exitcode == 0
    assert twin.running
    twin.stop()
    twin.join()
    assert not thread.is_alive()


def test_a_process_can_start_a_process(link: Any) -> None:
    class Middle(Component):
        def init(self) -> None:
            self.inner: App | None = None

        def relay(self) -> Any:
            self.inner = App()
            _, bridge = self.inner.start(process=True, link=self)
            value = yield self.call(ipc(ping()), bridge)
            yield value.value

        def stopped(self, *_: Any) -> None:
            if self.inner is not None:
                self.inner.stop()
                self.inner.join()

    middle = Middle()
    middle.start(process=True, link=link)
    pid = ask(link, relay())

    assert len({pid, middle.pid, os.getpid()}) == 3
    assert end(middle, link) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# ── what must not be shared, and what must not be left ───────────────────────────────────────────────────────────────


def descriptors() -> list[str]:
    return sorted(os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _is_open(number))


def _is_open(number: str) -> bool:
    return os.path.islink(f"/proc/self/fd/{number}")


class Shower(Component):
    def show(self) -> Any:
        return descriptors()


def test_the_process_has_no_connection_of_its_parent(link: Any) -> None:
    here, there = socket.socketpair()
    parent = Component()
    parent._evtree.loop.poller.set_reader(here.fileno(), lambda: None)
    inode = os.readlink(f"/proc/self/fd/{here.fileno()}")
    app = Shower()
    app.start(process=True, link=link)

    assert inode not in ask(link, show())
    parent._evtree.loop.poller.discard(here.fileno())
    here.close()
    there.settimeout(10)
    assert there.recv(1) == b""
    there.close()
    assert end(app, link) == 0


def test_a_process_has_no_end_of_the_bridges_of_its_siblings(link: Any) -> None:
    apps = [Shower() for _ in range(3)]
    for app in apps:
        app.start(process=True, link=link)
    counts = [
        sum(name.startswith("socket:") for name in ask(link, show(), app._bridge))  # type: ignore[attr-defined]
        for app in apps
    ]

    assert counts[1:] == counts[:1] * 2
    for app in apps:
        assert end(app, link) == 0


def test_a_component_that_links_processes_to_itself_can_be_started_as_one_too(link: Any) -> None:
    app = Shower()
    inner = App()
    _, inner_bridge = inner.start(process=True, link=app)
    app.start(process=True, link=link)
    # The copy has no use for the bridge to a process that is not its child.
    value = link.fire(ipc(ipc(ping())))
    wait_until(lambda: value.done)

    assert value.value[0] is BridgeLostError
    assert end(app, link) == 0
    with running(app):
        assert ask(app, ping(), inner_bridge) == inner.pid
        assert end(inner, app) == 0


def test_the_process_ends_with_a_parent_that_has_not_stopped_it() -> None:
    program = """
    from circuits import Component

    class App(Component):
        def stopped(self, *_):
            print("stopped", flush=True)

    class Parent(Component):
        def ready(self, *_):
            print("ready", flush=True)
            self.stop()

    parent = Parent()
    App().start(process=True, link=parent)
    parent.run()
    """
    finished = run_program(textwrap.dedent(program)).check()
    assert finished.stdout == "ready\nstopped\n"
    assert finished.stderr == ""


def test_the_process_ends_when_its_parent_is_killed() -> None:
    program = """
    import os
    from circuits import Component

    class App(Component):
        def stopped(self, *_):
            print("stopped", flush=True)

    class Parent(Component):
        def ready(self, *_):
            print("ready", app.pid, flush=True)

    parent, app = Parent(), App()
    app.start(process=True, link=parent)
    parent.run()
    """
    with start_program(textwrap.dedent(program)) as program_running:
        program_running.wait_for("\n")
        program_running.process.kill()
        program_running.wait_for("stopped")


def test_both_stop_when_the_terminal_interrupts_both() -> None:
    program = """
    from circuits import Component

    class App(Component):
        def stopped(self, *_):
            print("child", flush=True)

    class Parent(Component):
        def ready(self, *_):
            print("ready", app.pid, flush=True)

        def stopped(self, *_):
            app.join()
            print("parent", flush=True)

    parent, app = Parent(), App()
    app.start(process=True, link=parent)
    parent.run()
    """
    with start_program(textwrap.dedent(program)) as both:
        pid = int(both.wait_for("\n").split()[1])
        os.kill(pid, signal.SIGINT)
        both.interrupt()
        finished = both.finish().check()

    assert finished.stdout.split()[2:] == ["child", "parent"]
    assert finished.stderr == ""


def test_a_system_without_fork_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(RuntimeError, match="this system has no fork"):
        App().start(process=True)


def test_waiting_for_a_process_takes_no_processor_time(link: Any) -> None:
    app = App()
    app.start(process=True, link=link)
    ask(link, ping())
    before = time.process_time()
    thread = threading.Thread(target=app.join)
    thread.start()
    thread.join(0.3)

    assert time.process_time() - before < 0.1
    assert end(app, link) == 0
    thread.join()
