"""How often a picture is encoded in its time, and at which speed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image

from backend import errors
from backend.codec.encoders import quality_search
from backend.codec.encoders.avif import AvifEncoder
from backend.codec.encoders.avif.passes import AUTO_PASSES, TARGET_PASSES, Passes, Schedule, schedule
from backend.codec.encoders.encoder import Metadata
from backend.core.options import Options
from tests.unit.codec.encoders.test_avif import grain

MEGAPIXELS = 12_000_000


@dataclass
class Heard:
    limit_s: float = 60.0
    said: list[tuple[float, float, float]] = field(default_factory=list)

    def __call__(self, share: float) -> None:
        self.said.append((share, share, 0.0))

    def announce(self, share: float, next_share: float, cpu_s: float) -> None:
        self.said.append((share, next_share, cpu_s))


def planned(encode_s: float, limit_s: float = 60.0, **options: object) -> Schedule:
    return schedule(Options(format="avif", **options), encode_s, 4000, MEGAPIXELS, limit_s)  # type: ignore[arg-type]


def test_one_encode_is_made_as_asked() -> None:
    assert planned(59.0, speed=3) == Schedule(3, 59.0, 1)


@pytest.mark.parametrize("options", [{}, {"quality": "auto"}, {"target_bytes": 1000}, {"quality": "auto", "target_bytes": 1000}])
def test_what_no_speed_can_end_in_time_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidOption) as refused:
        planned(900.0, speed=9, **options)
    assert refused.value.variant == "too_long"


@pytest.mark.parametrize(("options", "least"), [({"quality": "auto"}, AUTO_PASSES), ({"target_bytes": 1000}, TARGET_PASSES)])
def test_a_search_has_its_fewest_passes_within_the_time_at_whatever_speed(options: dict[str, object], least: int) -> None:
    for encode_s in (0.1, 5.0, 20.0, 50.0, 100.0):
        found = planned(encode_s, speed=4, **options)
        assert found.speed >= 4
        assert least <= found.max_passes <= quality_search.MAX_PASSES
        assert found.max_passes * found.pass_s <= 60.0
    assert planned(5.0, speed=4, **options).speed == 4
    assert planned(100.0, speed=4, **options).speed > 4


def encoded(image: Image.Image, heard: Heard, **options: object) -> dict[str, Any]:
    with AvifEncoder().encode_still(image, Metadata(), Options(format="avif", **options), heard) as result:  # type: ignore[arg-type]
        return result.facts


def test_the_picture_itself_decides_what_is_refused_and_with_what_suggestion() -> None:
    """By processor time, so a busy machine changes nothing. A plain picture takes a tenth of the time."""
    with pytest.raises(errors.InvalidOption) as refused:
        encoded(grain(1000, 800), Heard(limit_s=3.0), speed=3)
    told = refused.value.params
    assert (refused.value.variant, told["option"], told["value"], told["limit"]) == ("too_slow", "speed", 3, 3)
    assert told["seconds"] > 3 and int(told["suggestion"]) > 3 and told["width"] < 1000
    encoded(Image.new("RGB", (1000, 800), "teal"), Heard(limit_s=3.0), speed=3)
    encoded(grain(1000, 800), Heard(limit_s=3.0), speed=int(told["suggestion"]))


def test_a_search_takes_a_higher_speed_where_time_is_short_and_says_so() -> None:
    assert encoded(grain(200, 150), Heard(limit_s=2.0), speed=0, target_bytes=5_000)["speed"] > 0
    assert "speed" not in encoded(grain(200, 150), Heard(limit_s=60.0), speed=8, target_bytes=5_000)


def test_each_pass_is_announced_and_none_made_twice() -> None:
    heard, made = Heard(), []

    def encode(quality: int) -> bytes:
        made.append(quality)
        return b"x" * quality

    passes = Passes(encode, Schedule(6, 2.0, 8), heard)
    assert [len(passes(quality)) for quality in (80.0, 60.4, 59.6, 79.8)] == [80, 60, 60, 80]
    assert made == [80, 60]
    assert [cpu_s for _share, _next, cpu_s in heard.said] == [2.0, 2.0]
    shares = [share for share, next_share, _cpu_s in heard.said for share in (share, next_share)]
    assert shares == sorted(shares) and shares[-1] < 1


def test_a_single_encode_is_announced_to_the_end() -> None:
    heard = Heard()
    Passes(lambda _quality: b"", Schedule(6, 2.0, 1), heard, 0.03)(60.0)
    assert heard.said == [(0.03, 1.0, 2.0)]


def test_a_search_ends_with_its_best_where_the_machine_is_slower_than_was_forecast() -> None:
    passes = Passes(lambda quality: bytes(100 * quality + 100), Schedule(6, 2.0, 8), Heard(limit_s=0.0))
    found = quality_search.search_by_size(passes, 50, quality_search.Pass(80.0, passes(80.0)))
    assert (found.passes, found.is_met, found.best.quality) == (1, False, 80.0)
