"""Many pictures into one animated WebP, through libwebp's own animation encoder: it finds what changed from frame to frame.

Every frame given is a whole canvas; disposal and blending of the source were carried out by the decoder, those of the result are the
encoder's choice. Frames that equal the one before lengthen it.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image, ImageChops

from backend import errors
from backend.codec.encoders import still
from backend.codec.native import libwebp

FURTHEST_KEY_FRAMES = 2**31 - 2, 2**31 - 1
"""kmin and kmax: no key frames but the first. Key frames help seeking, which no browser does, and cost twice the bytes and the time."""


SMALL_CHANGE = 0.05
"""Share of the canvas. Clearing the frame before pays off only after small ones; trying it on every frame doubles the time."""
_MINIMIZE_AT = 16
"""Where WebPAnimEncoder keeps ``options.minimize_size``: after its canvas' two sides and the options' background and loop count."""


class Animation:
    """Frames in, one file out; by ``animation``."""

    def __init__(self, encoder: int, config: libwebp.Config, thrift: Thrift) -> None:
        self._encoder, self._config, self._thrift = encoder, config, thrift

    def add(self, image: Image.Image, at_ms: int, on_percent: Callable[[int], None]) -> None:
        """``image`` is shown from ``at_ms`` on, and is left to this animation. Raises an error of the contract."""
        self._thrift.consider(image)
        with still.picture_of(image, argb=True) as picture:
            still.listen(picture, on_percent)
            if not libwebp.muxer().WebPAnimEncoderAdd(self._encoder, c.byref(picture), at_ms, c.byref(self._config)):
                raise self._refusal(picture)

    @contextmanager
    def finished(self, at_ms: int) -> Iterator[memoryview]:
        """The last frame is shown until ``at_ms``. The file, in memory that libwebp owns, valid until the context ends."""
        library, data = libwebp.muxer(), libwebp.Data()
        library.WebPAnimEncoderAdd(self._encoder, None, at_ms, None)
        try:
            if not library.WebPAnimEncoderAssemble(self._encoder, c.byref(data)):
                raise self._refusal(None)
            yield memoryview((c.c_ubyte * data.size).from_address(data.bytes)).cast("B")
        finally:
            libwebp.encoder().WebPFree(data.bytes)

    def _refusal(self, picture: libwebp.Picture | None) -> errors.GatewayError:
        said = libwebp.muxer().WebPAnimEncoderGetError(self._encoder).decode("ascii", "replace")
        if picture is not None and picture.error_code:
            return still.refusal(picture.error_code, picture.width, picture.height)
        return errors.TooManyPixels("memory", private=said) if "memory" in said.lower() else errors.Internal(private=f"libwebpmux: {said}")


class Thrift:
    """Has the encoder try both disposals (its ``minimize_size``) where that costs little: around small changes.

    The API sets this once for all frames. It is changed between frames in the encoder's own options, where these are found to lie as
    expected; elsewhere the encoder goes on as it began. On the corpus: the bytes of trying everywhere, in the time of never trying.
    """

    def __init__(self, encoder: int, size: tuple[int, int], settings: libwebp.AnimOptions) -> None:
        start = (c.c_int * 2).from_address(encoder)
        options = libwebp.AnimOptions.from_address(encoder + c.sizeof(start))
        is_known = tuple(start) == size and bytes(options) == bytes(settings)
        self._flag = c.c_int.from_address(encoder + _MINIMIZE_AT) if is_known else None
        self._before: Image.Image | None = None
        self._change = 1.0

    def consider(self, image: Image.Image) -> None:
        if self._flag is None:
            return
        change = _changed(self._before, image) if self._before is not None else 1.0
        self._flag.value = int(self._change + change < SMALL_CHANGE)
        self._before, self._change = image, change


def _changed(before: Image.Image, after: Image.Image) -> float:
    """The share of the canvas that the rectangle of all changes covers."""
    if before.mode != after.mode:
        before, after = before.convert("RGBA"), after.convert("RGBA")
    box = ImageChops.difference(before, after).getbbox(alpha_only=False)
    return (box[2] - box[0]) * (box[3] - box[1]) / (after.width * after.height) if box else 0.0


@contextmanager
def animation(size: tuple[int, int], plays: int, config: libwebp.Config) -> Iterator[Animation]:
    """``plays``: how often it is shown, 0 for ever (RFC 9649 §2.7.1.1)."""
    library, settings = libwebp.muxer(), libwebp.AnimOptions()
    library.WebPAnimEncoderOptionsInitInternal(c.byref(settings), libwebp.MUX_ABI)
    settings.loop_count = plays
    settings.background = 0
    settings.kmin, settings.kmax = FURTHEST_KEY_FRAMES
    encoder = library.WebPAnimEncoderNewInternal(*size, c.byref(settings), libwebp.MUX_ABI)
    if not encoder:
        raise MemoryError("libwebpmux gives no encoder")
    try:
        yield Animation(encoder, config, Thrift(encoder, size, settings))
    finally:
        library.WebPAnimEncoderDelete(encoder)
