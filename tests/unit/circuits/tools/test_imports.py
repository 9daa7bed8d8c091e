from __future__ import annotations

import json
import os.path
import sys
import warnings
from pathlib import Path

import pytest

from circuits import Component, Event
from circuits.tools import deprecated, tryimport


@pytest.mark.parametrize(
    "modules", ["json", ["json"], ("missing_module", "json", "os"), iter(["missing_module", "json"])]
)
def test_the_first_module_that_is_there_is_imported(modules: str | list[str]) -> None:
    assert tryimport(modules) is json


def test_a_module_in_a_package_is_given_itself() -> None:
    assert tryimport("os.path") is os.path


def test_an_object_comes_from_the_first_module_that_has_it() -> None:
    assert tryimport(("missing_module", "os", "json"), "loads") is json.loads


def test_without_any_there_is_none() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert tryimport("missing_module") is None
        assert tryimport("json", "missing_object") is None


def test_without_any_the_message_is_a_warning_where_it_was_wanted() -> None:
    with pytest.warns(UserWarning, match=r"^install it$") as caught:
        assert tryimport(("missing_module",), message="install it") is None

    assert caught[0].filename == __file__


def test_a_module_that_is_broken_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_module.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ZeroDivisionError):
        tryimport(("broken_module", "json"))
    assert "broken_module" not in sys.modules


@deprecated
def old(x: int, *, y: int = 0) -> int:
    """Add."""
    return x + y


def test_a_deprecated_function_warns_where_it_is_called_and_works() -> None:
    with pytest.warns(DeprecationWarning, match=r"\.old is deprecated$") as caught:
        assert old(1, y=2) == 3

    assert caught[0].filename == __file__
    assert (old.__name__, old.__doc__) == ("old", "Add.")


def test_a_deprecated_handler_is_still_a_handler_and_gets_its_event() -> None:
    class App(Component):
        @deprecated
        def greet(self, event: Event, name: str) -> str:
            return f"{event.name} {name}"

    app = App()
    value = app.fire(Event.create("greet", "Bob"))
    with pytest.warns(DeprecationWarning, match=r"App\.greet is deprecated"):
        app.flush()

    assert value.value == "greet Bob"
