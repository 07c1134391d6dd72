"""What is set on the clients' sockets before a request is read: how the kernel finds dead peers, how much of an answer it takes, TLS."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import gevent

NOT_SENT_BYTES = 128 * 1024
"""What the kernel takes of an answer beyond what the client's window lets it send. Hundreds of clients that read nothing would fill its memory."""
KEEPALIVE_OPTIONS = (("SO_KEEPALIVE", 1), ("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 60_000))
"""A client that vanished without a word (power, cable, NAT) is given up after a minute, whether it sends or we do. In s; the last in ms."""


def shake_hands(client: Any, context: ssl.SSLContext, most_s: float) -> Any:
    """The client's socket under TLS; None for one that cannot do it in time. gevent's server would wait without end."""
    try:
        with gevent.Timeout(most_s, TimeoutError("slow handshake")):
            return context.wrap_socket(client, server_side=True)
    except OSError:  # ssl.SSLError is one
        client.close()
        return None


def set_options(listener: Any) -> None:
    """Accepted sockets inherit these options. A platform that lacks one keeps its own times."""
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for name, value in (*KEEPALIVE_OPTIONS, ("TCP_NOTSENT_LOWAT", NOT_SENT_BYTES)):
        if (option := getattr(socket, name, None)) is not None:
            listener.setsockopt(socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP, option, value)
