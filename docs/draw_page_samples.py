"""Draws the three pictures that the upload page offers to try, and their small previews, into ``frontend/samples``.

    tests/.venv/bin/python docs/draw_page_samples.py

Made by this program alone, so that nobody else has rights in them. A photograph, a screenshot and a drawing with transparency: each is best kept in
another way.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
SAMPLES = HERE.parent / "frontend" / "samples"
PHOTO = HERE / "images" / "sample.jpg"
PREVIEW_SIZE = 168, 112
FIGURES = ("Wind", "14 kn", "from the west"), ("Waves", "0.8 m", "every 5 s"), ("Water", "11 °C", "as yesterday")
SMOOTH = 4
"""Drawn so many times larger, then made smaller: smooth edges."""
INK, MUTED, LINE, PAPER, ACCENT, WARM = "#1f2a27", "#6d7a75", "#dfe5e1", "#ffffff", "#0b7a5f", "#e8833a"


def main() -> None:
    SAMPLES.mkdir(exist_ok=True)
    with Image.open(PHOTO) as photo:
        photo.thumbnail((1200, 1200), Image.Resampling.LANCZOS)
        save(photo.convert("RGB"), "mountains.jpg", quality=88, optimize=True)
    save(screenshot(), "screenshot.png", optimize=True)
    save(balloon(), "balloon.png", optimize=True)


def save(image: Image.Image, name: str, **options: object) -> None:
    image.save(SAMPLES / name, **options)
    preview = Image.new("RGB", PREVIEW_SIZE, "#eef2ef")
    small = image.convert("RGBA")
    small.thumbnail(PREVIEW_SIZE, Image.Resampling.LANCZOS)
    preview.paste(small, ((PREVIEW_SIZE[0] - small.width) // 2, (PREVIEW_SIZE[1] - small.height) // 2), small)
    preview.save((SAMPLES / name).with_suffix(".preview.webp"), quality=80, method=6)


def screenshot() -> Image.Image:
    """A window with a list, figures and a chart: few colours, sharp letters."""
    image = Image.new("RGB", (1280, 854), "#f3f5f4")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 1280, 56), fill=INK)
    for index, colour in enumerate(("#ec6a5e", "#f4bf4f", "#61c554")):
        draw.ellipse((20 + 26 * index, 21, 34 + 26 * index, 35), fill=colour)
    draw.text((120, 16), "Harbour weather", fill="#ffffff", font=ImageFont.load_default(20))
    draw_sidebar(draw)
    for index, (label, value, note) in enumerate(FIGURES):
        left = 300 + 320 * index
        draw.rounded_rectangle((left, 88, left + 296, 238), 14, fill=PAPER, outline=LINE, width=2)
        draw.text((left + 24, 106), label, fill=MUTED, font=ImageFont.load_default(18))
        draw.text((left + 24, 136), value, fill=INK, font=ImageFont.load_default(40))
        draw.text((left + 24, 196), note, fill=ACCENT, font=ImageFont.load_default(18))
    draw_chart(draw)
    return image


def draw_sidebar(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 56, 268, 854), fill=PAPER)
    draw.line((268, 56, 268, 854), fill=LINE, width=2)
    for index, name in enumerate(("Today", "This week", "Tides", "Ferries", "Lighthouses", "Anchorages", "Settings")):
        top = 88 + 54 * index
        if index == 0:
            draw.rounded_rectangle((16, top - 10, 252, top + 34), 10, fill="#e3f1ec")
        draw.ellipse((34, top + 2, 52, top + 20), outline=ACCENT if index == 0 else MUTED, width=3)
        draw.text((68, top - 1), name, fill=ACCENT if index == 0 else INK, font=ImageFont.load_default(20))


def draw_chart(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((300, 268, 1236, 814), 14, fill=PAPER, outline=LINE, width=2)
    draw.text((328, 288), "Tide, next twelve hours", fill=INK, font=ImageFont.load_default(24))
    for step in range(5):
        top = 360 + 90 * step
        draw.line((380, top, 1204, top), fill=LINE, width=1)
        draw.text((328, top - 11), f"{4 - step} m", fill=MUTED, font=ImageFont.load_default(17))
    heights = [(380 + 8 * x, 540 - 120 * math.sin(x / 16)) for x in range(104)]
    draw.line(heights, fill=ACCENT, width=4, joint="curve")
    for x, y in heights[::13]:
        draw.ellipse((x - 7, y - 7, x + 7, y + 7), fill=PAPER, outline=WARM, width=4)
    for hour in range(0, 13, 2):
        draw.text((374 + 68 * hour, 760), f"{(8 + hour) % 24:02d}:00", fill=MUTED, font=ImageFont.load_default(17))


def balloon() -> Image.Image:
    """A balloon on nothing: plain colours and a transparent background."""
    side = 900 * SMOOTH
    image = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(image)
    unit = side / 900
    stripes = ("#d9483b", "#f2b33d", "#2f8f83", "#f2b33d", "#d9483b")
    widths = (620, 470, 300, 120)
    for width, colour in zip(widths, stripes, strict=False):
        draw.ellipse((450 * unit - width * unit / 2, 60 * unit, 450 * unit + width * unit / 2, 660 * unit), fill=colour)
    draw.polygon([(at * unit, y * unit) for at, y in ((258, 560), (642, 560), (520, 700), (380, 700))], fill="#b8392e")
    draw.polygon([(at * unit, y * unit) for at, y in ((372, 560), (528, 560), (482, 700), (418, 700))], fill="#2f8f83")
    for at in (388, 512):
        draw.line((at * unit, 700 * unit, (450 + (at - 450) * 0.8) * unit, 770 * unit), fill="#5d4632", width=int(5 * unit))
    draw.rounded_rectangle((392 * unit, 766 * unit, 508 * unit, 852 * unit), 16 * unit, fill="#8a5a33")
    draw.rectangle((392 * unit, 780 * unit, 508 * unit, 794 * unit), fill="#5d4632")
    return image.resize((900, 900), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    sys.exit(main())
