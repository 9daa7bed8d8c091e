"""Bytes in, messages out; messages in, bytes out. Nothing here knows sockets, clocks or threads.

    socket ── data ──▶ reader.receive(data) ──▶ messages

Rule 1: `receive` takes bytes, iteration gives messages: `for message in reader.receive(data): …`. How the bytes were
        split makes no difference, and what is not a message yet waits for more.
Rule 2: an error is raised in its place: the messages before it have been given. Where the reader can tell where the
        next message begins, a new `for` over the reader goes on there; where it cannot, it gives nothing any more.
Rule 3: every reader has a limit to what it keeps, with a name and a reason; None takes it away.
"""
