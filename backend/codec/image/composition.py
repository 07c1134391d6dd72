"""From the frames that an animated file stores to the canvases that a browser shows.

GIF89a §23, PNG (third edition) §13.3 and RFC 9649 §2.7 have one model. A frame is drawn at its place, and clipped to the canvas. After it was
shown, its rectangle is disposed of. What no frame has covered is nothing: transparent black.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PIL import Image, ImageMath

from backend.codec.encoders.encoder import Frame
from backend.codec.geometry import Size
from backend.codec.image.raw_frame import RawFrame
from backend.core.limits import Limits

NOTHING = (0, 0, 0, 0)
SHORT_MS, SHORT_PLAYED_MS = 10.0, 100.0
"""Every browser plays a frame of 10 ms or less for 100 ms (Chromium: ``DeferredImageDecoder::FrameDurationAtIndex``)."""
STRIP_PIXELS = 500_000
"""Blended in one go. Exact blending takes 32 bits a sample and a dozen samples a pixel."""
_IS_PARTIAL = [0, *[255] * 254, 0]

Box = tuple[int, int, int, int]


def compose(frames: Iterable[RawFrame], size: Size, limits: Limits) -> Iterator[Frame]:
    """Whole canvases, RGB where they are opaque, else RGBA. Raises ``TooManyFrames``, ``TooManyPixels``, and what ``frames`` raises.

    One canvas is kept, beside the one that is given away.
    """
    canvas, at_ms = Image.new("RGBA", size, NOTHING), 0.0
    for shown, frame in enumerate(frames, start=1):
        limits.check_pixels(*size, shown)
        until_ms = at_ms + played_ms(frame.duration_ms)
        yield Frame(_show(frame, canvas), round(at_ms), round(until_ms))
        at_ms = until_ms


def played_ms(duration_ms: float) -> float:
    """How long browsers show a frame that says ``duration_ms``."""
    return SHORT_PLAYED_MS if duration_ms <= SHORT_MS else duration_ms


def _show(frame: RawFrame, canvas: Image.Image) -> Image.Image:
    """The canvas with this frame on it. ``canvas`` becomes what the next frame is drawn on."""
    if frame.dispose == "none":
        _draw(frame, canvas)
        return _copy(canvas)
    shown = canvas.copy()
    _draw(frame, shown)
    box = _visible_box(frame, canvas.size)
    if box and frame.dispose == "background":
        canvas.paste(NOTHING, box)
    return shown.convert("RGB") if _is_opaque(shown) else shown


def _copy(canvas: Image.Image) -> Image.Image:
    """RGB where nothing is transparent: later steps then have less to do."""
    return canvas.convert("RGB") if _is_opaque(canvas) else canvas.copy()


def _is_opaque(canvas: Image.Image) -> bool:
    return canvas.getchannel("A").getextrema() == (255, 255)


def _draw(frame: RawFrame, canvas: Image.Image) -> None:
    box = _visible_box(frame, canvas.size)
    if box is None:
        return
    inside = _moved(box, -frame.left, -frame.top)
    image = frame.image if inside == (0, 0, *frame.image.size) else frame.image.crop(inside)
    if frame.blend == "source":
        canvas.paste(image, box)
    elif any(image.getchannel("A").histogram()[1:255]):
        _blend(image, canvas, box)
    else:
        canvas.paste(image, box, image)


def _visible_box(frame: RawFrame, size: Size) -> Box | None:
    """The part of the canvas that the frame covers; None where it covers no pixel."""
    left, top = max(0, frame.left), max(0, frame.top)
    right, bottom = min(size[0], frame.left + frame.image.width), min(size[1], frame.top + frame.image.height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _moved(box: Box, right: int, down: int) -> Box:
    return box[0] + right, box[1] + down, box[2] + right, box[3] + down


def _blend(image: Image.Image, canvas: Image.Image, box: Box) -> None:
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = 0, top, image.width, min(image.height, top + rows)
        on_canvas = _moved(strip, box[0], box[1])
        canvas.paste(over(image.crop(strip), canvas.crop(on_canvas)), on_canvas)


def over(above: Image.Image, below: Image.Image) -> Image.Image:
    """Both in straight alpha, and so is the result, rounded to nearest, as in Chromium.

    Pillow's own is as exact unless both pixels are half-transparent.
    """
    result = Image.alpha_composite(below, above)
    doubtful = above.getchannel("A").point(_IS_PARTIAL)
    doubtful.paste(0, mask=below.getchannel("A").point([255 - each for each in _IS_PARTIAL]))
    box = doubtful.getbbox()
    if box:
        result.paste(_exactly_over(above.crop(box), below.crop(box), result.crop(box).getchannel("A")), box, doubtful.crop(box))
    return result


def _exactly_over(above: Image.Image, below: Image.Image, alpha: Image.Image) -> Image.Image:
    """Weights are in steps of 255 × 255, and so is their sum, the alpha of the result."""
    weight = ImageMath.lambda_eval(lambda a: a["above"] * 255, above=above.getchannel("A"))
    weight_below = ImageMath.lambda_eval(lambda a: a["below"] * (255 - a["above"]), above=above.getchannel("A"), below=below.getchannel("A"))
    total = ImageMath.lambda_eval(lambda a: a["one"] + a["other"], one=weight, other=weight_below)
    colours = [
        ImageMath.lambda_eval(
            lambda a: a["convert"]((2 * (a["above"] * a["weight"] + a["below"] * a["weight_below"]) + a["total"]) / (2 * a["total"]), "L"),
            above=above.getchannel(name),
            below=below.getchannel(name),
            weight=weight,
            weight_below=weight_below,
            total=total,
        )
        for name in "RGB"
    ]
    return Image.merge("RGBA", (*colours, alpha))
