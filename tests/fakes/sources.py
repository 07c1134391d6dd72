"""Other people's servers: what each address answers, as chunks, errors, or calls that happen in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from backend import errors

Step = bytes | errors.GatewayError | Callable[[], None]


@dataclass
class MemoryDownload:
    steps: list[Step]
    filename: str = ""
    size_bytes: int | None = None
    is_open: bool = True

    def chunks(self) -> Iterator[bytes]:
        for step in self.steps:
            if isinstance(step, bytes):
                yield step
            elif isinstance(step, errors.GatewayError):
                raise step
            else:
                step()

    def close(self) -> None:
        self.is_open = False


@dataclass
class MemorySources:
    answers: dict[str, MemoryDownload] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def check(self, url: str) -> str:
        if url.startswith("http://inside"):
            raise errors.BadRequest("url_unreachable")
        return url.rsplit("/", 1)[-1]

    def open(self, url: str, pulse: Callable[[], None]) -> MemoryDownload:
        self.asked.append(url)
        pulse()
        return self.answers[url]
