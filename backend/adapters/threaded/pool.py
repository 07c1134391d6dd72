"""Real threads for the gateway's loop: what blocks runs in one of them while the loop goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from gevent.threadpool import ThreadPool

T = TypeVar("T")
PAGE = 200


class Task:
    def __init__(self, result: Any) -> None:
        self._result = result

    @property
    def is_done(self) -> bool:
        return bool(self._result.ready())

    def wait(self) -> Exception | None:
        """What it raised. A greenlet that is killed meanwhile leaves only when the task has ended."""
        try:
            _, error = cast(tuple[Any, Exception | None], self._result.get())
        except BaseException:
            self._result.wait()
            raise
        return error


class Threads:
    def __init__(self, count: int) -> None:
        self.pool = ThreadPool(count)

    def run(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """What ``call`` returns or raises. A greenlet that is killed meanwhile leaves only when ``call`` has: nobody closes a file under a write.

        gevent's pool prints every exception that a task raises, so errors come back as values and are raised here.
        """
        task = self.pool.spawn(_caught, call, arguments)
        try:
            answer, error = cast(tuple[Any, Exception | None], task.get())
        except BaseException:
            task.wait()
            raise
        if error is not None:
            raise error
        return answer

    def begin(self, call: Callable[..., Any], *arguments: Any) -> Task:
        """``call`` on its way, while the caller goes on."""
        return Task(self.pool.spawn(_caught, call, arguments))

    def walk(self, items: Iterator[T]) -> Iterator[T]:
        """``items``, of which ``PAGE`` are drawn at a time."""
        while page := self.run(_page, items):
            yield from page

    def close(self) -> None:
        self.pool.kill()


def _caught(call: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    try:
        return call(*arguments), None
    except Exception as error:
        return None, error


def _page(items: Iterator[T]) -> list[T]:
    return [item for _, item in zip(range(PAGE), items, strict=False)]
