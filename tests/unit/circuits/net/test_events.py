from __future__ import annotations

import pytest

from circuits.core.events import Event
from circuits.net import events


@pytest.mark.parametrize("name", events.__all__)
def test_an_event_is_named_like_its_class(name: str) -> None:
    cls = getattr(events, name)
    assert issubclass(cls, Event)
    assert cls.name == name


def test_a_client_is_ready_by_itself_and_a_server_where_it_is_bound() -> None:
    assert events.ready("client").args == ("client",)
    assert events.ready("server", ("host", 1)).args == ("server", ("host", 1))


def test_unreachable_tells_why_if_that_is_known() -> None:
    assert events.unreachable("host", 1).args == ("host", 1, None)
    assert events.unreachable("host", 1, "why").args == ("host", 1, "why")


def test_connecting_takes_options() -> None:
    assert events.connect("host", 1, secure=True).kwargs == {"secure": True}
