"""Limits in sentences: in the unit in which they were set. The page's test reads the same table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend import errors
from backend.texts.problems import problem

TABLE = json.loads((Path(__file__).parent / "limits.json").read_text("utf-8"))


@pytest.mark.parametrize(("count", "shown"), TABLE)
def test_one_limit_stood_in_three_notations(count: int, shown: str) -> None:
    record = errors.TooLarge(limit_bytes=count).as_record()
    assert f"larger than {shown}," in problem(record)["detail"]
    assert f"超过 {shown.replace('bytes', '字节')} 的上限" in problem(record, "zh-CN")["detail"]


def test_the_length_that_a_client_announced_is_told_to_the_byte() -> None:
    assert "4194304 bytes" in problem(errors.TooLarge("upload_length", length_bytes=4 << 20).as_record())["detail"]
