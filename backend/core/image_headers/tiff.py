"""TIFF 6.0 §2: the first image file directory. Only the first page is converted.

Its fields say how the samples lie. What no decoder reads right is refused here by its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_FIELD_BYTES = {1: 1, 3: 2, 4: 4}
"""By field type: BYTE, SHORT, LONG."""
_MAX_FIELDS, _MAX_VALUES = 4096, 16
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR, _EXTRA, _FORMAT = 256, 257, 258, 259, 262, 277, 284, 338, 339
_WANTED = frozenset((_WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR, _EXTRA, _FORMAT))
Fields = dict[int, tuple[int, ...]]

_READ_COMPRESSIONS = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946))
_OTHER_COMPRESSIONS = {
    32766: "NeXT",
    32771: "CCITT RLE (word-aligned)",
    32809: "ThunderScan",
    32895: "IT8",
    32908: "PixarFilm",
    32909: "PixarLog",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34676: "SGI Log",
    34677: "SGI Log",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG",
    34925: "LZMA",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_GREY, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = "grey", "RGB", "palette", "CMYK", "YCbCr", "Lab"
_WHITE_IS_ZERO = 0
_COLOURS = {_WHITE_IS_ZERO: _GREY, 1: _GREY, 2: _RGB, 3: _PALETTE, 5: _CMYK, 6: _YCBCR, 8: _LAB}
_OTHER_COLOURS = {4: "transparency mask", 9: "ICC Lab", 10: "ITU Lab", 32803: "camera RAW", 32844: "LogL", 32845: "LogLuv", 34892: "camera RAW"}
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _LAB: 3}
_SAMPLE_KINDS = {2: "signed", 3: "floating-point", 5: "complex", 6: "complex"}
_UNSPECIFIED, _PREMULTIPLIED, _STRAIGHT, _COREL_DRAW = 0, 1, 2, 999
"""ExtraSamples: what the samples beyond the colours are."""
_ANY_ALPHA = ((), (_UNSPECIFIED,), (_PREMULTIPLIED,), (_STRAIGHT,))
_EXTRAS: dict[tuple[str, int], tuple[tuple[int, ...], ...]] = {
    **dict.fromkeys(((_GREY, 1), (_GREY, 2), (_GREY, 4), (_GREY, 16)), ((),)),
    **dict.fromkeys(((_PALETTE, 1), (_PALETTE, 2), (_PALETTE, 4), (_CMYK, 16), (_YCBCR, 8), (_LAB, 8)), ((),)),
    (_GREY, 8): _ANY_ALPHA,
    (_RGB, 8): (*_ANY_ALPHA, *((first, *[_UNSPECIFIED] * more) for first in (0, 1, 2) for more in (1, 2)), (_COREL_DRAW,)),
    (_RGB, 16): _ANY_ALPHA,
    (_PALETTE, 8): ((), (_UNSPECIFIED,), (_STRAIGHT,)),
    (_CMYK, 8): ((), (_UNSPECIFIED,), (_UNSPECIFIED, _UNSPECIFIED)),
}
"""By colours and depth, the samples beyond the colours that a decoder reads right beside them."""


def read_tiff(file: HeaderReader, limits: Limits) -> Sides:
    fields = _fields(file)
    if not {_WIDTH, _LENGTH} <= fields.keys():
        raise errors.DamagedImage(private="TIFF: the first directory has no size")
    name = _Layout.of(fields).unreadable_name()
    if name is not None:
        raise errors.UnsupportedFormat("variant", format=f"{name} TIFF", base="TIFF")
    return fields[_WIDTH][0], fields[_LENGTH][0], 1


def _fields(file: HeaderReader) -> Fields:
    order = "little" if file.take(0, 2) == b"II" else "big"
    at = file.number(4, 4, order)
    count = min(file.number(at, 2, order), _MAX_FIELDS)
    found: Fields = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind = file.number(entry, 2, order), file.number(entry + 2, 2, order)
        if tag in _WANTED and kind in _FIELD_BYTES and tag not in found:
            values = _values(file, entry, _FIELD_BYTES[kind], order)
            if values:
                found[tag] = values
    return found


def _values(file: HeaderReader, entry: int, value_bytes: int, order: str) -> tuple[int, ...]:
    """Values of four bytes in all stand in the entry, others where it points."""
    count = min(file.number(entry + 4, 4, order), _MAX_VALUES)
    at = entry + 8 if count * value_bytes <= 4 else file.number(entry + 8, 4, order)
    return tuple(file.number(at + value_bytes * number, value_bytes, order) for number in range(count))


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the samples lie. ``bits`` are of each sample, ``extra`` tells what the samples beyond the colours are."""

    compression: int
    photometric: int
    bits: tuple[int, ...]
    kinds: frozenset[int]
    extra: tuple[int, ...]
    is_planar: bool

    @classmethod
    def of(cls, fields: Fields) -> _Layout:
        compression = fields.get(_COMPRESSION, (1,))[0]
        photometric = fields.get(_PHOTOMETRIC, (0,))[0]
        bits, samples = fields.get(_BITS, (1,)), fields.get(_SAMPLES, (1,))[0]
        each = bits * samples if len(bits) == 1 and samples <= _MAX_VALUES else bits[:samples]
        is_planar = fields.get(_PLANAR, (1,))[0] == 2
        return cls(compression, photometric, each, frozenset(fields.get(_FORMAT, (1,))), fields.get(_EXTRA, ()), is_planar)

    def unreadable_name(self) -> str | None:
        """What it is, where no decoder reads it right; ``None`` where one does."""
        colours = _COLOURS.get(self.photometric)
        if self.compression not in _READ_COMPRESSIONS:
            name = _OTHER_COMPRESSIONS.get(self.compression, f"compression {self.compression}")
            return f"{name}-compressed"
        if colours is None:
            return _OTHER_COLOURS.get(self.photometric, f"colour space {self.photometric}")
        if self.compression == 6:
            return None
        return self._unreadable_samples() or (None if self._is_readable(colours) else self._described(colours))

    def _unreadable_samples(self) -> str | None:
        if len(set(self.bits)) != 1:
            return "mixed-depth"
        kind = next((_SAMPLE_KINDS[each] for each in sorted(self.kinds) if each in _SAMPLE_KINDS), None)
        return f"{self.bits[0]}-bit {kind}" if kind else None

    def _is_readable(self, colours: str) -> bool:
        extra = self._extra_kinds(colours)
        is_mixed_up = self.is_planar and (colours in (_YCBCR, _LAB) or (extra and colours in (_GREY, _PALETTE)))
        is_inverted = extra and self.photometric == _WHITE_IS_ZERO
        return extra in _EXTRAS.get((colours, self.bits[0]), ()) and not is_mixed_up and not is_inverted

    def _extra_kinds(self, colours: str) -> tuple[int, ...]:
        """A sample that no field explains is alpha beside RGB, where many writers forget the field, and else unspecified."""
        count = max(0, len(self.bits) - _CHANNELS[colours])
        if self.is_planar and not any(self.extra):
            return ()
        return self.extra if len(self.extra) == count else (_STRAIGHT if colours == _RGB else _UNSPECIFIED,) * count

    def _described(self, colours: str) -> str:
        has_alpha = any(each in (_PREMULTIPLIED, _STRAIGHT) for each in self.extra)
        return f"{self.bits[0]}-bit {colours}{' with alpha' if has_alpha else ''}"
