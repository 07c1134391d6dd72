"""The connection to the zygote: what is told once is remembered."""

from __future__ import annotations

import socket

import pytest

from backend.codec import messages
from backend.codec.host.zygote_client import ZygoteClient


def test_an_end_that_was_read_before_the_child_is_killed_is_not_waited_for() -> None:
    """A child that left half a line and died cost five seconds and the zygote, where its end was read before the line."""
    client, (ours, theirs) = ZygoteClient("off"), socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    client._control, client._reader = ours, messages.MessageReader(ours)
    with ours, theirs:
        theirs.sendall(messages.pack({"ended": 7, "number": 0}))
        assert client.read_exit_status() == 7
        theirs.setblocking(False)
        client.kill_child()
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
        assert client._control is ours
