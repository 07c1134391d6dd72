"""Notes are carried from a source into its result, byte by byte. The judge is exiftool, which writes the sources and reads the results."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backend.codec.image.notes import metadata, tiff_fields, xmp
from backend.codec.image.notes.notes import Notes
from backend.codec.image.notes.tiff_fields import ASCII, COPYRIGHT, Field
from backend.core.formats import MAX_NOTE_BYTES
from backend.core.options import Options
from tests.unit.codec.conftest import Convert, picture, saved

NOTE = "© 2026 José Müller 图片"
BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>"""


@pytest.fixture
def noted(tmp_path: Path) -> Any:
    """``noted("-Copyright=me", …)``: a photograph with what exiftool writes; ``read(result)``: all that it finds there, by group and name."""
    tool = shutil.which("exiftool")
    if not tool:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("exiftool is not installed (Debian: libimage-exiftool-perl)")
    return Exiftool(tool, tmp_path)


class Exiftool:
    def __init__(self, tool: str, folder: Path) -> None:
        self._tool, self._folder = tool, folder

    def write(self, *notes: str, image_format: str = "JPEG") -> bytes:
        file = self._folder / f"source.{image_format.lower()}"
        file.write_bytes(saved(picture(64, 48), image_format))
        done = subprocess.run([self._tool, "-q", "-overwrite_original", *notes, file], check=True, timeout=60, capture_output=True)
        assert not done.stderr
        return file.read_bytes()

    def read(self, data: bytes) -> dict[str, Any]:
        file = self._folder / "result.webp"
        file.write_bytes(data)
        done = subprocess.run([self._tool, "-json", "-G1", "-n", "-struct", file], check=True, timeout=60, capture_output=True)
        found: dict[str, Any] = json.loads(done.stdout)[0]
        assert "ExifTool:Warning" not in found
        return found


def test_a_note_in_utf_8_keeps_its_bytes(convert: Convert, noted: Exiftool) -> None:
    source = noted.write(f"-EXIF:Copyright={NOTE}", "-EXIF:Artist=José", "-EXIF:ImageDescription=Grüße")
    result = noted.read(convert(source, metadata="copyright").data)
    assert (result["IFD0:Copyright"], result["IFD0:Artist"]) == (NOTE, "José")
    assert "IFD0:ImageDescription" not in result
    assert noted.read(convert(source, metadata="all").data)["IFD0:ImageDescription"] == "Grüße"


@pytest.mark.parametrize("value", [b"\xff\xfe not UTF-8 \x80\0", b"(c) photographer\0editor\0", b"x\0"])
def test_the_bytes_of_a_note_stay_whatever_they_are(convert: Convert, value: bytes) -> None:
    block = tiff_fields.block_of([Field(COPYRIGHT, ASCII, len(value), value)], "big")
    for choice in ("copyright", "all"):
        with convert(saved(picture(), "JPEG", exif=b"Exif\0\0" + block), metadata=choice).image() as image:
            assert tiff_fields.read(image.info["exif"]).fields[COPYRIGHT].value == value


@pytest.mark.parametrize(
    ("where", "creator"),
    [("XMP-dc:Rights", "XMP-dc:Creator"), ("IPTC:CopyrightNotice", "IPTC:By-line"), ("EXIF:Copyright", "EXIF:Artist")],
)
def test_copyright_is_found_wherever_it_stands(convert: Convert, noted: Exiftool, where: str, creator: str) -> None:
    source = noted.write("-IPTC:CodedCharacterSet=UTF8", f"-{where}={NOTE}", f"-{creator}=A. Photographer", "-XMP-dc:Title=a title")
    result = noted.read(convert(source, metadata="copyright").data)
    assert (result["IFD0:Copyright"], result["IFD0:Artist"]) == (NOTE, "A. Photographer")
    assert "XMP-dc:Title" not in result
    if where.startswith("XMP"):
        assert result["XMP-dc:Rights"] == NOTE


def test_what_xmp_says_of_rights_goes_along(convert: Convert, noted: Exiftool) -> None:
    source = noted.write("-XMP-xmpRights:WebStatement=https://example.com/licence", "-XMP-cc:License=https://example.com/by", "-XMP-dc:Subject=cat")
    result = noted.read(convert(source, metadata="copyright").data)
    assert result["XMP-xmpRights:WebStatement"] == "https://example.com/licence"
    assert result["XMP-cc:License"] == "https://example.com/by"
    assert "XMP-dc:Subject" not in result


@pytest.mark.parametrize("exif", [(), ("-EXIF:Model=a camera", "-EXIF:ExposureTime=1/50", "-GPSLatitude=48", "-GPSLatitudeRef=N")])
def test_all_keeps_every_kind_of_note(convert: Convert, noted: Exiftool, exif: tuple[str, ...]) -> None:
    source = noted.write("-IPTC:CodedCharacterSet=UTF8", f"-IPTC:Caption-Abstract={NOTE}", "-IPTC:Keywords=cat", "-XMP-dc:Title=a title", *exif)
    result = noted.read(convert(source, metadata="all").data)
    assert (result["IPTC:Caption-Abstract"], result["IPTC:Keywords"], result["XMP-dc:Title"]) == (NOTE, "cat", "a title")
    if exif:
        assert (result["IFD0:Model"], result["ExifIFD:ExposureTime"], result["GPS:GPSLatitude"]) == ("a camera", 0.02, 48)


@pytest.mark.parametrize("kept", ["orientation is not applied", "orientation is applied"])
def test_orientation_is_reset_where_it_was_applied(convert: Convert, noted: Exiftool, kept: str) -> None:
    auto_orient = kept == "orientation is applied"
    source = noted.write("-n", "-EXIF:Orientation=6", "-XMP-tiff:Orientation=6", "-EXIF:Model=a camera")
    result = noted.read(convert(source, metadata="all", auto_orient=auto_orient).data)
    assert (result["IFD0:Orientation"], result["XMP-tiff:Orientation"]) == ((1, 1) if auto_orient else (6, 6))
    assert result["IFD0:Model"] == "a camera"


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF"])
def test_other_formats_carry_their_notes_too(convert: Convert, noted: Exiftool, image_format: str) -> None:
    source = noted.write(f"-EXIF:Copyright={NOTE}", "-EXIF:ExposureTime=1/50", "-GPSLatitude=48", "-XMP-dc:Title=a title", image_format=image_format)
    result = noted.read(convert(source, metadata="all").data)
    assert (result["IFD0:Copyright"], result["XMP-dc:Title"]) == (NOTE, "a title")
    assert (result["ExifIFD:ExposureTime"], result["GPS:GPSLatitude"]) == (0.02, 48)


def test_how_a_tiff_stores_its_samples_is_no_note(convert: Convert, noted: Exiftool) -> None:
    source = noted.write("-IPTC:CodedCharacterSet=UTF8", "-IPTC:Keywords=cat", f"-EXIF:Artist={NOTE}", image_format="TIFF")
    result = noted.read(convert(source, metadata="all").data)
    assert (result["IPTC:Keywords"], result["IFD0:Artist"]) == ("cat", NOTE)
    assert not {"IFD0:StripOffsets", "IFD0:ImageWidth", "IFD0:Compression"} & result.keys()


def test_nothing_is_carried_unless_it_is_asked_for(convert: Convert, noted: Exiftool) -> None:
    source = noted.write(f"-EXIF:Copyright={NOTE}", "-XMP-dc:Title=a title", "-IPTC:Keywords=cat")
    outcome = convert(source)
    assert not {each for each in noted.read(outcome.data) if each.startswith(("IFD0", "XMP", "IPTC"))}
    assert "dropped" not in outcome.converted.facts


def test_content_credentials_that_are_lost_are_said(convert: Convert) -> None:
    still = saved(picture(), "WEBP")
    size = len(still) - 8 + 12
    source = still[:4] + size.to_bytes(4, "little") + still[8:] + b"C2PA" + (4).to_bytes(4, "little") + b"jumb"
    for choice in ("none", "all"):
        assert convert(source, metadata=choice).converted.facts["dropped"] == ["c2pa"]


def test_what_was_asked_for_and_is_too_large_is_said() -> None:
    large = b"x" * (MAX_NOTE_BYTES + 1)
    exif = tiff_fields.block_of([Field(COPYRIGHT, ASCII, 3, b"me\0")])
    carried = metadata.carry(Notes(exif=exif, xmp=large, iptc=large, extras=frozenset(("gain_map",))), Options(metadata="all"))
    assert carried.dropped == ("gain_map", "iptc", "xmp")
    assert carried.metadata.exif == exif and not carried.metadata.xmp
    assert metadata.carry(Notes(exif=b"no TIFF"), Options(metadata="all")).dropped == ("exif",)
    assert metadata.carry(Notes(xmp=large), Options()).dropped == ()


@pytest.mark.parametrize("packet", [BOMB, b"<not xml", b"\0" * 50, b"<?xml version='1.0' encoding='klingon'?><a/>", zlib.compress(b"x")])
def test_a_packet_that_cannot_be_read_has_no_rights(packet: bytes) -> None:
    assert xmp.rights_in(packet) == []


def test_a_field_is_added_without_moving_a_byte() -> None:
    block = tiff_fields.block_of([Field(0x010E, ASCII, 12, b"a long view\0"), Field(COPYRIGHT, ASCII, 3, b"me\0")], "big")
    joined = tiff_fields.with_field(block, Field(0x83BB, 7, 6, b"\x1c\x02\x74\0\x01x"))
    assert joined[8 : len(block)] == block[8:]
    assert {tag: field.value for tag, field in tiff_fields.read(joined).fields.items()} == {
        0x010E: b"a long view\0",
        COPYRIGHT: b"me\0",
        0x83BB: b"\x1c\x02\x74\0\x01x",
    }
    exif = Image.Exif()
    exif.load(joined)
    assert exif[COPYRIGHT] == "me"


@pytest.mark.parametrize("block", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\x08\0\0\0\0\0"])
def test_what_is_no_directory_is_refused(block: bytes) -> None:
    with pytest.raises(tiff_fields.NotTiff):
        tiff_fields.read(block)
