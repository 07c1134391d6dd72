"""Draws the icons of the installed page, and the picture that chats show beside a link to it, into ``frontend/icons``.

    tests/.venv/bin/python docs/draw_icons.py

They repeat ``favicon.svg``: three lines that grow shorter on a green square.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ICONS = Path(__file__).parent.parent / "frontend" / "icons"
GREEN, PALE, WHITE, INK, MUTED = "#0b7a5f", "#9be3c6", "#ffffff", "#14211d", "#5b6a64"
SMOOTH = 4
"""Drawn so many times larger, then made smaller: smooth edges."""
LINES = (((8, 9.5), (15.5, 9.5), WHITE), ((20, 9.5), (24, 9.5), PALE), ((8, 16), (24, 16), WHITE), ((8, 22.5), (19, 22.5), WHITE))
"""In units of the favicon, whose side is 32."""


def main() -> None:
    for side in (192, 512):
        icon(side, radius=8).save(ICONS / f"icon-{side}.png", optimize=True)
    # A phone cuts its own shape out of these: the mark stays within the inner four fifths.
    icon(512, radius=0, scale=0.8).save(ICONS / "icon-maskable-512.png", optimize=True)
    icon(180, radius=0).convert("RGB").save(ICONS / "touch-180.png", optimize=True)
    preview().quantize(128).save(ICONS / "preview.png", optimize=True)


def icon(side: int, *, radius: float, scale: float = 1) -> Image.Image:
    image = Image.new("RGBA", (side * SMOOTH, side * SMOOTH))
    draw = ImageDraw.Draw(image)
    unit = side * SMOOTH / 32
    draw.rounded_rectangle((0, 0, side * SMOOTH - 1, side * SMOOTH - 1), radius * unit, fill=GREEN)
    for start, end, colour in LINES:
        points = [tuple((16 + (each - 16) * scale) * unit for each in point) for point in (start, end)]
        draw.line(points, fill=colour, width=round(3 * scale * unit))
        for x, y in points:
            half = 1.5 * scale * unit
            draw.ellipse((x - half, y - half, x + half, y + half), fill=colour)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def preview() -> Image.Image:
    """1200 × 630 pixels, as Open Graph's readers expect."""
    image = Image.new("RGB", (1200, 630), "#f6f7f5")
    mark = icon(200, radius=8)
    image.paste(mark, (110, 215), mark)
    draw = ImageDraw.Draw(image)
    draw.text((370, 222), "WebP Gateway", fill=INK, font=ImageFont.load_default(84))
    draw.text((374, 340), "Smaller images, same look", fill=MUTED, font=ImageFont.load_default(48))
    return image


if __name__ == "__main__":
    main()
