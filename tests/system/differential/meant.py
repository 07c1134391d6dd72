"""The differences that are meant: everything else that the suite finds is a failure."""

from __future__ import annotations

from dataclasses import dataclass

from tests.system.differential.writers.sample import Sample


@dataclass(frozen=True)
class Meant:
    """Files of ``kind`` with all of ``traits`` may differ in ``what``: a word of ``compare``, or ``refused:`` and the error's code."""

    kind: str
    what: str
    traits: frozenset[str]
    why: str

    def covers(self, kind: str, what: str, sample: Sample) -> bool:
        return self.kind == kind and what.startswith(self.what) and self.traits <= sample.traits


def _meant(kind: str, what: str, traits: str, why: str) -> Meant:
    return Meant(kind, what, frozenset(traits.split()), why)


MEANT = (
    _meant("png", "pixels", "index-beyond-palette", "an error by the specification, which leaves the colour open; libpng's is black"),
    _meant("jpeg", "refused:damaged_image", "cut", "a cut photograph is refused; a browser shows the part that came, and grey"),
    _meant("jpeg", "pixels", "no-end-marker", "nothing but the end marker is missing; Chromium waits for more data, and leaves the last part out"),
    _meant("jpeg", "pixels", "mode-CMYK", "inks without a profile are read as a press prints them; Chromium multiplies them"),
    _meant("webp_still", "size", "exif-orientation", "EXIF turns a picture, as libvips does it; Chromium does not read EXIF in WebP"),
    _meant("webp_still", "pixels", "exif-orientation", "EXIF turns a picture, as libvips does it; Chromium does not read EXIF in WebP"),
    _meant("avif", "pixels", "animated range-full", "Chromium 156 takes full range for limited in sequences; what was written agrees with us"),
    _meant("tiff", "unjudged", "tiled planar", "libvips does not read tiles of separate planes"),
    *(
        _meant("tiff", "refused:unsupported_format.variant", traits, why)
        for traits, why in (
            ("bits-32", "numbers of 32 bits have no range that a picture could be taken from; refused by name"),
            ("format-2", "signed numbers have no range that a picture could be taken from; refused by name"),
            ("cmyk alpha-associated", "inks with alpha have no reader; refused by name"),
            ("cmyk alpha-unassociated", "inks with alpha have no reader; refused by name"),
            ("cmyk extra-unspecified bits-16", "a fifth ink of 16 bits has no reader; refused by name"),
            ("black-is-zero bits-16 alpha-associated", "grey of 16 bits with alpha has no reader; refused by name"),
            ("black-is-zero bits-16 alpha-unassociated", "grey of 16 bits with alpha has no reader; refused by name"),
            ("black-is-zero bits-16 extra-unspecified", "grey of 16 bits with more beside has no reader; refused by name"),
            ("black-is-zero planar alpha-associated", "grey and alpha in planes has no reader; refused by name"),
            ("black-is-zero planar alpha-unassociated", "grey and alpha in planes has no reader; refused by name"),
            ("black-is-zero planar extra-unspecified", "grey and more in planes has no reader; refused by name"),
        )
    ),
)


def is_meant(kind: str, what: str, sample: Sample) -> bool:
    return any(each.covers(kind, what, sample) for each in MEANT)
