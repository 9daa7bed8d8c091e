from __future__ import annotations

import os
import sys

import pytest

from support import simulated_kqueue as kq
from support.simulated_kqueue import load_poll_module


def test_the_module_thinks_that_it_is_on_a_system_with_kqueue() -> None:
    module = load_poll_module()

    assert module.available_kinds() == ("kqueue", "poll", "select")
    assert sys.platform == "linux"
    assert not hasattr(sys.modules["select"], "kqueue")


def test_each_direction_has_a_filter_and_an_event_of_its_own() -> None:
    queue, (reader, writer) = kq.kqueue(), os.pipe()
    queue.control([kq.kevent(reader, kq.KQ_FILTER_READ), kq.kevent(writer, kq.KQ_FILTER_WRITE)], 0)
    os.write(writer, b"x")

    events = {(event.ident, event.filter) for event in queue.control(None, 10, 0)}

    assert events == {(reader, kq.KQ_FILTER_READ), (writer, kq.KQ_FILTER_WRITE)}
    queue.close()
    os.close(reader)
    os.close(writer)


def test_deleting_what_is_not_there_is_an_error() -> None:
    queue, (reader, writer) = kq.kqueue(), os.pipe()

    with pytest.raises(FileNotFoundError):
        queue.control([kq.kevent(reader, kq.KQ_FILTER_READ, kq.KQ_EV_DELETE)], 0)

    os.close(writer)
    queue.close()
    os.close(reader)
