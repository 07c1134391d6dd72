"""Animations: frames, timing and loops survive, as webpmux and Pillow read them; bytes against gif2webp."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageSequence, ImageStat

from backend import errors
from backend.core.limits import Limits
from tests.unit.codec.conftest import Convert, corpus, saved

DURATIONS = [100, 50, 70, 200, 30, 40]
ROOMY = Limits(pixels=200_000_000)


def moving(count: int = 6, size: tuple[int, int] = (120, 80), background: tuple[int, ...] = (250, 240, 230)) -> list[Image.Image]:
    frames = []
    for number in range(count):
        frame = Image.new("RGB" if len(background) == 3 else "RGBA", size, background)
        ImageDraw.Draw(frame).ellipse((number * 10, 10, number * 10 + 40, 60), fill=(0, 40 * number % 256, 255))
        frames.append(frame)
    return frames


def animated(frames: list[Image.Image], image_format: str, **options: object) -> bytes:
    return saved(frames[0], image_format, save_all=True, append_images=frames[1:], **{"duration": DURATIONS, **options})


def timing(data: bytes, folder: Path) -> tuple[int, list[int]]:
    """Loop count and the frames' durations, as webpmux sees them."""
    path = folder / "a.webp"
    path.write_bytes(data)
    lines = subprocess.run(["webpmux", "-info", path], check=True, capture_output=True, text=True).stdout.splitlines()
    loops = next(int(line.split("Loop Count :")[1]) for line in lines if "Loop Count" in line)
    rows = [line.split() for line in lines if line.strip()[:1].isdigit() and ":" in line.split()[0]]
    return loops, [int(row[6]) for row in rows]


@pytest.mark.parametrize(("image_format", "loop", "shown"), [("GIF", 3, 4), ("GIF", 0, 0), ("PNG", 3, 3), ("WEBP", 3, 3), ("WEBP", 0, 0)])
def test_durations_and_loops_are_kept(convert: Convert, tmp_path: Path, image_format: str, loop: int, shown: int) -> None:
    result = convert(animated(moving(), image_format, loop=loop))
    assert result.converted.frames == 6
    assert timing(result.data, tmp_path) == (shown, DURATIONS)


def test_a_gif_without_a_loop_count_is_shown_once(convert: Convert, tmp_path: Path) -> None:
    assert timing(convert(animated(moving(), "GIF")).data, tmp_path)[0] == 1


def test_an_avif_sequence_is_read(convert: Convert, tmp_path: Path) -> None:
    assert timing(convert(animated(moving(), "AVIF")).data, tmp_path)[1] == DURATIONS


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_every_disposal_gives_the_frames_that_a_player_shows(convert: Convert, disposal: int) -> None:
    source = animated(moving(background=(0, 0, 0, 0)), "GIF", disposal=disposal)
    result = convert(source, lossless=True)
    with result.image() as ours, Image.open(io.BytesIO(source)) as theirs:
        pairs = list(zip(ImageSequence.Iterator(ours), ImageSequence.Iterator(theirs), strict=True))
        assert len(pairs) == result.converted.frames
    for number, _pair in enumerate(pairs):
        with result.image() as ours, Image.open(io.BytesIO(source)) as theirs:
            ours.seek(number)
            theirs.seek(number)
            assert on_white(ours) == on_white(theirs)


def on_white(image: Image.Image) -> bytes:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).tobytes()


def test_frames_are_scaled_and_turned_alike(convert: Convert) -> None:
    result = convert(animated(moving(), "GIF"), width=60, rotate=90)
    with result.image() as image:
        assert (image.n_frames, image.size) == (6, (60, 90))


def test_the_first_frame_alone_on_request(convert: Convert) -> None:
    result = convert(animated(moving(), "GIF"), animation="first", lossless=True)
    assert result.converted.frames == 1
    assert ImageChops.difference(result.image().convert("RGB"), moving()[0]).getbbox() is None


def test_a_png_shows_its_still_only_to_readers_that_know_no_better(convert: Convert) -> None:
    frames = moving()
    source = animated([Image.new("RGB", (120, 80), "red"), *frames], "PNG", default_image=True)
    result = convert(source, lossless=True)
    with result.image() as image:
        assert (image.n_frames, ImageStat.Stat(image.convert("RGB")).mean) == (6, ImageStat.Stat(frames[0]).mean)


def test_percent_grows_with_the_frames(convert: Convert) -> None:
    percents = [report.percent for report in convert(animated(moving(40, (1000, 800)), "GIF", duration=20)).reports]
    assert percents == sorted(percents)
    assert len(set(percents)) > 3


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_a_turned_animation_comes_out_upright(convert: Convert, image_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    source = animated(moving(), image_format, exif=exif.tobytes(), lossless=True)
    upright, left = convert(source, lossless=True), convert(source, lossless=True, auto_orient=False, rotate=90)
    assert (upright.converted.width, upright.converted.height, upright.converted.frames) == (80, 120, 6)
    for one, other in zip(shown(upright.data), shown(left.data), strict=True):
        assert ImageChops.difference(one, other).getbbox() is None


def shown(data: bytes) -> list[Image.Image]:
    with Image.open(io.BytesIO(data)) as image:
        return [frame.convert("RGB") for frame in ImageSequence.Iterator(image)]


def test_more_frames_than_allowed_are_refused_by_the_header(convert: Convert) -> None:
    with pytest.raises(errors.TooManyFrames):
        convert(animated(moving(9), "GIF", duration=20), limits=Limits(frames=8))


def test_an_animation_meets_a_size_and_takes_a_quality_by_its_first_frame(convert: Convert) -> None:
    grain = Image.effect_noise((200, 150), 60).convert("RGB")
    source = animated([Image.blend(grain, frame, 0.4) for frame in moving(6, (200, 150))], "PNG")
    target = len(convert(source).data) * 3 // 4
    smaller = convert(source, target_bytes=target)
    assert (smaller.converted.frames, smaller.converted.facts["target_met"]) == (6, True)
    assert len(smaller.data) <= target
    chosen = convert(source, quality="auto")
    assert (chosen.converted.frames, "probes" in chosen.converted.facts) == (6, True)


@pytest.mark.parametrize("path", corpus("animated"), ids=lambda path: path.name)
def test_no_more_bytes_than_gif2webp_at_its_smallest(convert: Convert, tmp_path: Path, path: Path) -> None:
    theirs = tmp_path / "theirs.webp"
    subprocess.run(["gif2webp", "-quiet", "-lossy", "-q", "80", "-m", "4", "-min_size", path, "-o", theirs], check=True)
    ours = convert(path, limits=ROOMY)
    assert ours.converted.bytes <= theirs.stat().st_size
    assert timing(ours.data, tmp_path)[1] == timing(theirs.read_bytes(), tmp_path)[1]
