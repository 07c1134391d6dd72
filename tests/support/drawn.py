"""Pictures of the kinds that people convert, made on the spot and the same each time: drawn ones, and ones that look photographed."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Size = tuple[int, int]
WORDS = ("Settings", "Encode", "quality", "Lossless", "width", "preview", "gateway", "metadata", "result", "target bytes", "profile")


def screenshot(size: Size = (1280, 800), seed: int = 1) -> Image.Image:
    """A window with a side bar, cards, buttons and smoothed text."""
    dice, (width, height) = np.random.default_rng(seed), size
    image = Image.new("RGB", size, "#f5f6f8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, 48), fill="#24292f")
    draw.rectangle((0, 48, width // 5, height), fill="#ffffff", outline="#d0d7de")
    _write(draw, (16, 14), "WebP Gateway", 18, "white")
    for row in range(70, height - 20, 34):
        _write(draw, (20, row), _phrase(dice, 2), 14, "#57606a")
    for top in range(70, height - 90, 110):
        draw.rounded_rectangle((width // 5 + 20, top, width - 20, top + 92), 8, fill="white", outline="#d0d7de")
        draw.rounded_rectangle((width - 140, top + 30, width - 40, top + 62), 6, fill="#1f883d")
        _write(draw, (width - 122, top + 37), "Download", 13, "white")
        for line in range(3):
            _write(draw, (width // 5 + 40, top + 12 + 24 * line), _phrase(dice, 7), 15 - line, "#1f2328")
    return image


def terminal(size: Size = (1100, 700), seed: int = 2) -> Image.Image:
    """Coloured text on black."""
    dice, image = np.random.default_rng(seed), Image.new("RGB", size, "#0d1117")
    draw = ImageDraw.Draw(image)
    colours = ("#e6edf3", "#7ee787", "#79c0ff", "#ffa657", "#ff7b72")
    for top in range(8, size[1] - 20, 19):
        left = 8
        for colour in dice.choice(colours, 5):
            left += _write(draw, (left, top), _phrase(dice, 3) + " ", 13, str(colour))
    return image


def text_page(size: Size = (1000, 1400), seed: int = 3) -> Image.Image:
    """A clean page of text in grey."""
    dice, image = np.random.default_rng(seed), Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    for top in range(60, size[1] - 60, 26):
        _write(draw, (60, top), _phrase(dice, 10), 17, 20)
    return image


def line_art(size: Size = (1200, 900), seed: int = 4) -> Image.Image:
    """Curves and hatching with smoothed edges."""
    dice, (width, height) = np.random.default_rng(seed), size
    image = Image.new("L", (2 * width, 2 * height), 255)
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, across, down = (int(each) for each in dice.integers(0, (2 * width, 2 * height, width, height)))
        draw.arc((x - across // 2, y - down // 2, x + across // 2 + 9, y + down // 2 + 9), int(dice.integers(360)), int(dice.integers(360)), 0, 5)
    for offset in range(0, width, 26):
        draw.line((offset, 2 * height, offset + width, height), 0, 3)
    return image.resize(size, Image.Resampling.BOX)


def chart(size: Size = (1000, 640), seed: int = 5) -> Image.Image:
    """Axes, bars, lines and a legend."""
    dice, (width, height) = np.random.default_rng(seed), size
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for row in range(40, height - 40, 50):
        draw.line((60, row, width - 20, row), "#dddddd")
        _write(draw, (20, row - 8), str(height - row), 12, "#666666")
    colours = ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2")
    for place, left in enumerate(range(70, width - 60, 44)):
        draw.rectangle((left, height - 40 - int(dice.integers(30, height - 120)), left + 30, height - 40), fill=colours[place % 4])
    points = [(70 + 20 * each, int(dice.integers(60, height - 80))) for each in range((width - 100) // 20)]
    draw.line(points, "#333333", 3, joint="curve")
    return image


def logo(size: Size = (800, 800), seed: int = 6) -> Image.Image:
    """Plain shapes with smoothed edges on nothing."""
    width, height = size
    image = Image.new("RGBA", (2 * width, 2 * height))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 4, height // 4, 2 * width - width // 4, 2 * height - height // 4), fill="#0969da")
    draw.polygon([(width, height // 2), (width + width // 2, height + height // 2), (width - width // 2, height + height // 2)], fill="#ffffffc0")
    draw.arc((width // 8, height // 8, 2 * width - width // 8, 2 * height - height // 8), 200, 340, fill="#cf222e", width=width // 12)
    return image.resize(size, Image.Resampling.BOX)


def qr_code(size: Size = (740, 740), seed: int = 7) -> Image.Image:
    """Black and white modules; a picture of one bit."""
    modules = np.random.default_rng(seed).integers(0, 2, (37, 37), dtype=np.uint8) * 255
    return Image.fromarray(modules).resize(size, Image.Resampling.NEAREST).convert("1")


def pixel_art(size: Size = (960, 640), seed: int = 8) -> Image.Image:
    """A sprite of sixteen colours, ten times enlarged."""
    dice = np.random.default_rng(seed)
    small = Image.fromarray(dice.integers(0, 16, (size[1] // 10, size[0] // 10), dtype=np.uint8)).filter(ImageFilter.ModeFilter(5))
    small.putpalette(dice.integers(0, 256, 48, dtype=np.uint8).tobytes())
    return small.resize(size, Image.Resampling.NEAREST)


def gradient(size: Size = (1000, 700), seed: int = 9) -> Image.Image:
    """Smooth slopes of colour, as a designer exports them."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return Image.fromarray(np.stack([60 + 150 * x, 90 + 120 * y, 200 - 100 * (x + y) / 2], -1).round().astype(np.uint8))


def dithered(size: Size = (800, 600), seed: int = 10) -> Image.Image:
    """A painted scene in 64 colours with Floyd and Steinberg's dots, as in an old GIF."""
    return painted(size, seed).quantize(64, dither=Image.Dither.FLOYDSTEINBERG)


def diagram(size: Size = (1400, 900), seed: int = 11) -> Image.Image:
    """Boxes and arrows; 256 colours in a palette."""
    dice, (width, height) = np.random.default_rng(seed), size
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    boxes = [(int(dice.integers(20, width - 220)), int(dice.integers(20, height - 90))) for _ in range(14)]
    for (left, top), (right, bottom) in itertools.pairwise(boxes):
        draw.line((left + 90, top + 30, right + 90, bottom + 30), "#8c959f", 2)
    for left, top in boxes:
        draw.rounded_rectangle((left, top, left + 180, top + 60), 10, fill="#ddf4ff", outline="#0969da", width=2)
        _write(draw, (left + 16, top + 20), _phrase(dice, 2), 15, "#0550ae")
    return image.quantize(256)


def icons(size: Size = (640, 480), seed: int = 12) -> Image.Image:
    """A sheet of small symbols with alpha."""
    dice, image = np.random.default_rng(seed), Image.new("RGBA", size)
    draw = ImageDraw.Draw(image)
    shapes = (draw.ellipse, draw.rectangle, lambda box, fill: draw.rounded_rectangle(box, 7, fill))
    for top in range(8, size[1] - 40, 48):
        for left in range(8, size[0] - 40, 48):
            colour = tuple(int(each) for each in dice.integers(0, 256, 3))
            shapes[int(dice.integers(3))]((left, top, left + 31, top + 31), fill=(*colour, 255))
            draw.line((left + 6, top + 24, left + 25, top + 7), (255, 255, 255, 255), 3)
    return image


def screenshot_with_photo(size: Size = (1280, 800), seed: int = 13) -> Image.Image:
    """A window in which a photograph takes a third of the room."""
    image, (width, height) = screenshot(size, seed), size
    image.paste(painted((width // 2, 2 * height // 3), seed), (width // 3, height // 5))
    return image


def scanned(size: Size = (1000, 1400), seed: int = 14) -> Image.Image:
    """A page of text as a scanner gives it: soft, and grainy all over."""
    page = np.asarray(text_page(size, seed).filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float64)
    return Image.fromarray((page * 0.9 + 12 + np.random.default_rng(seed).normal(0, 6, page.shape)).clip(0, 255).astype(np.uint8))


def painted(size: Size = (1200, 800), seed: int = 20) -> Image.Image:
    """Detail at every scale, in colour, with a camera's grain: as a photograph."""
    dice, (width, height) = np.random.default_rng(seed), size
    whole = np.zeros((height, width, 3))
    for level, strength in ((4, 70), (12, 45), (40, 26), (130, 14), (400, 8)):
        rows, columns = max(2, level * height // max(size)), max(2, level * width // max(size))
        bands = [Image.fromarray(dice.normal(0, 1, (rows, columns)).astype(np.float32)).resize(size, Image.Resampling.BICUBIC) for _ in range(3)]
        shared = np.asarray(bands[0])
        whole += strength * np.stack([0.8 * shared + 0.3 * np.asarray(each) for each in bands], -1)
    grain = dice.normal(0, 2.5, (height, width, 1)) + dice.normal(0, 1.2, (height, width, 3))
    return Image.fromarray((118 + whole + grain).clip(0, 255).astype(np.uint8))


def sky(size: Size = (1200, 800), seed: int = 21) -> Image.Image:
    """Mostly one slope of colour under a camera's grain: the smoothest photograph there is."""
    slope = np.asarray(gradient(size), dtype=np.float64)
    return Image.fromarray((slope + np.random.default_rng(seed).normal(0, 1.6, slope.shape)).clip(0, 255).astype(np.uint8))


def grey_photograph(size: Size = (1200, 800), seed: int = 22) -> Image.Image:
    return painted(size, seed).convert("L")


def from_camera(size: Size = (1200, 800), seed: int = 23) -> Image.Image:
    """What is left of a photograph that a camera compressed: its skies are flat in places."""
    buffer = io.BytesIO()
    painted(size, seed).filter(ImageFilter.GaussianBlur(1.0)).save(buffer, "JPEG", quality=80)
    return Image.open(buffer).convert("RGB")


Maker = Callable[[], Image.Image]
DRAWN: dict[str, Maker] = {
    each.__name__: each for each in (screenshot, terminal, text_page, line_art, chart, logo, qr_code, pixel_art, gradient, diagram, icons)
}
"""Their lossless files are smaller than those at quality 80."""
MIXED: dict[str, Maker] = {each.__name__: each for each in (dithered, screenshot_with_photo)}
PHOTOGRAPHED: dict[str, Maker] = {each.__name__: each for each in (painted, sky, grey_photograph, from_camera, scanned)}


def _phrase(dice: np.random.Generator, words: int) -> str:
    return " ".join(str(each) for each in dice.choice(WORDS, words))


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, height: int, colour: str | int) -> int:
    """How wide it is, in pixels."""
    font = ImageFont.load_default(height)
    draw.text(at, text, colour, font)
    return int(draw.textlength(text, font))
