from __future__ import annotations

import errno

import pytest

from evkernel.errors import HostError, KernelError, LoopClosed, NotPollable, UnknownPoller


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(NotPollable, OSError), (UnknownPoller, ValueError), (LoopClosed, RuntimeError), (HostError, RuntimeError)],
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
