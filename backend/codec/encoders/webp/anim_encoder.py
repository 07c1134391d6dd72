"""Many pictures into one animated WebP, through libwebpmux' own animation encoder: it finds what changed from frame to frame.

Every frame given is a whole canvas: the decoder has carried out the source's disposal and blending. Those of the result are the
encoder's choice. A frame that equals the one before lengthens it.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PIL import Image, ImageChops

from backend import errors
from backend.codec.encoders.webp import bitstream
from backend.codec.geometry import Size
from backend.codec.native import libwebp

NO_KEY_FRAMES = 2**31 - 2, 2**31 - 1
"""kmin and kmax: no key frames but the first. Key frames help seeking, which no browser does, and cost twice the bytes and the time."""
SMALL_CHANGE = 0.05
"""Share of the canvas. Clearing the frame before pays off only around small changes; trying it on every frame doubles the time."""
_VP8X_FLAGS_AT, _ALPHA_FLAG = 20, 0x10
"""RFC 9649 §2.7.1.1. libwebpmux sets it for frames with alpha, but not where frames without alpha leave a part of the canvas clear."""
_MINIMIZE_SIZE_OFFSET = 16
"""Where WebPAnimEncoder keeps ``options.minimize_size``: after its canvas' two sides and the options' background and loop count."""


class AnimEncoder:
    """WebPAnimEncoder: frames in, one file out. Opened by ``open_anim_encoder``."""

    def __init__(self, encoder: int, config: libwebp.Config, minimize_size: MinimizeSize) -> None:
        self._encoder, self._config, self._minimize_size = encoder, config, minimize_size
        self._has_alpha = False

    def add(self, image: Image.Image, at_ms: int, on_percent: Callable[[int], None]) -> None:
        """``image`` is shown from ``at_ms`` on; the encoder keeps it. Raises an error of the contract."""
        self._minimize_size.switch_for(image)
        self._has_alpha |= image.mode == "RGBA"
        with bitstream.import_picture(image, argb=True) as picture:
            bitstream.listen(picture, on_percent)
            if not libwebp.muxer().WebPAnimEncoderAdd(self._encoder, c.byref(picture), at_ms, c.byref(self._config)):
                raise self._error(picture)

    @contextmanager
    def assemble(self, at_ms: int) -> Iterator[memoryview]:
        """The file, in memory that libwebp owns, valid until the context ends. The last frame is shown until ``at_ms``."""
        library, data = libwebp.muxer(), libwebp.Data()
        library.WebPAnimEncoderAdd(self._encoder, None, at_ms, None)
        try:
            if not library.WebPAnimEncoderAssemble(self._encoder, c.byref(data)):
                raise self._error(None)
            webp = memoryview((c.c_ubyte * data.size).from_address(data.bytes)).cast("B")
            if self._has_alpha and bytes(webp[12:16]) == b"VP8X":
                webp[_VP8X_FLAGS_AT] |= _ALPHA_FLAG
            yield webp
        finally:
            libwebp.encoder().WebPFree(data.bytes)

    def _error(self, picture: libwebp.Picture | None) -> errors.GatewayError:
        said = libwebp.muxer().WebPAnimEncoderGetError(self._encoder).decode("ascii", "replace")
        if picture is not None and picture.error_code:
            return bitstream.error_for(picture.error_code, picture.width, picture.height)
        return errors.TooManyPixels("memory", private=said) if "memory" in said.lower() else errors.Internal(private=f"libwebpmux: {said}")


class MinimizeSize:
    """Has the encoder try both disposals (its ``minimize_size``) around small changes only, where that costs little time.

    The API sets this once for all frames, so it is changed in the encoder's own structure; where that does not look as expected, the encoder
    goes on as it began. Brings the bytes of ``gif2webp -min_size`` in half its time: without it the corpus' GIFs have up to 0.02 % more bytes,
    a true-colour sprite 1.3 %; ``minimize_size`` for all frames takes 1.8 to 2.4 times as long.
    """

    def __init__(self, encoder: int, size: Size, settings: libwebp.AnimOptions) -> None:
        self._is_mixed = bool(settings.allow_mixed)
        start = (c.c_int * 2).from_address(encoder)
        options = libwebp.AnimOptions.from_address(encoder + c.sizeof(start))
        is_as_expected = tuple(start) == size and bytes(options) == bytes(settings)
        self._flag = c.c_int.from_address(encoder + _MINIMIZE_SIZE_OFFSET) if is_as_expected else None
        self._before: Image.Image | None = None
        self._change = 1.0

    def switch_for(self, image: Image.Image) -> None:
        """On where this frame and the one before it together changed little; for mixed files always, since else frames of many colours are not
        tried without loss."""
        if self._flag is None:
            return
        change = _changed_share(self._before, image) if self._before is not None else 1.0
        self._flag.value = int(self._is_mixed or self._change + change < SMALL_CHANGE)
        self._before, self._change = image, change


def _changed_share(before: Image.Image, after: Image.Image) -> float:
    """The share of the canvas that the rectangle of all changes covers."""
    if before.mode != after.mode:
        before, after = before.convert("RGBA"), after.convert("RGBA")
    box = ImageChops.difference(before, after).getbbox(alpha_only=False)
    return (box[2] - box[0]) * (box[3] - box[1]) / (after.width * after.height) if box else 0.0


@contextmanager
def open_anim_encoder(size: Size, plays: int, config: libwebp.Config, *, is_mixed: bool = False) -> Iterator[AnimEncoder]:
    """``plays``: how often it is shown, 0 for ever (RFC 9649 §2.7.1.1). ``is_mixed``: each frame is tried without loss too, and the smaller one is
    kept. Raises ``MemoryError``."""
    library, settings = libwebp.muxer(), libwebp.AnimOptions()
    library.WebPAnimEncoderOptionsInitInternal(c.byref(settings), libwebp.MUX_ABI)
    settings.loop_count = plays
    settings.background = 0
    settings.kmin, settings.kmax = NO_KEY_FRAMES
    settings.allow_mixed = int(is_mixed)
    encoder = library.WebPAnimEncoderNewInternal(*size, c.byref(settings), libwebp.MUX_ABI)
    if not encoder:
        raise MemoryError("libwebpmux gives no encoder")
    try:
        yield AnimEncoder(encoder, config, MinimizeSize(encoder, size, settings))
    finally:
        library.WebPAnimEncoderDelete(encoder)
