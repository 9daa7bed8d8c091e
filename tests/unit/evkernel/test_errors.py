from __future__ import annotations

import errno

import pytest

from evkernel.errors import (
    FrameTooLong,
    HostError,
    KernelError,
    LineTooLong,
    LocalProtocolError,
    LoopClosed,
    NotPollable,
    ProtocolError,
    RemoteProtocolError,
    UnknownPoller,
)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (NotPollable, OSError),
        (UnknownPoller, ValueError),
        (LoopClosed, RuntimeError),
        (HostError, RuntimeError),
        (ProtocolError, ValueError),
    ],
)
def test_an_error_is_both_a_kernel_error_and_the_builtin_that_people_catch(
    error: type[Exception], builtin: type[Exception]
) -> None:
    assert issubclass(error, KernelError)
    assert issubclass(error, builtin)


def test_a_descriptor_that_cannot_be_watched_is_named_with_the_reason() -> None:
    error = NotPollable(7, "epoll", "it is not open", errno.EBADF)

    assert (error.fd, error.kind, error.errno) == (7, "epoll", errno.EBADF)
    assert str(error).endswith("epoll cannot watch descriptor 7: it is not open")


def test_our_mistake_and_the_peers_are_told_apart() -> None:
    assert issubclass(LocalProtocolError, ProtocolError)
    assert issubclass(RemoteProtocolError, ProtocolError)
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
    assert not issubclass(RemoteProtocolError, LocalProtocolError)


@pytest.mark.parametrize(("error", "what"), [(LineTooLong, "line"), (FrameTooLong, "message")])
def test_what_is_too_long_names_the_limit_and_is_the_mistake_of_the_peer(
    error: type[LineTooLong | FrameTooLong], what: str
) -> None:
    assert issubclass(error, RemoteProtocolError)
    assert error(512).limit == 512
    assert what in str(error(512))
    assert "512" in str(error(512))


def test_the_mistake_of_a_peer_may_have_a_number() -> None:
    assert RemoteProtocolError("no").status_hint is None
    assert RemoteProtocolError("no", status_hint=431).status_hint == 431
