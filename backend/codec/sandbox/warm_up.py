"""What a child does while it waits for its order, so that the order takes less time: it runs the code that the order will run, on a picture of its
own, and touches the memory that the order will need. It prepares for another image like the last one.
"""

from __future__ import annotations

import ctypes
import functools
import io
import json
import os
import tempfile
from dataclasses import dataclass

from PIL import Image

from backend.codec import messages, pipeline
from backend.codec.encoders.encoder import Metadata
from backend.codec.encoders.registry import encoder_for
from backend.codec.image import jpeg_fast_path
from backend.codec.image.planning import View, plan_for
from backend.codec.image.steps.step import Traits
from backend.codec.native.source import Source
from backend.codec.progress.meter import EncodeMeter, Meter
from backend.codec.resource_limits import is_lossless
from backend.core.conversion import Conversion, Shape
from backend.core.formats import DEFAULT_OUTPUT, OUTPUT
from backend.core.limits import Limits
from backend.core.options import Options

SAMPLE_SIZE, SAMPLE_TIMEOUT_S = (64, 64), 60.0
HEAP_BYTES_A_PIXEL, LOSSLESS_HEAP_BYTES_A_PIXEL = 7, 28
"""A photograph of 0.6 megapixels takes as much (``bench/codec.py``); larger ones take half of it, as the fixed part weighs less."""
MAX_TOUCHED_BYTES = 8 << 20
"""What a waiting child touches of its heap at most."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """``touched_bytes`` of the heap; ``takes_fast_path``: the next image is expected on ``jpeg_fast_path`` in the output format ``output``."""

    touched_bytes: int
    takes_fast_path: bool = True
    output: str = DEFAULT_OUTPUT

    @classmethod
    def like(cls, conversion: Conversion) -> WarmUp:
        """For an image like this one."""
        return cls(min(_heap_bytes(conversion), MAX_TOUCHED_BYTES), _takes_fast_path(conversion), conversion.output.name)

    def run(self) -> None:
        """Raises what the codec raises; there is no untrusted byte in it."""
        _convert_sample(self.output)
        if not self.takes_fast_path:
            _encode_sample(self.output)
        ctypes.create_string_buffer(self.touched_bytes)  # the kernel clears it now; then it goes back to the heap, not to the kernel


def _heap_bytes(conversion: Conversion) -> int:
    """What a still takes of the heap, about."""
    shape = conversion.shape
    return shape.width * shape.height * (LOSSLESS_HEAP_BYTES_A_PIXEL if is_lossless(conversion.options) else HEAP_BYTES_A_PIXEL)


def _takes_fast_path(conversion: Conversion) -> bool:
    """As far as the header tells: a JPEG may yet be grey, or turned."""
    size = conversion.shape.width, conversion.shape.height
    plan = plan_for(conversion, View(size, is_certain=False))
    return conversion.shape.format == "jpeg" and jpeg_fast_path.suits(Traits(size, "RGB"), plan, encoder_for(conversion.output))


def _convert_sample(output: str) -> None:
    """A whole order for the sample: on the fast path where the output format accepts planes."""
    sample, line = _sample_order(output)
    order = messages.Order.from_message(json.loads(line))
    with _open_memory() as source, _open_memory() as result:
        source.write(sample)
        converted = pipeline.convert(Source(source.fileno()), result.fileno(), order.conversion, lambda _progress: None)
        messages.pack(messages.done_message(converted))


def _encode_sample(output: str) -> None:
    """What the fast path leaves out: a picture that is decoded as a whole."""
    with Image.open(io.BytesIO(_sample_order(output)[0]), formats=["JPEG"]) as image:
        image.load()
        unheard = EncodeMeter(Meter({"encode": 1.0}, lambda _progress: None), SAMPLE_TIMEOUT_S)
        with encoder_for(OUTPUT[output]).encode_still(image, Metadata(), Options(format=output), unheard):
            pass


@functools.cache
def _sample_order(output: str) -> tuple[bytes, bytes]:
    """A small picture and an order for it. The zygote's own warm-up fills this cache for its children."""
    sample = io.BytesIO()
    Image.new("RGB", SAMPLE_SIZE, "white").save(sample, "JPEG")
    conversion = Conversion(Shape("jpeg", *SAMPLE_SIZE), Options(format=output), Limits(), SAMPLE_TIMEOUT_S)
    return sample.getvalue(), messages.pack(messages.Order(conversion, {}).as_message())


def _open_memory() -> io.FileIO:
    """In memory where the kernel can; else a temporary file, which costs a path and a look at the disk."""
    try:
        return io.FileIO(os.memfd_create("warm-up"), "r+")
    except (AttributeError, OSError):
        with tempfile.TemporaryFile() as file:
            return io.FileIO(os.dup(file.fileno()), "r+")
