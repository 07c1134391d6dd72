"""Import once, fork after: Gunicorn's master loads the application's modules, and the workers share the memory and spare the time.

gevent patches the standard library first, as it must. In a master that was patched before Gunicorn was imported, Gunicorn would wait for signals in
gevent's loop; in one that is patched after that, gevent takes SIGCHLD away and no dead worker is replaced. So the master's loop keeps the originals
of the two modules with which it forks, waits and pauses. It never enters gevent's loop: no greenlet, thread or connection is there to be forked.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from gevent import monkey
from gunicorn import arbiter

OURS = "backend.server.worker"
KEPT = ("os", "time")


def suits(server: Any) -> bool:
    """Only for our own worker class, and not beside Gunicorn's reloader, which replaces a worker to get new code."""
    return not server.cfg.reload and any(each.__module__ == OURS for each in server.worker_class.__mro__)


def import_once(load: Callable[[], None]) -> None:
    """What ``load`` imports and makes is left alone by the garbage collector from here on, since it writes to what it looks at."""
    if not monkey.is_module_patched("os"):
        for name in KEPT:
            setattr(arbiter, name, SimpleNamespace(**vars(getattr(arbiter, name))))
    gc.disable()  # what it would free here are holes, in which the workers would then write
    try:
        monkey.patch_all()
        load()
    finally:
        gc.freeze()
        gc.enable()


def runs(command: list[str]) -> bool:
    """Run it in a new process. ``subprocess`` is gevent's by now."""
    _, status = arbiter.os.waitpid(os.posix_spawn(command[0], command, os.environ), 0)
    return os.waitstatus_to_exitcode(status) == 0
