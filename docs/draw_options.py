"""Draws the pictures of ``docs/reference/options.md``: what each option does to the sample, or to a drawing that shows it better.

    tests/.venv/bin/python docs/draw_options.py [NAME …]

Each panel is a conversion by the codec itself. Its caption is the options that were given, and where bytes are the matter, the size of the result.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.codec.sealed import SealedCodec  # noqa: E402
from backend.core import options  # noqa: E402
from backend.core.conversion import Conversion  # noqa: E402
from backend.core.formats import sniff  # noqa: E402
from backend.core.image_headers import read_shape  # noqa: E402
from backend.core.limits import Limits  # noqa: E402
from backend.core.watermark import Placement, Watermark  # noqa: E402

TARGET = ROOT / "docs" / "images" / "options"
PANEL = (240, 160)
MARGIN, CAPTION = 8, 22
PAPER, INK, BOX = (250, 250, 248), (40, 40, 44), (214, 60, 60)
CHECKS = ((236, 236, 236), (255, 255, 255))
SQUARE = 8
Source = Callable[[], bytes]


@dataclass(frozen=True)
class Strip:
    """``crop`` is a part of the result, by its left, top, width and height, enlarged to the panel without smoothing. ``box`` draws width × height."""

    source: Source
    panels: tuple[str, ...]
    has_size: bool = False
    crop: tuple[int, int, int, int] | None = None
    box: tuple[int, int] | None = None


def photograph() -> bytes:
    return (ROOT / "docs" / "images" / "sample.jpg").read_bytes()


def small_photograph() -> bytes:
    with Image.open(io.BytesIO(photograph())) as image:
        return _png(image.resize((480, 320)))


def drawing() -> bytes:
    """Flat colours, fine lines and letters, as in a chart or a screenshot."""
    image = Image.new("RGB", (480, 320), "white")
    draw = ImageDraw.Draw(image)
    for number, height in enumerate((90, 150, 120, 210, 180, 250)):
        draw.rectangle((40 + 70 * number, 290 - height, 90 + 70 * number, 290), fill=("#d22", "#26c", "#292")[number % 3])
        draw.text((44 + 70 * number, 270 - height), f"{height}", fill="black", font=_font(14))
    draw.line((30, 290, 460, 290), fill="black", width=2)
    return _png(image)


def framed() -> bytes:
    """A drawing in a frame of white, which is in a frame of a light grey."""
    image = Image.new("RGB", (600, 400), "#e8e8e8")
    image.paste("white", (30, 30, 570, 370))
    with Image.open(io.BytesIO(small_photograph())) as inner:
        image.paste(inner.resize((420, 280)), (90, 60))
    return _png(image)


def soft_shadow() -> bytes:
    """A disc whose edge fades into transparency."""
    image, radius = Image.new("RGBA", (480, 320)), 130
    alpha = Image.new("L", image.size)
    for step in range(radius, 60, -1):
        ImageDraw.Draw(alpha).ellipse((240 - step, 160 - step, 240 + step, 160 + step), fill=255 * (radius - step) // (radius - 60))
    image.paste((30, 90, 200), (0, 0, *image.size))
    image.putalpha(alpha)
    return _png(image)


def red_on_blue() -> bytes:
    image = Image.new("RGB", (480, 320), (20, 40, 190))
    draw = ImageDraw.Draw(image)
    draw.text((60, 90), "sharp", fill=(250, 40, 40), font=_font(120))
    return _png(image)


def lying_down() -> bytes:
    """Photographed with the camera turned: the pixels lie, and EXIF says so."""
    with Image.open(io.BytesIO(small_photograph())) as image:
        turned, notes, out = image.transpose(Image.Transpose.ROTATE_90), Image.Exif(), io.BytesIO()
        notes[0x0112] = 6
        turned.save(out, "JPEG", quality=92, exif=notes)
        return out.getvalue()


STRIPS = {
    "quality": Strip(photograph, ("quality=10", "quality=50", "quality=80", "quality=auto"), has_size=True, crop=(650, 370, 120, 80)),
    "lossless": Strip(drawing, ("quality=80", "lossless=true", "lossless=auto"), has_size=True, crop=(180, 100, 120, 80)),
    "near_lossless": Strip(small_photograph, ("near_lossless=100", "near_lossless=60", "near_lossless=0"), has_size=True, crop=(180, 90, 120, 80)),
    "alpha_quality": Strip(soft_shadow, ("alpha_quality=100", "alpha_quality=20", "alpha_quality=0"), has_size=True),
    "sharp_yuv": Strip(red_on_blue, ("quality=80", "quality=80&sharp_yuv=true"), has_size=True, crop=(150, 120, 60, 40)),
    "target_bytes": Strip(photograph, ("target_bytes=15000", "target_bytes=40000", "target_bytes=1000000"), has_size=True, crop=(650, 370, 120, 80)),
    "fit": Strip(
        small_photograph,
        tuple(f"width=160&height=160&fit={fit}" for fit in ("inside", "cover", "contain", "fill", "outside")),
        box=(160, 160),
    ),
    "enlarge": Strip(lambda: _png(_small()), ("width=200&enlarge=false", "width=200&enlarge=true"), box=(200, 133)),
    "gravity": Strip(
        small_photograph, tuple(f"width=80&height=150&fit=cover&gravity={place}" for place in ("west", "centre", "east", "attention")), box=(80, 150)
    ),
    "focus": Strip(
        small_photograph, tuple(f"width=80&height=150&fit=cover&focus={point}" for point in ("0.15,0.5", "0.5,0.5", "0.8,0.5")), box=(80, 150)
    ),
    "crop": Strip(small_photograph, ("width=220", "crop=0,0,240,160&width=220", "crop=240,100,240,160&width=220")),
    "trim": Strip(framed, ("width=220", "trim=0&width=220", "trim=40&width=220")),
    "blur": Strip(small_photograph, ("width=220", "width=220&blur=1", "width=220&blur=4")),
    "sharpen": Strip(small_photograph, ("width=220", "width=220&sharpen=0.6", "width=220&sharpen=2")),
    "watermark": Strip(small_photograph, ("width=220", "width=220&watermark=logo", "width=220&watermark=tiles")),
    "background": Strip(
        small_photograph,
        tuple(f"width=150&height=150&fit=contain&background={colour}" for colour in ("transparent", "white", "%23223344")),
        box=(150, 150),
    ),
    "rotate": Strip(small_photograph, ("width=220&rotate=0", "width=150&rotate=90", "width=220&rotate=180", "width=150&rotate=270")),
    "auto_orient": Strip(lying_down, ("width=220&auto_orient=true", "width=107&auto_orient=false")),
    "flip": Strip(small_photograph, ("width=220&flip=false", "width=220&flip=true", "width=220&flop=true")),
}


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        codec = SealedCodec()
        try:
            for name in sys.argv[1:] or STRIPS:
                drawn(STRIPS[name], codec, Path(folder)).save(TARGET / f"{name}.webp", quality=90, method=6)
        finally:
            codec.close()


def drawn(strip: Strip, codec: SealedCodec, folder: Path) -> Image.Image:
    width = MARGIN + len(strip.panels) * (PANEL[0] + MARGIN)
    picture = Image.new("RGB", (width, PANEL[1] + CAPTION + 2 * MARGIN), PAPER)
    source = strip.source()
    for number, query in enumerate(strip.panels):
        result = converted(codec, source, query, folder)
        left = MARGIN + number * (PANEL[0] + MARGIN)
        picture.paste(panel(result, strip), (left, MARGIN))
        said = caption(query, len(result) if strip.has_size else None)
        ImageDraw.Draw(picture).text((left, PANEL[1] + MARGIN + 5), said, fill=INK, font=_font(13))
    return picture


def caption(query: str, size_bytes: int | None) -> str:
    """What tells the panels of a strip apart; width and height are drawn as a box."""
    named = [each for each in query.replace("%23", "#").split("&") if not each.startswith(("width=", "height="))]
    told = [each for each in named if not each.startswith("fit=") or len(named) == 1]
    return " ".join(told) + (f" · {size_bytes / 1000:.1f} kB" if size_bytes is not None else "")


def panel(result: bytes, strip: Strip) -> Image.Image:
    sheet = checkered(PANEL)
    with Image.open(io.BytesIO(result)) as opened:
        image = opened.convert("RGBA")
    if strip.crop:
        left, top, width, height = strip.crop
        image = image.crop((left, top, left + width, top + height)).resize(PANEL, Image.Resampling.NEAREST)
    elif image.width > PANEL[0] or image.height > PANEL[1]:
        image.thumbnail(PANEL)
    sheet.paste(image, ((PANEL[0] - image.width) // 2, (PANEL[1] - image.height) // 2), image)
    if strip.box:
        width, height = strip.box
        left, top = (PANEL[0] - width) // 2, (PANEL[1] - height) // 2
        ImageDraw.Draw(sheet).rectangle((left, top, left + width - 1, top + height - 1), outline=BOX)
    return sheet


def converted(codec: SealedCodec, source: bytes, query: str, folder: Path) -> bytes:
    shape = read_shape(sniff(source), lambda at, length: source[at : at + length], len(source), Limits())
    pairs = [each.split("=", 1) for each in query.replace("%23", "#").split("&")]
    chosen = options.parse((name, value) for name, value in pairs)
    conversion = Conversion(shape, chosen, Limits(), watermark=WATERMARKS[chosen.watermark] if chosen.watermark else None)
    with (folder / "source").open("w+b") as given, (folder / "result").open("w+b") as made:
        given.write(source)
        given.flush()
        codec.convert(given.fileno(), made.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)
        made.seek(0)
        return made.read()


def checkered(size: tuple[int, int]) -> Image.Image:
    """What shows through where a picture is transparent."""
    sheet = Image.new("RGB", size, CHECKS[0])
    draw = ImageDraw.Draw(sheet)
    for top in range(0, size[1], SQUARE):
        for left in range((top // SQUARE % 2) * SQUARE, size[0], 2 * SQUARE):
            draw.rectangle((left, top, left + SQUARE - 1, top + SQUARE - 1), fill=CHECKS[1])
    return sheet


def _logo() -> bytes:
    """A white disc with a hole, on nothing."""
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((10, 10, 190, 190), outline=(255, 255, 255, 255), width=50)
    return _png(image.resize((100, 100), Image.Resampling.LANCZOS))


def _small() -> Image.Image:
    with Image.open(io.BytesIO(small_photograph())) as image:
        return image.resize((96, 64))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


WATERMARKS = {"logo": Watermark(Placement(), _logo()), "tiles": Watermark(Placement("tile", 0.15, 0.4, 0.08), _logo())}

if __name__ == "__main__":
    main()
