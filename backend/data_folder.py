"""One gateway a data folder: the lock, and who holds it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO

from backend.errors import CannotStart
from backend.settings import Settings
from backend.start_block import address


@contextmanager
def lock_data_folder(settings: Settings, pid: int | None = None) -> Iterator[None]:
    """One gateway a data folder. The lock says which process holds it: ``pid``, or this one. Raises ``CannotStart`` where another has it, which is
    left alone."""
    with ExitStack() as held:
        try:
            settings.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            settings.run_dir.chmod(0o700)
            lock = held.enter_context(open(settings.run_dir / "supervisor.lock", "a+"))
        except OSError as error:
            raise CannotStart.of_folder(settings.run_dir, error, "GATEWAY_DATA_DIR") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise running_already(settings, lock) from None
        lock.truncate(0)
        print(pid or os.getpid(), address(settings), file=lock, flush=True)
        shutil.rmtree(settings.run_dir / "metrics", ignore_errors=True)  # of one that was killed: counts begin anew, as those of Redis do
        (settings.run_dir / "api_keys.json").unlink(missing_ok=True)  # else a start with a wrong file of keys would find the killed one's
        try:
            yield
        finally:
            shutil.rmtree(settings.run_dir, ignore_errors=True)


def running_already(settings: Settings, lock: TextIO) -> CannotStart:
    lock.seek(0)
    pid, _, its_address = lock.read().strip().partition(" ")
    return CannotStart("already_running", folder=settings.data_dir, pid=pid or "?", address=f"{its_address}/")
