"""A loader finds modules by name, in folders, eggs and zip archives, and makes the components that they define."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from circuits import BaseComponent, Component, Event, Loader
from support import EventRecorder, run_until_idle

PLUG = """
from circuits import BaseComponent, Component, Timer
from circuits.core.debugger import Debugger

class Plug(Component):
    def init(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs

    def hello(self):
        return "hello from a plug"
"""


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the path and the modules as they were."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plug.py").write_text(PLUG)
    return tmp_path


def archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("plug.py", PLUG)
    return path


def ask(root: BaseComponent, name: str, *args: Any) -> Any:
    value = root.fire(Event.create(name, *args))
    run_until_idle(root)
    return value.value


def test_a_component_is_loaded_and_registered(folder: Path) -> None:
    loader = Loader(paths=[str(folder)])
    plug = loader.load("plug")

    assert type(plug).__name__ == "Plug"
    assert plug.parent is loader
    assert ask(loader, "hello") == "hello from a plug"


def test_an_event_loads_as_well(folder: Path) -> None:
    app = Component()
    Loader(paths=[folder]).register(app)
    plug = ask(app, "load", "plug")

    assert ask(app, "hello") == "hello from a plug"
    assert plug.root is app


def test_what_is_loaded_is_not_registered_unless_that_is_wanted(folder: Path) -> None:
    loader = Loader(auto_register=False, paths=[folder])
    plug = loader.load("plug")

    assert plug.parent is plug
    assert loader.components == set()


def test_components_are_made_with_the_arguments_of_the_loader(folder: Path) -> None:
    plug = Loader(init_args=(1, 2), init_kwargs={"three": 3}, paths=[folder]).load("plug")

    assert (plug.args, plug.kwargs) == ((1, 2), {"three": 3})


@pytest.mark.parametrize("name", ["plugs.zip", "plugs-1.0-py3.egg"])
def test_components_are_loaded_from_archives(tmp_path: Path, name: str) -> None:
    plug = Loader(paths=[archive(tmp_path / name)]).load("plug")

    assert type(plug).__name__ == "Plug"


def test_eggs_in_a_folder_are_found_packed_or_not(tmp_path: Path) -> None:
    archive(tmp_path / "one.egg")
    (tmp_path / "two.egg").mkdir()
    (tmp_path / "two.egg" / "other.py").write_text(PLUG)
    loader = Loader(paths=[tmp_path])

    assert type(loader.load("plug")).__name__ == "Plug"
    assert type(loader.load("other")).__name__ == "Plug"


def test_several_components_come_in_the_order_of_their_definition(tmp_path: Path) -> None:
    (tmp_path / "plug.py").write_text(
        "from circuits import Component\nclass Z(Component): pass\nclass A(Component): pass\nAlias = Z"
    )
    found = Loader(paths=[tmp_path]).load("plug")

    assert [type(component).__name__ for component in found] == ["Z", "A"]


def test_only_what_the_module_itself_defines_and_shows_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text("from circuits import Component\nclass Base(Component): pass")
    (tmp_path / "plug.py").write_text(
        "from base import Base\nclass _Hidden(Base): pass\nclass Shown(Base): pass\nclass NoComponent: pass\n"
    )
    assert type(Loader(paths=[tmp_path]).load("plug")).__name__ == "Shown"


def test_a_list_of_public_names_says_what_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "plug.py").write_text(
        "from circuits import Component\n__all__ = ['B', 'text', 'missing']\ntext = ''\n"
        "class A(Component): pass\nclass B(Component): pass\n"
    )
    assert type(Loader(paths=[tmp_path]).load("plug")).__name__ == "B"


def test_a_module_is_loaded_anew_every_time(folder: Path) -> None:
    loader = Loader(paths=[folder])
    old = loader.load("plug")
    old.unregister()
    run_until_idle(loader)
    (folder / "plug.py").write_text(PLUG.replace("a plug", "another"))
    new = loader.load("plug")

    assert ask(loader, "hello") == "hello from another"
    assert sys.modules["plug"].Plug is type(new) is not type(old)


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        (None, ImportError, "No module named 'plug'"),
        ("no = 'component'", ImportError, r"the module plug \(.*plug\.py\) defines no component"),
        ("raise LookupError('not today')", LookupError, "not today"),
        ("def", SyntaxError, "invalid syntax"),
        (
            "from circuits import Component\nclass A(Component): pass\n"
            "class B(Component):\n    def init(self): raise LookupError('not today')",
            LookupError,
            "not today",
        ),
    ],
    ids=["missing", "without components", "raising", "no Python", "raising when made"],
)
def test_what_cannot_be_loaded_says_why_and_leaves_no_trace(
    tmp_path: Path, source: str | None, error: type[Exception], text: str
) -> None:
    if source is not None:
        (tmp_path / "plug.py").write_text(source)
    loader = Loader(paths=[tmp_path])
    before = dict(sys.modules)

    with pytest.raises(error, match=text):
        loader.load("plug")

    assert sys.modules == before
    assert loader.components == set()


def test_an_event_that_cannot_load_is_told_of(tmp_path: Path) -> None:
    class Ear(Component):
        def exception(self, kind: type, *_: Any, **__: Any) -> None:
            self.heard = kind

    app = Component()
    ear, recorder = Ear().register(app), EventRecorder().register(app)
    Loader(paths=[tmp_path]).register(app)
    event = Event.create("load", "plug")
    event.failure = True
    value = app.fire(event)
    run_until_idle(app)

    assert ear.heard is ModuleNotFoundError
    assert value.errors
    assert len(recorder.of("load_failure")) == 1


def test_paths_come_first_and_are_added_once(tmp_path: Path) -> None:
    rest = sys.path[:]
    one, two = tmp_path / "one", tmp_path / "two"
    Loader(paths=[one, two, one])
    Loader(paths=[two])

    assert sys.path == [str(one), str(two), *rest]


def test_the_channel_is_loader_unless_another_is_chosen() -> None:
    class Own(Loader):
        channel = "own"

    assert Loader().channel == "loader"
    assert Loader(channel="chosen").channel == "chosen"
    assert Own().channel == "own"
