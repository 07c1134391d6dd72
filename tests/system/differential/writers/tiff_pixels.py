"""What a TIFF file's numbers mean: photometrics, sample formats, alpha, and the pixels that they stand for (TIFF 6.0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from tests.system.differential.writers import icc
from tests.system.differential.writers.sample import Bytes

Samples = NDArray[numpy.generic]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, LAB = 0, 1, 2, 3, 5, 8
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, LAB: 3}
NAMES = {0: "white-is-zero", 1: "black-is-zero", 2: "rgb", 3: "palette", 5: "cmyk", 8: "lab"}
BITS = {WHITE_IS_ZERO: (1, 2, 4, 8, 16), BLACK_IS_ZERO: (1, 2, 4, 8, 16, 32), RGB: (8, 8, 16, 32), PALETTE: (1, 2, 4, 8), CMYK: (8, 16), LAB: (8,)}
NO_ALPHA, UNSPECIFIED, ASSOCIATED, UNASSOCIATED = -1, 0, 1, 2


@dataclass(frozen=True)
class Form:
    """How samples are kept."""

    order: str
    photometric: int
    bits: int
    sample_format: int
    extra: int
    is_planar: bool
    compression: int
    predictor: int

    @property
    def samples(self) -> int:
        return COLOURS[self.photometric] + (self.extra != NO_ALPHA)


def expected_pixels(form: Form, picture: Samples, colours: bytes) -> Bytes | None:
    """Where the specification says what each number means: whole numbers without a sign, that are no inks."""
    if form.sample_format != UNSIGNED or form.photometric == CMYK:
        return None
    values = picture.astype(numpy.float64)
    if form.photometric == PALETTE:
        planes = numpy.frombuffer(colours, numpy.uint8).reshape(3, -1)
        colour = planes[:, picture[..., 0].astype(int)].transpose(1, 2, 0).astype(numpy.float64)
    elif form.photometric == LAB:
        colour = _srgb(values)
    else:
        values *= 255 / ((1 << form.bits) - 1)
        colour = values[..., : COLOURS[form.photometric]]
    if form.photometric == WHITE_IS_ZERO:
        colour = 255 - colour
    alpha = values[..., -1:] if form.extra in (ASSOCIATED, UNASSOCIATED) else numpy.full((*values.shape[:2], 1), 255.0)
    if form.extra == ASSOCIATED:
        colour = numpy.minimum(255, colour * 255 / numpy.maximum(alpha, 1e-9))
    rgb = colour if colour.shape[2] == 3 else colour.repeat(3, 2)
    whole: Bytes = numpy.rint(numpy.concatenate([rgb, alpha], 2)).astype(numpy.uint8)
    return whole


def _srgb(lab: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """From CIE L*a*b* of 8 bits (§23), whose white is D50."""
    light = lab[..., 0] * 100 / 255
    middle = (light + 16) / 116
    red, blue = (numpy.where(each > 127, each - 256, each) for each in (lab[..., 1], lab[..., 2]))
    cubes = numpy.stack([middle + red / 500, middle, middle - blue / 200], 2)
    xyz = numpy.where(cubes > 6 / 29, cubes**3, 3 * (6 / 29) ** 2 * (cubes - 4 / 29)) * numpy.array(icc.D50)
    linear = numpy.clip(xyz @ numpy.linalg.inv(icc.matrix_to_d50(icc.PRIMARIES["srgb"])).T, 0, 1)
    encoded: NDArray[numpy.float64] = 255 * numpy.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded


def turned(picture: Bytes, orientation: int) -> Bytes:
    """As it is shown (TIFF 6.0, tag 274)."""
    if orientation >= 5:
        picture = picture.transpose(1, 0, 2)
    if orientation in (2, 3, 7, 6):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return numpy.ascontiguousarray(picture)
