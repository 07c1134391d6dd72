"""What codec tests share: one sealed codec for a session, images made on the spot, and what came of a conversion."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pillow_heif
import pytest
from PIL import Image

from backend.codec.sealed import SealedCodec
from backend.core.conversion import REPORT_EVERY_S, Conversion, Converted, Progress, Shape
from backend.core.formats import sniff
from backend.core.image_headers import read_shape
from backend.core.limits import Limits
from backend.core.options import Options
from backend.core.watermark import Watermark

pillow_heif.register_heif_opener()
EACH_STEP_S = 0.001
"""Between two reports: so none is left out for coming too soon, on however quick a machine."""
CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"


def corpus(folder: str) -> list[Path]:
    """Real images, where this machine has them; a test over none of them is skipped."""
    return sorted((CORPUS / folder).glob("*")) if CORPUS.is_dir() else []


@dataclass
class Outcome:
    """A finished conversion: the file and what was reported on the way."""

    converted: Converted
    data: bytes
    reports: list[Progress] = field(default_factory=list)
    variants: list[Outcome] = field(default_factory=list)
    """In the order asked for; ``order`` is that in which they came."""
    order: list[int] = field(default_factory=list)

    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self.data))


class Variants:
    """Takes them, in files of its own (``core.conversion.Variants``)."""

    def __init__(self) -> None:
        self.files: dict[int, IO[bytes]] = {}
        self.kept: dict[int, Converted] = {}

    def open(self, number: int) -> int:
        self.files[number] = tempfile.TemporaryFile()  # noqa: SIM115 (``close`` closes it)
        return self.files[number].fileno()

    def keep(self, number: int, converted: Converted) -> None:
        assert number not in self.kept
        self.kept[number] = converted

    def outcomes(self) -> list[Outcome]:
        return [Outcome(converted, os.pread(self.files[number].fileno(), converted.bytes + 1, 0)) for number, converted in sorted(self.kept.items())]

    def close(self) -> None:
        for each in self.files.values():
            each.close()


Convert = Callable[..., Outcome]


@pytest.fixture(scope="session")
def codec() -> Iterator[SealedCodec]:
    sealed = SealedCodec(sandbox="prefer")
    sealed.start()
    yield sealed
    sealed.close()


@pytest.fixture
def convert(codec: SealedCodec) -> Convert:
    """``convert(bytes or path, limits=…, timeout_s=…, report_every_s=…, mark=…, chosen_method=…, **options)``."""

    def run(
        source: bytes | Path,
        limits: Limits = Limits(),
        timeout_s: float = 60.0,
        report_every_s: float = REPORT_EVERY_S,
        mark: Watermark | None = None,
        chosen_method: int | None = None,
        **options: Any,
    ) -> Outcome:
        if mark is not None:
            options["watermark"] = "mark"
        data = source.read_bytes() if isinstance(source, Path) else source
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
            given.write(data)
            given.flush()
            reports: list[Progress] = []
            with closing(Variants()) as variants:
                converted = codec.convert(
                    given.fileno(),
                    result.fileno(),
                    Conversion(declared(data, limits), Options(**options), limits, timeout_s, report_every_s, mark, chosen_method),
                    on_progress=reports.append,
                    should_stop=lambda: False,
                    variants=variants,
                )
                several = variants.outcomes()
            data = several[0].data if several else os.pread(result.fileno(), converted.bytes + 1, 0)
            return Outcome(converted, data, reports, several, list(variants.kept))

    return run


def declared(data: bytes, limits: Limits = Limits()) -> Shape:
    image_format = sniff(data[:4096])
    assert image_format is not None and image_format.pillow
    return read_shape(image_format, lambda at, length: data[at : at + length], len(data), limits)


def saved(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def picture(width: int = 320, height: int = 200, mode: str = "RGB") -> Image.Image:
    """Something with slopes, edges and grain, the same each time."""
    red = Image.linear_gradient("L").resize((width, height))
    green = Image.radial_gradient("L").resize((width, height))
    blue = red.transpose(Image.Transpose.ROTATE_180).point(lambda value: value ^ (value >> 3 & 7))
    image = Image.merge("RGB", (red, green, blue))
    if mode in ("RGBA", "LA"):
        image.putalpha(green)
    return image if image.mode == mode else image.convert(mode)
