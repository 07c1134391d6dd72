"""PNG as a result: the judges are libvips, pngcheck and exiftool."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageOps

from backend.codec.encoders.png import palette
from tests.unit.codec.conftest import Convert, corpus, picture, saved
from tests.unit.codec.encoders.judges import Samples, apart, check_png, vips_image, vips_samples
from tests.unit.codec.hostile import chunk
from tests.unit.codec.image.test_colour_difference import by_arithmetic, profile_of
from tests.unit.codec.image.test_metadata import Exiftool, noted  # noqa: F401  (a fixture)

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
WIDTH, HEIGHT = 61, 47


def header_of(png: bytes) -> tuple[int, int]:
    """Bits a sample, and colour type."""
    assert png[28] == 0, "not interlaced"
    return png[24], png[25]


def chunks_of(png: bytes) -> dict[bytes, bytes]:
    """The first of each kind, in their order."""
    at, found = 8, {}
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        found.setdefault(png[at + 4 : at + 8], png[at + 8 : at + 8 + length])
        at += 12 + length
    return found


def deep(bands: int, width: int = WIDTH, height: int = HEIGHT) -> Samples:
    """Slopes in 16 bits, with grain in the lowest ones and noise in a corner."""
    across, down = np.meshgrid(np.linspace(0, 65535, width), np.linspace(0, 65535, height))
    planes = [across, down, (across + 65535 - down) / 2, 65535 - across][:bands]
    generator = np.random.default_rng(bands)
    samples = np.stack(planes, axis=-1) + generator.integers(-40, 40, (height, width, bands))
    samples[:10, :10] = generator.integers(0, 65536, samples[:10, :10].shape)
    return np.clip(samples, 0, 65535).astype(np.uint16)


@pytest.mark.parametrize(("mode", "colour"), [("L", GREY), ("LA", GREY_ALPHA), ("RGB", RGB), ("RGBA", RGBA)])
def test_each_mode_keeps_every_sample(convert: Convert, tmp_path: Path, mode: str, colour: int) -> None:
    image = picture(mode=mode)
    data = convert(saved(image, "PNG"), format="png").data
    assert header_of(data) == (8, colour)
    assert np.array_equal(vips_samples(data), np.asarray(image).reshape(200, 320, -1))
    check_png(data, tmp_path)


@pytest.mark.parametrize("image_format", ["png", "tiff"])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_sixteen_bits_stay(convert: Convert, tmp_path: Path, bands: int, image_format: str) -> None:
    samples = deep(bands)
    if (bands, image_format) == (2, "tiff"):
        pytest.skip("grey with alpha of 16 bits is not read from TIFF")
    source = vips_image(samples).write_to_buffer(f".{image_format}")
    data = convert(source, format="png").data
    assert header_of(data) == (16, {1: GREY, 2: GREY_ALPHA, 3: RGB, 4: RGBA}[bands])
    assert np.array_equal(vips_samples(data), samples)
    check_png(data, tmp_path)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7000, 3), (300, 1100)])
def test_sixteen_bits_of_every_size_stay(convert: Convert, bands: int, size: tuple[int, int]) -> None:
    samples = deep(bands, *size)
    assert np.array_equal(vips_samples(convert(vips_image(samples).pngsave_buffer(), format="png").data), samples)


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_sixteen_bits_stay_turned_and_on_a_canvas(convert: Convert, bands: int) -> None:
    samples = deep(bands)
    source = vips_image(samples).pngsave_buffer()
    turned = convert(source, format="png", rotate=90, flop=True).data
    assert np.array_equal(vips_samples(turned), np.rot90(samples[:, ::-1], -1))
    cropped = vips_samples(convert(source, format="png", width=30, height=HEIGHT, fit="cover").data)
    assert cropped.dtype == np.uint16
    assert np.array_equal(cropped, samples[:, 15:45]) or np.array_equal(cropped, samples[:, 16:46])
    padded = vips_samples(convert(source, format="png", width=WIDTH, height=HEIGHT + 20, fit="contain", background="#ff8000ff").data)
    assert list(padded[0, 0, :3]) == [65535, 0x8080, 0]
    assert np.array_equal(padded[10 : 10 + HEIGHT, :, : min(bands, 3)], samples[:, :, :3] if bands > 2 else samples)


@pytest.mark.parametrize(("bands", "key"), [(1, (0x1234,)), (3, (0x1234, 0x5678, 0x9ABC))])
def test_one_transparent_colour_of_sixteen_bits_is_that_alone(convert: Convert, bands: int, key: tuple[int, ...]) -> None:
    samples = deep(bands)
    samples[5, 5], samples[5, 6] = key, [each ^ 1 for each in key]
    source = vips_image(samples).pngsave_buffer()
    at = source.index(b"IDAT") - 4
    source = source[:at] + chunk(b"tRNS", struct.pack(f">{bands}H", *key)) + source[at:]
    result = vips_samples(convert(source, format="png").data)
    assert np.array_equal(result[:, :, :bands], samples)
    assert (result[5, 5, bands], result[5, 6, bands], result[:, :, bands].sum()) == (0, 65535, 65535 * (WIDTH * HEIGHT - 1))


def test_a_tiff_from_white_to_black_keeps_its_sixteen_bits(convert: Convert) -> None:
    samples = deep(1)
    source = bytearray(vips_image(samples).tiffsave_buffer())
    at = int.from_bytes(source[4:8], "little")
    for entry in range(at + 2, at + 2 + 12 * int.from_bytes(source[at : at + 2], "little"), 12):
        if source[entry : entry + 2] == (262).to_bytes(2, "little"):
            source[entry + 8] = 0
    assert np.array_equal(vips_samples(convert(bytes(source), format="png").data), 65535 - samples)


@pytest.mark.parametrize("options", [{"width": 30}, {"colors": 200}], ids=str)
def test_what_is_computed_has_eight_bits(convert: Convert, options: dict[str, int]) -> None:
    assert header_of(convert(vips_image(deep(3)).pngsave_buffer(), format="png", **options).data)[0] == 8


@pytest.mark.parametrize("space", [None, "Display P3", "ProPhoto RGB"])
@pytest.mark.parametrize("options", [{}, {"width": 111}, {"rotate": 90, "flip": True}], ids=str)
@pytest.mark.parametrize("is_deep", [False, True])
def test_colours_are_those_of_webp_without_loss(convert: Convert, space: str | None, options: dict[str, int], is_deep: bool) -> None:
    samples = deep(3, 320, 200) if is_deep else np.asarray(picture())
    source = vips_image(samples).pngsave_buffer(strip=True)
    source = with_profile(source, profile_of(space)) if space else source
    png, webp = (convert(source, **options, **each).data for each in ({"format": "png"}, {"lossless": True}))
    assert apart(png, webp) < (1.0 if is_deep else 0.001)


@pytest.mark.parametrize("bands", [3, 4])
@pytest.mark.parametrize("space", ["Display P3", "Adobe RGB", "ProPhoto RGB"])
def test_wide_gamuts_of_sixteen_bits_come_out_as_arithmetic_says(convert: Convert, space: str, bands: int) -> None:
    """Finer than 8 bits could be, whose steps are 257."""
    samples = deep(bands, 300, 200)
    data = convert(with_profile(vips_image(samples).pngsave_buffer(), profile_of(space)), format="png").data
    result = vips_samples(data)
    wanted = by_arithmetic(samples[:, :, :3] / 65535, space)
    inside = ((wanted > 0.02) & (wanted < 1)).all(axis=2)
    assert header_of(data)[0] == 16
    assert np.abs(result[:, :, :3] - 65535 * wanted)[inside].mean() < 30
    assert np.array_equal(result[:, :, 3:], samples[:, :, 3:])


def with_profile(png: bytes, profile: bytes) -> bytes:
    at = png.index(b"IDAT") - 4
    return png[:at] + chunk(b"iCCP", b"wide\0\0" + zlib.compress(profile)) + png[at:]


@pytest.mark.parametrize("path", corpus("colour") + corpus("graphics"), ids=lambda path: path.name)
def test_real_files_have_the_colours_of_webp_without_loss(convert: Convert, tmp_path: Path, path: Path) -> None:
    png, webp = (convert(path, width=300, **each).data for each in ({"format": "png"}, {"lossless": True}))
    assert apart(png, webp) < 0.001
    check_png(png, tmp_path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize(("count", "depth"), [(2, 1), (3, 2), (5, 4), (16, 4), (17, 8), (256, 8)])
def test_few_colours_have_a_palette_without_loss(convert: Convert, tmp_path: Path, mode: str, count: int, depth: int) -> None:
    bands = Image.getmodebands(mode)
    generator = np.random.default_rng(count)
    entries = np.unique(generator.integers(0, 256, (5000, bands), np.uint8), axis=0)
    generator.shuffle(entries)
    samples = entries[:count][generator.integers(0, min(count, len(entries)), (100, 130))]
    data = convert(vips_image(samples).pngsave_buffer(palette=False), format="png").data
    if mode == "L" and count > 16:
        assert header_of(data) == (8, GREY)
    else:
        assert header_of(data) == (depth, PALETTE)
    check_png(data, tmp_path)
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image.convert(mode)).reshape(samples.shape), samples)


def test_a_palette_that_would_be_larger_is_not_written(convert: Convert) -> None:
    slope = Image.linear_gradient("L").resize((256, 256))
    image = Image.merge("RGB", (slope, slope, ImageOps.invert(slope)))
    assert header_of(convert(saved(image, "PNG"), format="png").data) == (8, RGB)


@pytest.mark.parametrize("colors", [2, 3, 16, 200, 256])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "hole"])
def test_colors_bounds_the_palette(convert: Convert, tmp_path: Path, mode: str, colors: int) -> None:
    image = picture(mode="RGBA" if mode == "hole" else mode)
    if mode == "hole":
        image.putalpha(image.getchannel("A").point([255 * (value > 90) for value in range(256)]))
    data = convert(saved(image, "PNG"), format="png", colors=colors).data
    check_png(data, tmp_path)
    depth, colour = header_of(data)
    assert colour == PALETTE
    assert len(chunks_of(data)[b"PLTE"]) // 3 <= colors
    assert depth == next(each for each in (1, 2, 4, 8) if len(chunks_of(data)[b"PLTE"]) // 3 <= 1 << each)
    with Image.open(io.BytesIO(data)) as result:
        assert result.has_transparency_data == (mode in ("RGBA", "LA", "hole"))
        assert len(result.convert("RGBA").getcolors(257) or range(300)) <= colors


def test_errors_are_diffused(convert: Convert) -> None:
    """A grey between the colours of the palette is their mix, in the mean of a few pixels, as from libvips."""
    source = saved(Image.linear_gradient("L").resize((256, 256)).convert("RGB"), "PNG")
    data = convert(source, format="png", colors=4).data
    theirs = vips_image(np.asarray(Image.open(io.BytesIO(source)))).pngsave_buffer(palette=True, colours=4)
    near = [softened(data, source), softened(theirs, source)]
    assert near[0] < max(1.5, 1.2 * near[1])


def softened(data: bytes, source: bytes) -> float:
    small = (np.asarray(Image.open(io.BytesIO(each)).convert("L").reduce(8), np.float64) for each in (data, source))
    return float(np.abs(np.subtract(*small)).mean())


def test_what_cannot_be_seen_bends_no_palette(convert: Convert) -> None:
    """Hidden pixels of loud colours leave the palette to those that are seen."""
    image = picture(mode="RGB").convert("L").convert("RGBA")
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (200, 320, 3), np.uint8)).convert("RGBA")
    seen = Image.new("L", image.size, 255)
    seen.paste(0, (0, 0, 160, 200))
    image = Image.composite(image, noise, seen)
    image.putalpha(seen)
    with Image.open(io.BytesIO(convert(saved(image, "PNG"), format="png", colors=16).data)) as result:
        mine = result.convert("RGBA")
    assert mine.getchannel("A").tobytes() == seen.tobytes()
    shown = [each.crop((160, 0, 320, 200)).convert("RGB") for each in (mine, image)]
    assert np.asarray(ImageChops.difference(*shown)).mean() < 10


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_every_index_names_its_colour(mode: str) -> None:
    """More than one strip, and colours that differ by one step."""
    bands, generator = Image.getmodebands(mode), np.random.default_rng(5)
    entries = np.unique(128 + generator.integers(0, 6, (2000, bands), np.uint8), axis=0)[:200]
    image = Image.fromarray(entries[generator.integers(0, len(entries), (1100, 1000))].squeeze(), mode)
    found = palette.exact(image, 256)
    assert found is not None
    indexes, rgb = np.frombuffer(found.image.tobytes(), np.uint8), np.frombuffer(found.colours.rgb, np.uint8).reshape(-1, 3)
    assert np.array_equal(rgb[indexes], np.asarray(image.convert("RGB")).reshape(-1, 3))


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_written(convert: Convert, image_format: str) -> None:
    frames = [picture(), picture().transpose(Image.Transpose.ROTATE_180)]
    source = saved(frames[0], image_format, save_all=True, append_images=frames[1:], **({"lossless": True} if image_format == "WEBP" else {}))
    result = convert(source, format="png")
    assert result.converted.frames == 1
    assert b"acTL" not in chunks_of(result.data)
    assert apart(result.data, convert(source, animation="first", lossless=True).data) < 0.001


@pytest.mark.parametrize(("mode", "colour"), [("RGBA", RGB), ("LA", GREY)])
def test_transparency_that_hides_nothing_is_not_written(convert: Convert, mode: str, colour: int) -> None:
    image = picture(mode=mode)
    image.putalpha(255)
    assert header_of(convert(saved(image, "PNG"), format="png").data) == (8, colour)


@pytest.mark.parametrize(("mode", "is_deep"), [("RGB", False), ("RGB", True), ("L", False), ("L", True)])
def test_the_file_says_that_it_is_srgb(convert: Convert, tmp_path: Path, mode: str, is_deep: bool) -> None:
    """Grey may not have a profile for RGB (PNG §11.3.2.3)."""
    samples = deep(len(mode)) if is_deep else np.asarray(picture(mode=mode)).reshape(200, 320, -1)
    source = vips_image(samples).pngsave_buffer(profile="srgb")
    plain, noted_too = (convert(source, format="png", metadata=each).data for each in ("none", "all"))
    assert chunks_of(plain)[b"sRGB"] == b"\1"
    assert b"iCCP" not in chunks_of(plain)
    kinds = chunks_of(noted_too)
    assert (b"iCCP" in kinds) != (b"sRGB" in kinds)
    assert (b"iCCP" in kinds) <= (header_of(noted_too)[1] in (RGB, RGBA, PALETTE))
    check_png(noted_too, tmp_path)


def test_notes_are_where_exiftool_finds_them(convert: Convert, tmp_path: Path, noted: Exiftool) -> None:  # noqa: F811
    source = noted.write("-EXIF:Copyright=© me", "-XMP-dc:Title=标题", "-n", "-Orientation=6")
    data = convert(source, format="png", metadata="all").data
    found = noted.read(data)
    assert (found["IFD0:Copyright"], found["XMP-dc:Title"], found["IFD0:Orientation"]) == ("© me", "标题", 1)
    check_png(data, tmp_path)
    assert not {b"eXIf", b"iTXt"} & chunks_of(convert(source, format="png").data).keys()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (17, 1), (30_000, 1)])
def test_every_side_is_written(convert: Convert, tmp_path: Path, size: tuple[int, int]) -> None:
    data = convert(saved(Image.new("RGB", size, "teal"), "PNG"), format="png").data
    assert vips_samples(data).shape[:2] == size[::-1]
    check_png(data, tmp_path)
