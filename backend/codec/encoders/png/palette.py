"""A picture with a palette: its own colours where they are few enough, else the nearest that so many can give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from PIL import Image, ImageMath, ImageStat

from backend.codec.encoders.png.chunks import Colours

MOST = 256
MOST_GREYS = 16
"""Above, an index takes 8 bits, as a grey itself does."""
STRIP_PIXELS = 1 << 20
Entry = tuple[int, int, int, int]
"""Red, green, blue and alpha."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """``image`` has mode P, its values are indexes of ``colours``."""

    image: Image.Image
    colours: Colours


def exact(image: Image.Image, most: int | None = None) -> Indexed | None:
    """Without loss; None where the picture has more colours, by default more than a palette may save bytes with."""
    counted = image.getcolors(most or (MOST_GREYS if image.mode == "L" else MOST))
    if counted is None:
        return None
    samples = [tuple(map(int, colour)) if isinstance(colour, tuple) else (int(colour),) for _count, colour in counted]
    samples.sort(key=lambda each: (_entry_of(each)[3], each))
    return _indexed(_indexes(image, samples), map(_entry_of, samples))


def nearest(image: Image.Image, colors: int) -> Indexed:
    """At most ``colors``, a transparent one counted. Errors are diffused (Floyd and Steinberg), but where pixels are transparent in part."""
    found = exact(image, colors)
    if found is not None:
        return found
    alphas = {value for _count, value in image.getchannel("A").getcolors(MOST) or ()} if image.mode in ("LA", "RGBA") else {255}
    if alphas == {255}:
        return _indexed(*_diffused(image.convert("RGB"), colors))
    if alphas == {0, 255} and colors > 2:
        return _with_hole(image.convert("RGBA"), colors)
    few = image.convert("RGBA").quantize(colors, Image.Quantize.FASTOCTREE)
    return _by_alpha(few, _palette_of(few))


def _entry_of(samples: Sequence[int]) -> Entry:
    grey, alpha = samples[0], samples[-1] if len(samples) in (2, 4) else 255
    red, green, blue = samples[:3] if len(samples) > 2 else (grey, grey, grey)
    return red, green, blue, alpha


def _indexes(image: Image.Image, samples: Sequence[tuple[int, ...]]) -> Image.Image:
    """Mode L: each pixel's place among ``samples``. By a hash in which no two of them meet."""
    factors = next(each for each in _factors() if len({_hash_of(one, each) for one in samples}) == len(samples))
    table = [0] * (1 << 16)
    for index, each in enumerate(samples):
        table[_hash_of(each, factors)] = index
    result = Image.new("L", image.size)
    for top, bottom in _strips(image.size):
        bands = image.crop((0, top, image.width, bottom)).split()
        result.paste(_hashes(bands, factors).point(table, "L"), (0, top))
    return result


def _factors() -> Iterator[tuple[int, ...]]:
    """Odd ones, of a linear congruential sequence (Numerical Recipes' "quick and dirty" generator)."""
    state = 1
    for _try in count():
        found = []
        for _band in range(4):
            state = (state * 1664525 + 1013904223) % (1 << 32)
            found.append(state >> 16 | 1)
        yield tuple(found)


def _hash_of(samples: Sequence[int], factors: Sequence[int]) -> int:
    return sum(sample * factor for sample, factor in zip(samples, factors, strict=False)) % (1 << 16)


def _hashes(bands: Sequence[Image.Image], factors: Sequence[int]) -> Image.Image:
    def hashes(of: Mapping[str, ImageMath._Operand]) -> ImageMath._Operand:
        total = of["0"] * factors[0]
        for number in range(1, len(bands)):
            total = total + of[str(number)] * factors[number]
        return total & 0xFFFF

    result = ImageMath.lambda_eval(hashes, **{str(number): band for number, band in enumerate(bands)})
    assert isinstance(result, Image.Image)
    return result


def _strips(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    rows = max(1, STRIP_PIXELS // size[0])
    return ((top, min(size[1], top + rows)) for top in range(0, size[1], rows))


def _diffused(image: Image.Image, colors: int) -> tuple[Image.Image, list[Entry]]:
    few = image.quantize(colors, Image.Quantize.MEDIANCUT)
    return image.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG), _palette_of(few)[:colors]


def _with_hole(image: Image.Image, colors: int) -> Indexed:
    """What is not seen takes the mean of what is, so that it bends no palette."""
    seen = image.getchannel("A")
    colour = tuple(round(each) for each in ImageStat.Stat(image.convert("RGB"), seen).mean)
    ground = Image.new("RGB", image.size, colour)
    ground.paste(image.convert("RGB"), mask=seen)
    few, entries = _diffused(ground, colors - 1)
    indexes = _as_grey(few).point([min(value + 1, 255) for value in range(256)])
    indexes.paste(0, mask=seen.point([255 - value for value in range(256)]))
    return _indexed(indexes, [(0, 0, 0, 0), *entries])


def _palette_of(image: Image.Image) -> list[Entry]:
    flat = image.getpalette("RGBA") or []
    return [(flat[at], flat[at + 1], flat[at + 2], flat[at + 3]) for at in range(0, len(flat), 4)]


def _by_alpha(image: Image.Image, entries: list[Entry]) -> Indexed:
    """In an order in which the opaque entries, which need no alpha, come last."""
    order = sorted(range(len(entries)), key=lambda index: entries[index][3])
    places = {index: place for place, index in enumerate(order)}
    return _indexed(_as_grey(image).point([places.get(index, 0) for index in range(256)]), [entries[index] for index in order])


def _as_grey(image: Image.Image) -> Image.Image:
    """The indexes of a picture of mode P as the values of one of mode L."""
    return Image.frombytes("L", image.size, image.tobytes())


def _indexed(indexes: Image.Image, entries: Iterable[Entry]) -> Indexed:
    """``entries`` that are not opaque come first."""
    entries = list(entries)
    rgb, alpha = b"".join(bytes(each[:3]) for each in entries), bytes(each[3] for each in entries if each[3] < 255)
    if indexes.mode != "P":
        indexes.putpalette(rgb)
    return Indexed(indexes, Colours(rgb, alpha))
