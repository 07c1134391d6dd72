"""What a PNG says beside its pixels: EXIF, XMP, IPTC and Content Credentials. The judge is exiftool; Chromium judges what turns a picture."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from backend.codec.image.notes.notes import Notes
from tests.conftest import missing
from tests.support.chromium_pictures import ChromiumJudge, difference
from tests.support.png_files import Png, chunk, noise
from tests.unit.codec import hostile
from tests.unit.codec.conftest import Convert
from tests.unit.codec.image.readers_here import opened, pixels_of

N = noise(12, 9)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
IPTC = b"\x1c\x02\x74\0\x04mine"
RESOURCES = b"8BIM\x03\xed\x03abc\0\0\0\x03xyz\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0"


def exif(orientation: int, order: str = "<") -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + struct.pack(f"{order}HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)


def raw(name: str, data: bytes, kind: bytes = b"zTXt") -> bytes:
    """As ImageMagick writes it: 36 bytes a line."""
    digits = "\n".join(data[at : at + 36].hex() for at in range(0, len(data), 36))
    text = f"\n{name}\n{len(data):8}\n{digits}\n".encode()
    keyword = f"Raw profile type {name}".encode() + b"\0"
    return chunk(kind, keyword + (b"\0" + zlib.compress(text) if kind == b"zTXt" else text))


def international(text: bytes, *, is_compressed: bool = False, keyword: bytes = b"XML:com.adobe.xmp") -> bytes:
    return chunk(b"iTXt", keyword + (b"\0\1\0" if is_compressed else b"\0\0\0") + b"en\0name\0" + (zlib.compress(text) if is_compressed else text))


def notes_of(between: bytes = b"", after: bytes = b"") -> Notes:
    with opened(Png(N, between=between, after=after).file()) as picture:
        assert picture.extras == picture.notes.extras
        return picture.notes


@pytest.mark.parametrize(
    "note",
    [
        international(XMP),
        international(XMP, is_compressed=True),
        raw("xmp", XMP),
        raw("APP1", b"http://ns.adobe.com/xap/1.0/\0" + XMP),
    ],
    ids=["iTXt", "compressed iTXt", "raw profile", "raw APP1"],
)
def test_xmp_is_found(note: bytes) -> None:
    assert notes_of(note) == Notes(xmp=XMP)
    assert notes_of(after=note) == Notes(xmp=XMP)


@pytest.mark.parametrize(
    "note",
    [
        chunk(b"eXIf", exif(6)),
        chunk(b"eXIf", b"Exif\0\0" + exif(6)),
        raw("exif", b"Exif\0\0" + exif(6)),
        raw("exif", exif(6), b"tEXt"),
        raw("APP1", b"Exif\0\0" + exif(6)),
    ],
    ids=["eXIf", "eXIf with a JPEG's prefix", "raw profile", "raw profile in tEXt", "raw APP1"],
)
def test_exif_is_found(note: bytes) -> None:
    assert notes_of(note) == Notes(exif=exif(6))


def test_exif_of_its_own_chunk_goes_before_a_raw_profile() -> None:
    both = raw("exif", exif(3)), chunk(b"eXIf", exif(6))
    assert notes_of(b"".join(both)).exif == notes_of(b"".join(reversed(both))).exif == exif(6)


@pytest.mark.parametrize("note", [raw("iptc", IPTC), raw("iptc", RESOURCES), raw("8bim", RESOURCES)], ids=["datasets", "resources", "8bim"])
def test_iptc_is_found_alone_and_among_photoshops_resources(note: bytes) -> None:
    assert notes_of(note) == Notes(iptc=IPTC)


def test_content_credentials_are_said_to_be_lost(convert: Convert) -> None:
    file = Png(N, between=chunk(b"caBX", bytes(2000))).file()
    assert convert(file).converted.facts["dropped"] == ["c2pa"]


@pytest.mark.parametrize(
    "note",
    [
        chunk(b"eXIf", exif(6), crc=1),
        international(XMP)[:-4] + b"abcd",
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0garbage"),
        chunk(b"iTXt", b"XML:com.adobe.xmp"),
        chunk(b"zTXt", b"Raw profile type exif\0\0garbage"),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 20\n00zz\n"),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 21\n0000\n"),
        raw("8bim", b"8BIM\x04\x04\xff"),
        raw("8bim", b"8BIM\x04\x05\0\0\xff\xff\xff\xff"),
        raw("unknown", b"123"),
        international(XMP, keyword=b"Title"),
        chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + hostile.zeros(50 << 20)),
        chunk(b"iTXt", b""),
    ],
    ids=range(13),
)
def test_a_note_that_cannot_be_read_is_none(note: bytes) -> None:
    assert notes_of(note) == Notes()


def test_the_first_whole_note_counts() -> None:
    assert notes_of(chunk(b"eXIf", exif(3), crc=1) + chunk(b"eXIf", exif(6)) + chunk(b"eXIf", exif(8))).exif == exif(6)
    assert notes_of(international(XMP)[:-4] + b"abcd" + international(XMP) + international(b"other")).xmp == XMP


def test_notes_of_others_survive(convert: Convert, tmp_path: Path) -> None:
    tool = shutil.which("exiftool") or missing("exiftool is not installed (Debian: libimage-exiftool-perl)")
    source, result = tmp_path / "source.png", tmp_path / "result.webp"
    source.write_bytes(Png(N).file())
    notes = ("-EXIF:Artist=José", "-XMP:Creator=José", "-IPTC:By-line=José")
    subprocess.run([tool, "-q", "-overwrite_original", "-codedcharacterset=utf8", *notes, source], check=True, timeout=60)
    result.write_bytes(convert(source, metadata="all").data)
    asked = [tool, "-s3", "-charset", "iptc=utf8", "-EXIF:Artist", "-XMP:Creator", "-IPTC:By-line", result]
    assert subprocess.run(asked, check=True, timeout=60, capture_output=True, text=True).stdout.split() == ["José"] * 3


@pytest.mark.parametrize("orientation", range(10))
def test_exif_before_the_pixels_turns_the_picture_as_in_chromium(convert: Convert, chromium_judge: ChromiumJudge, orientation: int) -> None:
    for order in "<>":
        file = Png(N, between=chunk(b"eXIf", exif(orientation, order))).file()
        [its] = chromium_judge.shown([file])
        assert its is not None
        assert difference(pixels_of(convert(file, lossless=True).image()), its.pixels).max() == 0


@pytest.mark.parametrize(
    "note",
    [
        international(XMP.replace(b"<rdf:RDF", b'<rdf:RDF xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"')),
        raw("exif", exif(6)),
        chunk(b"eXIf", exif(6), crc=1),
    ],
    ids=["XMP", "a raw profile", "a wrong checksum"],
)
def test_nothing_else_turns_it(convert: Convert, chromium_judge: ChromiumJudge, note: bytes) -> None:
    file = Png(N, between=note).file()
    [its] = chromium_judge.shown([file])
    assert its is not None
    assert (its.width, its.height) == (12, 9)
    assert difference(pixels_of(convert(file, lossless=True).image()), its.pixels).max() == 0


def test_large_notes_and_bombs_take_neither_the_memory_nor_the_time_of_the_picture(convert: Convert) -> None:
    large = international(bytes(7 << 20), is_compressed=True) + raw("exif", bytes(3 << 20)) + chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(7 << 20)))
    bombs = chunk(b"zTXt", b"Raw profile type exif\0\0" + hostile.zeros(20 << 20)) * 500
    assert convert(Png(N, between=large + bombs, after=bombs).file(), metadata="all", timeout_s=5.0).converted.width == 12
