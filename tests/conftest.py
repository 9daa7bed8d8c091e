"""Fixtures that every test has, and how hard Hypothesis searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from circuits import Component
from support.core import EventRecorder, clock_of, on_manual_clock, run_until_idle
from support.leaks import Holdings, kill_children

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from evkernel.testing import ManualClock

# No deadlines: a busy machine is not a bug. The short search is the same on every run, so that a change is never blamed
# for a bug it did not make; the long one (`make fuzz`) looks for those, and remembers what it found.
settings.register_profile("short", deadline=None, max_examples=50, derandomize=True, database=None)
settings.register_profile(
    "fuzz", deadline=None, max_examples=5000, database=DirectoryBasedExampleDatabase(".cache/hypothesis")
)
settings.load_profile("short")

_HAS_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_HAS_FAILED] = item.stash.get(_HAS_FAILED, False) or report.failed
    return report


@pytest.fixture(autouse=True)
def nothing_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a descriptor, a thread or a child process behind, or let it say why it may.

    A test that failed is left alone: its traceback keeps alive what it would have closed.
    """
    marker = request.node.get_closest_marker("leaks")
    if marker is not None and not (marker.args and marker.args[0]):
        pytest.fail("@pytest.mark.leaks needs a reason")
    before = Holdings.now()
    yield
    if marker is not None or request.node.stash.get(_HAS_FAILED, False):
        return
    if leaked := before.leaked_since():
        kill_children(leaked.children)
        pytest.fail(f"leaked {leaked}", pytrace=False)


class App(Component):
    """The root of a test's tree."""


@pytest.fixture
def app() -> Iterator[App]:
    """An empty tree on a clock that the test turns; it is ticked by hand."""
    app = on_manual_clock(App())
    yield app
    # pytest holds on to the tree for longer than the test lasts.
    app._evtree.loop.close()


@pytest.fixture
def clock(app: App) -> ManualClock:
    """The clock of `app`."""
    return clock_of(app)


@pytest.fixture
def recorder(app: App) -> EventRecorder:
    """A component of `app` that remembers every event."""
    recorder = EventRecorder().register(app)
    run_until_idle(app)
    recorder.clear()
    return recorder
