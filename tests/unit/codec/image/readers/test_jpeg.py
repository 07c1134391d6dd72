"""A JPEG's pixels are Pillow's, which decodes with the same library; its notes are read here, and cost no picture."""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from backend import errors
from backend.codec.image.jpeg.header import NOTES_BYTES, read_header
from backend.codec.image.notes.notes import Notes
from backend.codec.image.readers import open_picture
from backend.codec.image.readers.picture import Picture
from backend.codec.native import arrow_buffer, libjpeg_abi
from backend.codec.native.source import Source
from backend.core.limits import Limits
from tests.unit.codec.conftest import Convert, corpus, declared, picture, saved
from tests.unit.codec.image.test_exif import tiff
from tests.unit.codec.jpegs import app, segment, with_frame, with_segments

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP, EXTENDED = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
ISO_21496 = b"urn:iso:std:iso:ts:21496:-1\0"
GUID = b"0123456789ABCDEF0123456789ABCDEF"
KINDS = {
    "4:2:0": {"subsampling": 2},
    "4:2:2": {"subsampling": 1},
    "4:4:4": {"subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
}


@pytest.fixture(scope="module", autouse=True)
def _one_block() -> None:
    arrow_buffer.allocate_in_one_block()


@contextmanager
def opened(source: bytes) -> Iterator[Picture]:
    with tempfile.TemporaryFile() as file:
        file.write(source)
        file.flush()
        yield open_picture(Source(file.fileno()), declared(source), Limits())


def pixels(source: bytes, scale: int = 1) -> Image.Image:
    with opened(source) as found:
        width, height = found.size
        found.reduce((max(1, int(width / scale / 1.6)), max(1, int(height / scale / 1.6))))
        return found.read(lambda _share: None)


def by_pillow(source: bytes, scale: int = 1) -> Image.Image:
    with Image.open(io.BytesIO(source)) as image:
        if scale > 1:
            image.draft(image.mode, (image.width // scale, image.height // scale))
        return image.copy()


def same(left: Image.Image, right: Image.Image) -> bool:
    return (left.mode, left.size, left.tobytes()) == (right.mode, right.size, right.tobytes())


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_are_those_of_pillow(kind: str, mode: str, scale: int) -> None:
    for size in ((640, 427), (333, 517)):
        source = saved(picture(*size, mode=mode), "JPEG", quality=88, **KINDS[kind])
        assert same(pixels(source, scale), by_pillow(source, scale))


@pytest.mark.parametrize("size", [(1, 1), (1, 999), (999, 1), (9, 7), (16, 16), (17, 17)], ids=str)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_so_are_those_of_small_pictures(mode: str, size: tuple[int, int]) -> None:
    source = saved(picture(*size, mode=mode), "JPEG")
    assert same(pixels(source), by_pillow(source))


@pytest.mark.parametrize("transform", [None, 0, 2])
@pytest.mark.parametrize("scale", [1, 2])
def test_cmyk_is_read_by_what_adobe_says(transform: int | None, scale: int) -> None:
    """0 is CMYK, 2 is YCCK; without a marker of Adobe it is CMYK, and inverted all the same, as in browsers."""
    plain = saved(picture(mode="CMYK"), "JPEG")
    at = plain.index(b"\xff\xee")
    bare = plain[:at] + plain[at + 2 + struct.unpack_from(">H", plain, at + 2)[0] :]
    source = bare if transform is None else app(bare, 14, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))
    assert same(pixels(source, scale), by_pillow(source, scale))


@pytest.mark.parametrize("path", [*corpus("photos"), *corpus("orientation"), *corpus("colour")], ids=lambda path: path.name)
def test_real_pictures_have_the_pixels_of_pillow(path: Path) -> None:
    if path.suffix != ".jpg":
        pytest.skip("no JPEG")
    source = path.read_bytes()
    for scale in (1, 4) if path.name != "24mp.jpg" else (4,):
        assert same(pixels(source, scale), by_pillow(source, scale))


def test_pillow_decodes_where_its_library_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    source = saved(picture(), "JPEG")
    wanted = [pixels(source, scale) for scale in (1, 2)]
    monkeypatch.setattr(libjpeg_abi, "library", lambda: None)
    assert all(same(pixels(source, scale), each) for scale, each in zip((1, 2), wanted, strict=True))


@pytest.mark.parametrize("components", [2, 5])
def test_a_variant_is_named_and_not_called_damaged(convert: Convert, components: int) -> None:
    with pytest.raises(errors.UnsupportedFormat) as raised:
        convert(with_frame(saved(picture(), "JPEG"), components=components))
    assert raised.value.params["format"] == f"{components}-component JPEG"


@pytest.mark.parametrize("path", [each for each in corpus("reports") if each.name.endswith("two-component.jpg")], ids=lambda path: path.name)
def test_the_reported_variant_is_named(convert: Convert, path: Path) -> None:
    with pytest.raises(errors.UnsupportedFormat):
        convert(path)


@pytest.mark.parametrize("path", [each for each in corpus("reports") if each.name.startswith("05a")], ids=lambda path: path.name)
def test_the_reported_orientation_in_xmp_turns_nothing(convert: Convert, path: Path) -> None:
    for options, size in (({}, (320, 200)), ({"width": 160}, (160, 100))):
        result = convert(path, **options).converted
        assert (result.width, result.height) == size


def notes(source: bytes) -> Notes:
    with opened(source) as found:
        return found.notes


def test_exif_is_given_as_it_is() -> None:
    data = tiff(6, order=">") + "© 2026 José Müller 图片".encode()
    for begin in (b"Exif\0\0", b"Exif\0"):
        assert notes(app(saved(picture(), "JPEG"), 1, begin + data)).exif == data


def test_of_several_exif_segments_the_first_counts() -> None:
    source = with_segments(saved(picture(), "JPEG"), segment(0xE1, b"Exif\0\0" + tiff(6)), segment(0xE1, b"Exif\0\0" + tiff(3)))
    with opened(source) as found:
        assert (found.notes.exif, found.exif_orientation) == (tiff(6), 6)


def test_xmp_and_iptc_are_found() -> None:
    iptc = b"\x1c\x02\x74\0\x05\xc2\xa9 me"
    resources = b"8BIM\x03\xed\0\0\0\0\0\x02ab" + b"8BIM\x04\x04\x03odd\0\0\0" + bytes([len(iptc)]) + iptc
    packet = b"<x:xmpmeta/>"
    source = with_segments(saved(picture(), "JPEG"), segment(0xE1, XMP + packet), segment(0xED, b"Photoshop 3.0\0" + resources))
    assert notes(source) == Notes(xmp=packet, iptc=iptc)


@pytest.mark.parametrize("parts", [1, 2, 3, 65])
def test_a_profile_is_joined_by_its_numbers(parts: int) -> None:
    profile = bytes(range(256)) * (250 * parts) if parts > 3 else SRGB
    length = -(-len(profile) // parts)
    pieces = [profile[at : at + length] for at in range(0, len(profile), length)]
    segments = [segment(0xE2, b"ICC_PROFILE\0" + bytes((number, parts)) + piece) for number, piece in enumerate(pieces, 1)]
    assert notes(with_segments(saved(picture(), "JPEG"), *reversed(segments))).profile == profile


@pytest.mark.parametrize("numbers", [[(1, 2)], [(1, 2), (1, 2)], [(1, 2), (3, 2)], [(1, 2), (2, 3)], [(0, 1)], []])
def test_a_profile_that_lacks_a_part_is_none(convert: Convert, numbers: list[tuple[int, int]]) -> None:
    plain = saved(picture(), "JPEG")
    source = with_segments(plain, *(segment(0xE2, b"ICC_PROFILE\0" + bytes(each) + SRGB[:200]) for each in numbers))
    assert notes(source).profile == b""
    assert convert(source).data == convert(plain).data


def extended_xmp(whole: bytes, *, guid: bytes = GUID, part_bytes: int = 40_000) -> list[bytes]:
    heads = ((at, EXTENDED + guid + struct.pack(">II", len(whole), at)) for at in range(0, len(whole), part_bytes))
    return [segment(0xE1, head + whole[at : at + part_bytes]) for at, head in heads]


MAIN = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
MAIN += b'<rdf:Description rdf:about="" xmpNote:HasExtendedXMP="' + GUID + b'"/></rdf:RDF></x:xmpmeta>'
FURTHER = b'<rdf:Description rdf:about="" dc:further="' + b"more " * 20_000 + b'"/>'
WHOLE = b'<x:xmpmeta><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' + FURTHER + b"</rdf:RDF></x:xmpmeta>"


def test_extended_xmp_is_joined() -> None:
    joined = notes(with_segments(saved(picture(), "JPEG"), segment(0xE1, XMP + MAIN), *reversed(extended_xmp(WHOLE)))).xmp
    assert joined == MAIN.replace(b' xmpNote:HasExtendedXMP="' + GUID + b'"', b"").replace(b"</rdf:RDF>", FURTHER + b"</rdf:RDF>")


@pytest.mark.parametrize(
    "parts",
    [
        extended_xmp(WHOLE)[:-1],
        extended_xmp(WHOLE, guid=GUID[::-1]),
        extended_xmp(WHOLE)[1:],
        extended_xmp(bytes(2 << 20)),
        extended_xmp(b"<x:odd>"),
        [],
    ],
    ids=["cut off", "another's", "without its begin", "too large", "broken", "missing"],
)
def test_an_extension_that_cannot_be_used_is_left_out(parts: list[bytes]) -> None:
    assert notes(with_segments(saved(picture(), "JPEG"), segment(0xE1, XMP + MAIN), *parts)).xmp == MAIN


def c2pa() -> bytes:
    kind = bytes.fromhex("6332706100110010800000aa00389b71")
    jumd = struct.pack(">I4s", 8 + 16 + 1 + 5, b"jumd") + kind + b"\x03c2pa\0"
    return segment(0xEB, b"JP\0\x01\0\0\0\x01" + struct.pack(">I4s", 8 + len(jumd), b"jumb") + jumd)


def other_jumbf() -> bytes:
    return c2pa().replace(bytes.fromhex("63327061"), b"json")


def multi_picture(source: bytes, *, second: bytes, order: str = ">") -> bytes:
    """CIPA DC-007: an index after the start of the image, and the second image after the first."""
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8)
    fields = struct.pack(order + "HHII", 0xB001, 4, 1, 2) + struct.pack(order + "HHII", 0xB002, 7, 32, 8 + 2 + 24 + 4)
    index_bytes = len(head) + 2 + len(fields) + 4 + 32
    total = len(source) + 4 + 4 + index_bytes
    images = struct.pack(order + "IIIHH", 0x030000, total, 0, 0, 0) + struct.pack(order + "IIIHH", 0, len(second), total - 2 - 4 - 4, 0, 0)
    return app(source, 2, b"MPF\0" + head + struct.pack(order + "H", 2) + fields + bytes(4) + images) + second


def plain() -> bytes:
    return saved(picture(), "JPEG")


GAIN_MAPS = {
    "ISO 21496": lambda: app(plain(), 2, ISO_21496 + bytes(4)),
    "Ultra HDR": lambda: app(plain(), 1, XMP + b'<rdf:Description hdrgm:Version="1.0"/>'),
    "a container's item": lambda: app(plain(), 1, XMP + b'<Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg"/>'),
    "a second image by ISO": lambda: multi_picture(plain(), second=app(plain(), 2, ISO_21496 + bytes(60))),
    "Apple": lambda: multi_picture(plain(), second=app(plain(), 1, XMP + b"<A>urn:com:apple:photo:2020:aux:hdrgainmap</A>")),
    "little endian": lambda: multi_picture(plain(), second=app(plain(), 1, XMP + b'<rdf:Description hdrgm:Version="1.0"/>'), order="<"),
}
NO_GAIN_MAPS = {
    "plain": plain,
    "two eyes": lambda: multi_picture(plain(), second=plain()),
    "a second image that is missing": lambda: multi_picture(plain(), second=b""),
    "a second image that is none": lambda: multi_picture(plain(), second=b"\xff\xd8" + bytes(999)),
    "an index that is broken": lambda: app(plain(), 2, b"MPF\0MM\0*\0\0\0\x08\xff\xff\xb0\x02"),
    "other XMP": lambda: app(plain(), 1, XMP + b"<x:xmpmeta/>"),
}


@pytest.mark.parametrize("kind", GAIN_MAPS)
def test_a_gain_map_is_told(convert: Convert, kind: str) -> None:
    """The first image is the picture."""
    source = GAIN_MAPS[kind]()
    assert notes(source).extras == {"gain_map"}
    assert convert(source).data == convert(plain()).data


@pytest.mark.parametrize("kind", NO_GAIN_MAPS)
def test_none_is_told_where_none_is(convert: Convert, kind: str) -> None:
    source = NO_GAIN_MAPS[kind]()
    assert not notes(source).extras
    assert convert(source).data == convert(plain()).data


def test_content_credentials_are_told() -> None:
    assert notes(with_segments(plain(), c2pa())).extras == {"c2pa"}
    assert not notes(with_segments(plain(), other_jumbf())).extras


def test_notes_are_bounded() -> None:
    """What is over the bound is passed over; the picture is not."""
    source = with_segments(plain(), segment(0xE1, b"filling" + bytes(65_000)) * 300)
    with tempfile.TemporaryFile() as file:
        file.write(source)
        file.flush()
        apps = read_header(Source(file.fileno())).apps
    assert 0 <= NOTES_BYTES - sum(len(each.contents) for each in apps) < 1 << 16
    assert same(pixels(source), by_pillow(plain()))


def test_hostile_xmp_takes_no_time(convert: Convert) -> None:
    openers = [segment(0xE1, XMP + each * (65_000 // len(each))) for each in (b"<rdf:RDF ", b" ", b"<a", b" a:HasExtendedXMP='")]
    extension = extended_xmp(b"<rdf:RDF " * 100_000)
    for each in openers:
        convert(with_segments(plain(), each, *extension), timeout_s=2.0)
    guid = b" HasExtendedXMP='" + GUID + b"'<rdf:RDF></rdf:RDF>"
    convert(with_segments(plain(), segment(0xE1, XMP + guid + b" " * 60_000), *extension), metadata="all", timeout_s=2.0)
