"""AVIF and HEIC: ISO/IEC 14496-12 §12.1.4 (clap); 23008-12 §6.5.3 (ispe), §6.6.2 (items made of others).

The sides are those of the primary item; of HEIC as cropped, for no program crops AVIF. What no decoder reads is refused here by its name.
"""

from __future__ import annotations

from backend import errors
from backend.core.image_headers.heif_boxes import Meta, Span, box_at, boxes, places
from backend.core.image_headers.heif_facts import is_sequence, nclx_points, shown_properties
from backend.core.image_headers.reader import HeaderReader, Sides
from backend.core.limits import Limits

_MADE_OF_OTHERS = (b"grid", b"iden", b"iovl")
_NAMES = {
    b"av01": "AV1-coded",
    b"avc1": "AVC-coded (H.264)",
    b"evc1": "EVC-coded",
    b"grid": "tiled",
    b"hvc1": "HEVC-coded",
    b"iden": "derived",
    b"iovl": "overlay",
    b"j2k1": "JPEG 2000-coded",
    b"jpeg": "JPEG-coded",
    b"lhv1": "layered HEVC-coded",
    b"mski": "mask",
    b"tmap": "tone-mapped",
    b"unci": "uncompressed",
    b"vvc1": "VVC-coded (H.266)",
}
"""By the kind of the primary item, or of the items that it is made of."""
_UNREAD_MATRICES = {3: "reserved matrix", 10: "BT.2020 constant luminance", 11: "YDzDx", 13: "constant luminance", 14: "ICtCp"}
"""H.273 table 4: no product with a matrix brings these to RGB, and libavif has none for them."""


def read_avif(file: HeaderReader, limits: Limits) -> Sides:
    top = boxes(file, (0, file.size_bytes))
    _check_matrix(file)
    if is_sequence(file, top):
        return _of_sequence(file, top[b"moov"])
    return (*_whole_sides(file, _meta(file, top, "AVIF", frozenset((b"av01", b"grid")))), 1)


def read_heic(file: HeaderReader, limits: Limits) -> Sides:
    meta = _meta(file, boxes(file, (0, file.size_bytes)), "HEIC", frozenset((b"hvc1", *_MADE_OF_OTHERS)))
    return (*_cropped_sides(file, meta), 1)


def _meta(file: HeaderReader, top: dict[bytes, Span], name: str, readable: frozenset[bytes]) -> Meta:
    if b"meta" not in top and b"moov" in top:
        raise errors.UnsupportedFormat("variant", format=f"image sequence without a still ({name})", base=name)
    meta = Meta.of(file, top.get(b"meta", (0, 0)))
    _check_kinds(meta, name, readable)
    return meta


def _check_matrix(file: HeaderReader) -> None:
    points = nclx_points(file, shown_properties(file))
    if points is not None and points.matrix in _UNREAD_MATRICES:
        raise errors.UnsupportedFormat("variant", format=f"{_UNREAD_MATRICES[points.matrix]} AVIF", base="AVIF")


def _check_kinds(meta: Meta, name: str, readable: frozenset[bytes]) -> None:
    """Of the primary item, and of the first one that it is made of."""
    kinds, item = meta.item_kinds(), meta.primary_item
    kind = kinds.get(item)
    for _level in range(len(_MADE_OF_OTHERS)):
        if kind is not None and kind not in readable:
            variant = _NAMES.get(kind) or repr(kind.decode("latin-1")) + "-coded"
            raise errors.UnsupportedFormat("variant", format=f"{variant} {name}", base=name)
        source = meta.first_reference(b"dimg", item) if kind in _MADE_OF_OTHERS else None
        if source is None:
            return
        item, kind = source, kinds.get(source)


def _whole_sides(file: HeaderReader, meta: Meta) -> tuple[int, int]:
    at = dict(reversed(meta.properties_of(meta.primary_item))).get(b"ispe")
    if at is None:
        raise errors.DamagedImage(private="HEIF: the primary item has no size")
    return file.number(at + 4, 4), file.number(at + 8, 4)


def _cropped_sides(file: HeaderReader, meta: Meta) -> tuple[int, int]:
    width, height = _whole_sides(file, meta)
    at = dict(reversed(meta.properties_of(meta.primary_item))).get(b"clap")
    if at is None:
        return width, height
    return min(width, _quotient(file, at)), min(height, _quotient(file, at + 8))


def _quotient(file: HeaderReader, at: int) -> int:
    return file.number(at, 4) // max(1, file.number(at + 4, 4))


def _of_sequence(file: HeaderReader, moov: Span) -> Sides:
    """The first track that is shown: sides from its header (16.16), frames from its sample sizes."""
    for kind, at in places(file, moov):
        if kind != b"trak":
            continue
        start = box_at(file, (at, moov[1]), b"tkhd")[0]
        sides_at = start + (76 if file.number(start, 1) == 0 else 88)
        width, height = file.number(sides_at, 4) >> 16, file.number(sides_at + 4, 4) >> 16
        span = box_at(file, (at, moov[1]), b"mdia", b"minf", b"stbl", b"stsz")
        if width and height and span[0]:
            return width, height, max(1, file.number(span[0] + 8, 4))
    raise errors.DamagedImage(private="HEIF: no track that is shown")
