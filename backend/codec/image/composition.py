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
    """Whole canvases: RGB where they are known to be opaque, else RGBA. Raises ``TooManyFrames``, ``TooManyPixels``, and what ``frames`` raises.

    One canvas is kept, beside the one that is given away. The images of ``frames`` may be given away too.
    """
    canvas, at_ms = Image.new("RGBA", size, NOTHING), 0.0
    for number, frame in enumerate(frames, start=1):
        limits.check_pixels(*size, number)
        until_ms = at_ms + played_ms(frame.duration_ms)
        shown, canvas = _show(frame, canvas)
        yield Frame(shown, round(at_ms), round(until_ms))
        at_ms = until_ms


def compose_first(frame: RawFrame, size: Size) -> Image.Image:
    """The first canvas alone, without a copy."""
    if (frame.left, frame.top, *frame.image.size) == (0, 0, *size):
        return frame.image
    return _draw(frame, Image.new("RGBA", size, NOTHING), _visible_box(frame, size))


def played_ms(duration_ms: float) -> float:
    """How long browsers show a frame that says ``duration_ms``."""
    return SHORT_PLAYED_MS if duration_ms <= SHORT_MS else duration_ms


def without_alpha(image: Image.Image) -> Image.Image:
    """RGB where ``image`` is opaque; else ``image`` itself."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image


def _show(frame: RawFrame, canvas: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The canvas with this frame on it, and what the next frame is drawn on. Either may be ``canvas``."""
    box = _visible_box(frame, canvas.size)
    if frame.dispose == "none":
        drawn = _draw(frame, canvas, box)
        return drawn.copy(), drawn
    if box is None:
        return canvas.copy(), canvas
    return _draw(frame, canvas.copy(), box), _clear(canvas, box) if frame.dispose == "background" else canvas


def _draw(frame: RawFrame, canvas: Image.Image, box: Box | None) -> Image.Image:
    """``canvas`` itself unless its mode must change. An opaque one is RGB, so that this and all later steps have less to do."""
    if box is None:
        return canvas
    inside = _move(box, -frame.left, -frame.top)
    image = frame.image if inside == (0, 0, *frame.image.size) else frame.image.crop(inside)
    if image.size == canvas.size:
        image = without_alpha(image) if frame.blend == "source" else image
        if image.mode == "RGB":
            return image
    if frame.blend == "over" and image.mode == "RGBA":
        draw_over(image, canvas, box)
        return canvas
    if image.mode == "RGBA" and canvas.mode == "RGB":
        canvas = canvas.convert("RGBA")
    canvas.paste(image, box)
    return canvas


def draw_over(image: Image.Image, canvas: Image.Image, box: Box) -> None:
    """``image`` is RGBA. A paste by mask mixes exactly where either the canvas is opaque or no pixel is half-transparent."""
    if canvas.mode == "RGB" or not any(image.getchannel("A").histogram()[1:255]):
        canvas.paste(image, box, image)
    else:
        _blend(image, canvas, box)


def _clear(canvas: Image.Image, box: Box) -> Image.Image:
    cleared = canvas if canvas.mode == "RGBA" else canvas.convert("RGBA")
    cleared.paste(NOTHING, box)
    return cleared


def _visible_box(frame: RawFrame, size: Size) -> Box | None:
    """The part of the canvas that the frame covers; None where it covers no pixel."""
    left, top = max(0, frame.left), max(0, frame.top)
    right, bottom = min(size[0], frame.left + frame.image.width), min(size[1], frame.top + frame.image.height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _move(box: Box, right: int, down: int) -> Box:
    return box[0] + right, box[1] + down, box[2] + right, box[3] + down


def _blend(image: Image.Image, canvas: Image.Image, box: Box) -> None:
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = 0, top, image.width, min(image.height, top + rows)
        on_canvas = _move(strip, box[0], box[1])
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
