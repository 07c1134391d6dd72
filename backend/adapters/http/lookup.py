"""The IP addresses of other servers' names, looked up in threads of their own.

The system's resolver cannot be interrupted: where no name server answers, it waits for half a minute. In gevent's own pool of ten threads such
lookups would keep every other name of the process waiting, Redis' and the store's among them.
"""

from __future__ import annotations

import socket
from _socket import getaddrinfo
from collections.abc import Iterable, Sequence

from gevent.event import AsyncResult
from gevent.lock import Semaphore
from gevent.threadpool import ThreadPool

from backend.adapters.http.address import HttpAddress
from backend.adapters.http.deadline import Deadline
from backend.adapters.http.failures import Late, NotReached
from backend.core.addresses import Network, may_be_asked, parsed

MAX_ADDRESSES = 8
LOOKUP_S = 10.0
"""For one name: as long as the system's resolver waits for one name server that is silent (resolv.conf(5): twice 5 s)."""
LOOKUP_THREADS = 128
"""One client has half of a process's downloads at most (``flows/fetch``). Even three silent name servers, 30 s a name, then leave threads over."""
IDLE_THREAD_S = 30


class Lookups:
    """One for each process."""

    def __init__(self) -> None:
        self._free = Semaphore(LOOKUP_THREADS)
        self._pool: ThreadPool | None = None

    def addresses(self, address: HttpAddress, allowed: Sequence[Network], deadline: Deadline) -> list[str]:
        """Those to connect to. Raises ``NotReached`` where there is none, or where one of them may not be asked: then the name is suspicious."""
        found = known_addresses(address) or self._look_up(address, deadline)
        check_addresses(found, allowed)
        return found[:MAX_ADDRESSES]

    def _look_up(self, address: HttpAddress, deadline: Deadline) -> list[str]:
        try:
            deadline.wait(lambda seconds: self._free.acquire(timeout=seconds), LOOKUP_S)
            task = self._start(address)
            deadline.wait(lambda seconds: task.wait(seconds) or task.ready(), LOOKUP_S)
        except Late as late:
            raise NotReached(f"{address.host} was not looked up in time") from late
        found = task.get()
        if isinstance(found, list):
            return found
        raise NotReached(f"{address.host}: {found}")

    def _start(self, address: HttpAddress) -> AsyncResult[list[str] | str]:
        """``_free`` has room again when the lookup has ended, however long its caller waits for it."""
        try:
            if self._pool is None:
                self._pool = ThreadPool(LOOKUP_THREADS, idle_task_timeout=IDLE_THREAD_S)
            task = self._pool.spawn(_system_addresses, address.host, address.port)
        except RuntimeError as error:
            self._free.release()
            raise NotReached(f"no thread for looking up {address.host}: {error}") from error
        task.rawlink(lambda _: self._free.release())
        return task


def check_addresses(found: Sequence[str], allowed: Sequence[Network]) -> None:
    """Raises ``NotReached`` when one of them may not be asked. ``allowed`` are networks that may be though they are not public."""
    for each in found:
        if not may_be_asked(parsed(each), allowed):
            raise NotReached(f"{each} may not be asked")


def known_addresses(address: HttpAddress) -> list[str]:
    """The address that the host is, in any of its spellings, without a lookup. Empty for names."""
    try:
        return _unique(getaddrinfo(address.host, address.port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST))
    except (OSError, UnicodeError):
        return []


def _system_addresses(host: str, port: int) -> list[str] | str:
    """In a thread, so the system's own function and not gevent's. An error comes back as text, since gevent's pool prints what a task raises."""
    try:
        return _unique(getaddrinfo(host, port, 0, socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        return repr(error)


def _unique(found: Iterable[tuple[object, object, object, object, tuple[object, ...]]]) -> list[str]:
    return list(dict.fromkeys(str(each[4][0]) for each in found))
