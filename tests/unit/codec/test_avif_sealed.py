"""AVIF in the sealed child: it is stopped at once wherever it is, and its limits suffice for what may be asked of it."""

from __future__ import annotations

import tempfile
import time

import psutil
import pytest
from PIL import Image

from backend.codec.resource_limits import AVIF_LOOK_AHEAD_PIXELS, limits_for
from backend.codec.seal import kernel
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion, Progress, Shape, Stopped
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import Convert, declared, saved
from tests.unit.codec.encoders.test_avif import grain
from tests.unit.codec.test_sealed import at_work, is_waiting, zygote

GIB = 1 << 30


@pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux tells another process' time")
@pytest.mark.parametrize("percent", [10, 50, 75])
def test_a_stop_at_any_percent_ends_the_child_within_300_ms(codec: SealedCodec, percent: int) -> None:
    """The percent is a forecast: on a laden machine one that is too long by a tenth was over before 90 was shown."""
    source, asked, children = saved(grain(1000, 800), "PNG", compress_level=1), [], []

    def hear(progress: Progress) -> None:
        if progress.stage == "encode" and progress.percent >= percent and not asked:
            children.extend(at_work(zygote()))
            asked.append(time.monotonic())

    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(source)
        given.flush()
        conversion = Conversion(declared(source), Options(format="avif", speed=5), Limits(), 600.0)
        with pytest.raises(Stopped):
            codec.convert(given.fileno(), result.fileno(), conversion, on_progress=hear, should_stop=lambda: bool(asked), tick_s=0.02)
        assert time.monotonic() - asked[0] < 0.3
    assert len(children) == 1 and not psutil.pid_exists(children[0].pid)
    assert all(is_waiting(each) for each in zygote().children())


@pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux tells another process' time")
def test_the_bar_moves_though_the_encoder_is_silent(convert: Convert) -> None:
    percents = [each.percent for each in convert(saved(grain(1000, 800), "PNG", compress_level=1), format="avif", speed=5, timeout_s=600.0).reports]
    assert percents == sorted(percents)
    assert len({round(each) for each in percents if 5 < each < 95}) >= 2


@pytest.mark.parametrize("options", [{}, {"subsampling": "4:4:4"}, {"speed": 4}, {"quality": "auto"}], ids=str)
def test_memory_suffices_for_a_picture_of_many_pixels(convert: Convert, options: dict[str, object]) -> None:
    """A plain one, which takes as much memory and less time."""
    source = saved(Image.new("RGBA", (2600, 1900), (9, 80, 200, 128)), "PNG", compress_level=1)
    assert convert(source, format="avif", timeout_s=600.0, **{"speed": 8, **options}).converted.width == 2600


@pytest.mark.parametrize("side", [400, 1500])
@pytest.mark.parametrize("speed", [6, 8])
def test_memory_suffices_for_an_animation_and_a_large_canvas_is_encoded_without_looking_ahead(convert: Convert, side: int, speed: int) -> None:
    frames = [Image.new("RGB", (side, side), (20 * number, 90, 200)) for number in range(4)]
    source = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100, lossless=True, method=0)
    facts = convert(source, format="avif", speed=speed, timeout_s=600.0).converted.facts
    is_large = side * side > AVIF_LOOK_AHEAD_PIXELS
    assert facts.get("speed") == (7 if is_large and speed == 6 else None)


@pytest.mark.parametrize("frames", [1, 2, 50, 256])
def test_memory_is_bounded_by_the_pixels_declared(frames: int) -> None:
    """Fifty megapixels in all, as the defaults allow."""
    shape = Shape("gif", 1000, 50_000_000 // frames // 1000, frames)
    for options in (Options(format="avif"), Options(format="avif", speed=0, subsampling="4:4:4")):
        assert limits_for(Conversion(shape, options, Limits()), [shape.pixels])["AS"] < 6 * GIB


def test_processor_time_is_bounded_by_the_time_limit_and_suffices_for_a_search() -> None:
    shape = Shape("jpeg", 4000, 3000)
    asked = Options(format="avif"), Options(format="avif", quality="auto")
    once, search = (limits_for(Conversion(shape, each, Limits()), [shape.pixels])["CPU"] for each in asked)
    assert 30 < once <= search == 60
