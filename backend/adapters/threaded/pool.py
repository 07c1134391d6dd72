"""Real threads for the gateway's loop: what blocks runs in one of them while the loop goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, ParamSpec, TypeVar, cast

from gevent.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")
PAGE = 200
"""Items that ``iterate`` fetches in one turn of a thread."""


class Task:
    """A call that was started in a thread."""

    def __init__(self, result: Any) -> None:
        self._result = result

    @property
    def is_done(self) -> bool:
        return bool(self._result.ready())

    def wait(self) -> Exception | None:
        """What the call raised. A greenlet that is killed here leaves only when the call has ended."""
        try:
            _, error = cast(tuple[Any, Exception | None], self._result.get())
        except BaseException:
            self._result.wait()
            raise
        return error


class Threads:
    def __init__(self, count: int) -> None:
        self._count = count

    @cached_property
    def pool(self) -> ThreadPool:
        """Made when it is first used, which is after a fork: it belongs to the loop of one process."""
        return ThreadPool(self._count)

    def run(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return or raise what ``call`` does. A greenlet that is killed here leaves only when the call has ended: nobody closes a file under a write.

        gevent's pool prints every exception that a task raises, so errors come back as values and are raised here.
        """
        task = self.pool.spawn(_catch, call, arguments, named)
        try:
            answer, error = cast(tuple[T, Exception | None], task.get())
        except BaseException:
            task.wait()
            raise
        if error is not None:
            raise error
        return answer

    def run_all(self, call: Callable[[S], T], each_with: Sequence[S]) -> list[T]:
        """Run ``call`` with each, at the same time, and return what it returned, in their order. Raises what the first that failed raised."""
        tasks = [self.pool.spawn(_catch, call, (each,), {}) for each in each_with]
        try:
            done = [cast(tuple[T, Exception | None], task.get()) for task in tasks]
        except BaseException:
            for task in tasks:
                task.wait()
            raise
        for _, error in done:
            if error is not None:
                raise error
        return [answer for answer, _ in done]

    def start(self, call: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> Task:
        """Start ``call`` and return at once."""
        return Task(self.pool.spawn(_catch, call, arguments, named))

    def iterate(self, items: Iterator[T]) -> Iterator[T]:
        while page := self.run(_next_page, items):
            yield from page

    def close(self) -> None:
        if "pool" in self.__dict__:
            self.pool.kill()


def _catch(call: Callable[..., T], arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[T | None, Exception | None]:
    try:
        return call(*arguments, **named), None
    except Exception as error:
        return None, error


def _next_page(items: Iterator[T]) -> list[T]:
    return [item for _, item in zip(range(PAGE), items, strict=False)]
