"""What a result may report: one row each, and never in the place of what the gateway itself says."""

from __future__ import annotations

import math
from typing import Any

import pytest

from backend.core.facts import FACTS, are_facts, shown_facts
from backend.core.job import Job, Result, Status, succeeded
from backend.core.public_job import public
from tests.fakes.samples import READER, manifest

RIGHT: dict[str, list[object]] = {
    "quality": [0, 80, 99.5],
    "score": [-300.5, 0, 100],
    "passes": [1, 8],
    "probes": [1, 4],
    "method": [0, 6],
    "speed": [0, 10],
    "target_met": [True, False],
    "lossless": [True, False],
    "original": [True],
    "dropped": [["exif"], ["exif", "xmp", "iptc", "gain_map", "c2pa"]],
    "thumbhash": ["1QcSHQRnh493V4dIh4eXh1h4kJUI", "AAAAAAA=", "nBiGDIIYhbh89LW49omnn3iJf4h392d3CA=="],
    "color": ["#7d6f5a", "#000000"],
    "seconds": [{}, {"decode": 0, "encode": 1.5, "store": 0.1}],
}
WRONG: list[object] = [None, "", "<b>", -1e9, 1e9, math.nan, math.inf, [], ["<b>"], [[]], ["exif"] * 6]
WRONG += [{"x": 1}, {"encode": "1"}, {"encode": -1}, b"x"]
WRONG += ["AAAAAA==", "A" * 36, "AAAAAAB=", "AAAAAAA", "AAAA AAA=", "AAAAAA-=", "ＡAAAAAA=", "A" * 4_000_000, b"AAAAAAA="]
"""Base64 of four bytes and of 27; with a bit too many, unfilled, with a space, of another alphabet."""
WRONG += ["#7D6F5A", "#7d6f5", "#7d6f5a\n", "7d6f5a", "red", "#7d6f5a80", "#７d6f5a", "#7d6f5a;background:url(x)"]


@pytest.mark.parametrize("name", FACTS)
def test_each_fact_has_its_values(name: str) -> None:
    assert all(are_facts({name: value}) for value in RIGHT[name])
    assert not any(are_facts({name: value}) for value in WRONG)


def test_a_flag_is_no_number() -> None:
    assert not any(are_facts({name: True}) for name in FACTS if name not in ("target_met", "lossless", "original"))
    assert not are_facts({"original": False})


def test_an_unknown_fact_is_none() -> None:
    assert not are_facts({"url": "x"})
    assert shown_facts({"url": "x", "quality": 80, "sha256": ""}) == {"quality": 80}


def test_no_fact_can_stand_for_a_member_of_the_result() -> None:
    plain = _shown_result({})
    assert not plain.keys() & FACTS.keys()
    assert _shown_result(dict.fromkeys(plain, "javascript:alert(1)")) == plain


def _shown_result(facts: dict[str, Any]) -> dict[str, Any]:
    result = Result("result-token.webp", 480, "cd" * 32, 16, 12, 1, facts=facts)
    shown: dict[str, Any] = public(Job(manifest("a" * 22), succeeded(Status(), result, 0.0)), READER)["result"]
    return shown
