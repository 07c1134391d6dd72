"""What the product makes of a file: a lossless WebP by its sealed codec, or the error that a client gets."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass

from backend import errors
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion
from backend.core.formats import sniff
from backend.core.image_headers import read_shape
from backend.core.limits import Limits
from backend.core.options import Options

OPTIONS = Options(lossless=True, method=0)
LIMITS = Limits()


@dataclass(frozen=True)
class Outcome:
    """``data`` is the result, or ``error`` the error's code and variant."""

    data: bytes = b""
    error: str = ""


def outcome(codec: SealedCodec, data: bytes, options: Options = OPTIONS) -> Outcome:
    image_format = sniff(data[:4096])
    if image_format is None or image_format.pillow is None:
        return Outcome(error="unsupported_format")
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(data)
        given.flush()
        try:
            shape = read_shape(image_format, lambda at, length: os.pread(given.fileno(), length, at), len(data), LIMITS)
            conversion = Conversion(shape, options, LIMITS)
            done = codec.convert(given.fileno(), result.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)
        except errors.GatewayError as error:
            return Outcome(error=".".join(filter(None, (error.code, error.variant))))
        return Outcome(os.pread(result.fileno(), done.bytes + 1, 0))
