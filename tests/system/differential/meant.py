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
    _meant("png", "pixels", "cicp-pq colour-3", "HDR goes through a table of 33 steps: a saturated palette can be 2.5 steps off in the mean"),
    *(
        _meant(kind, "refused:damaged_image", trait, "a damaged picture is refused; a browser shows the part that is whole, and grey or nothing")
        for kind in ("gif", "apng", "webp_animated", "webp_still", "png", "jpeg", "bmp", "avif", "tiff")
        for trait in ("cut", "zeroed", "bad-data-checksum")
    ),
    _meant("bmp", "pixels", "tiny bitfields", "Chromium 156 shows nothing of a V4 or V5 bitmap with less than 12 bytes of pixels"),
    _meant("webp_still", "size", "exif-orientation", "EXIF turns a picture, as libvips does it; Chromium does not read EXIF in WebP"),
    _meant("webp_still", "pixels", "exif-orientation", "EXIF turns a picture, as libvips does it; Chromium does not read EXIF in WebP"),
    _meant("avif", "pixels", "animated range-full", "Chromium 156 takes full range for limited in sequences; what was written agrees with us"),
    _meant("avif", "pixels", "bits-12 subsampled", "Chromium 156 repeats chroma of 12 bits; ours is interpolated, as it is at 8 and 10 bits"),
    _meant("gif", "refused:damaged_image", "too-little-data", "an image that lacks pixels is refused; a browser shows the part that is there"),
    *(
        _meant("apng", what, trait, "frames against the specification: refused, or the default image alone, as it says")
        for what in ("refused:damaged_image", "unjudged")
        for trait in ("sequence-with-a-gap", "frame-beyond-canvas")
    ),
    *(
        _meant("apng", "unjudged", f"{trait} hidden-default-image", "an image that is never shown may be damaged; Chromium then shows nothing")
        for trait in ("cut", "zeroed", "bad-data-checksum")
    ),
    *(
        _meant(kind, what, "cut", "a frame whose pixels are all there counts, though its end is missing; Chromium drops it")
        for kind, what in (*(("gif", each) for each in ("pixels", "frames", "durations", "unjudged")), ("apng", "frames"))
    ),
    _meant("gif", "durations", "zeroed beyond-screen", "a damaged frame beyond the screen shows nothing for its time; Chromium ends before it"),
    _meant("jpeg", "pixels", "zeroed", "zeros in a table of codes leave data that decodes without a complaint: nothing tells of the damage"),
    _meant("avif", "unjudged", "iccp zeroed", "a broken profile costs its colours, not the picture; Chromium refuses the file"),
    _meant("avif", "unjudged", "alpha zeroed", "libvips, which judges alpha, refuses the file that Chromium shows"),
    _meant("tiff", "unjudged", "cut planar extra-unspecified", "the plane that is cut has no meaning; every plane that has one is whole"),
    _meant("tiff", "pixels", "black-is-zero planar extra-unspecified iccp", "libvips takes the strips of two planes in the wrong order"),
    _meant("tiff", "unjudged", "tiled planar", "libvips does not read tiles of separate planes"),
    *(
        _meant("tiff", "refused:unsupported_format.variant", traits, why)
        for traits, why in (
            ("bits-32", "numbers of 32 bits have no range that a picture could be taken from; refused by name"),
            ("format-2", "signed numbers have no range that a picture could be taken from; refused by name"),
            ("by-libtiff webp", "WebP in TIFF has no reader; refused by name"),
            ("lab planar", "Lab in planes has no reader; refused by name"),
            ("cmyk alpha-associated", "inks with alpha have no reader; refused by name"),
            ("cmyk alpha-unassociated", "inks with alpha have no reader; refused by name"),
            ("cmyk extra-unspecified bits-16", "a fifth ink of 16 bits has no reader; refused by name"),
            ("black-is-zero bits-16 alpha-associated", "grey of 16 bits with alpha has no reader; refused by name"),
            ("black-is-zero bits-16 alpha-unassociated", "grey of 16 bits with alpha has no reader; refused by name"),
            ("black-is-zero bits-16 extra-unspecified", "grey of 16 bits with more beside has no reader; refused by name"),
            ("black-is-zero planar alpha-associated", "grey and alpha in planes has no reader; refused by name"),
            ("black-is-zero planar alpha-unassociated", "grey and alpha in planes has no reader; refused by name"),
        )
    ),
)


def is_meant(kind: str, what: str, sample: Sample) -> bool:
    return any(each.covers(kind, what, sample) for each in MEANT)
