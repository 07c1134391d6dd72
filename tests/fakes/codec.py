"""A codec that follows a script: progress to report, things to do between, at last bytes or an error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from backend.core.conversion import Conversion, Converted, Progress, Stopped, Variants
from backend.core.variants import conversions

Step = Progress | BaseException | Callable[[], object]
RESULT = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"


class ScriptedCodec:
    """Asks ``should_stop`` after every step, as the real one does every tick."""

    def __init__(self, *steps: Step, result: bytes = RESULT, **facts: Any) -> None:
        self.steps: Iterable[Step] = steps
        self.result, self.facts = result, facts
        self.conversions: list[Conversion] = []
        self.sources: list[bytes] = []

    def convert(
        self,
        source_fd: int,
        result_fd: int,
        conversion: Conversion,
        *,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
        tick_s: float = 0.1,
        variants: Variants | None = None,
    ) -> Converted:
        self.conversions.append(conversion)
        self.sources.append(os.pread(source_fd, os.fstat(source_fd).st_size, 0))
        for step in self.steps:
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, Progress):
                on_progress(step)
            else:
                step()
            if should_stop():
                raise Stopped()
        shape = conversion.shape
        converted = Converted(len(self.result), shape.width, shape.height, shape.frames, {"seconds": {"encode": 0.5}, **self.facts})
        if variants is None:
            os.write(result_fd, self.result)
            return converted
        made = [self._make(variants, number, each, converted) for number, each in enumerate(conversions(conversion))]
        return made[0]

    def _make(self, variants: Variants, number: int, conversion: Conversion, converted: Converted) -> Converted:
        """Each with its own width, and bytes of its own at the end."""
        own = self.result + bytes([number])
        os.write(variants.open(number), own)
        made = replace(converted, bytes=len(own), width=conversion.options.width or converted.width)
        variants.keep(number, made)
        return made
