"""What the result's own headers say of it: the strings are those of RFC 9651 §3.2 (dictionaries), §3.3.6 (booleans) and §3.1.1 (inner lists)."""

from __future__ import annotations

import hashlib

import pytest

from tests.fakes.codec import RESULT, ScriptedCodec
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

PNG = image("png", 300, 200)


def convert(web: Web, codec: ScriptedCodec, name: str = "my.cat.apng") -> dict[str, str]:
    web.encode_at_once(codec)
    return dict(web.ask("PUT", f"/api/convert?filename={name}", data=PNG).headers)


def test_a_smaller_result_says_what_it_saved(web: Web) -> None:
    assert convert(web, ScriptedCodec())["X-Result"] == f"saved_percent={100 * (1 - len(RESULT) / len(PNG)):.1f}"


def test_a_larger_result_never_leaves_silently(web: Web) -> None:
    header = convert(web, ScriptedCodec(result=RESULT + bytes(len(PNG))))["X-Result"]
    saved, larger = header.split(", ")
    assert saved.startswith("saved_percent=-")
    assert larger == "larger_than_source"


def test_every_fact_that_counts_is_told(web: Web) -> None:
    header = convert(web, ScriptedCodec(lossless=False, quality=77.5, score=73.9, target_met=True, dropped=["exif", "gain_map"]))["X-Result"]
    assert header.partition(", ")[2] == "lossless=?0, quality=77.5, score=73.9, target_met, dropped=(exif gain_map)"


def test_a_placeholder_is_a_byte_sequence_and_a_string(web: Web) -> None:
    """§3.3.5 and §3.3.3."""
    header = convert(web, ScriptedCodec(thumbhash="1QcSHQRnh493V4dIh4eXh1h4kJUI", color="#7d6f5a"))["X-Result"]
    assert header.partition(", ")[2] == 'thumbhash=:1QcSHQRnh493V4dIh4eXh1h4kJUI:, color="#7d6f5a"'


def test_an_original_has_its_own_type_name_and_digest(web: Web) -> None:
    headers = convert(web, ScriptedCodec(result=PNG, original=True))
    assert headers["X-Result"] == "saved_percent=0.0, original"
    assert headers["Content-Type"] == "image/png"
    assert headers["ETag"] == f'"{hashlib.sha256(PNG).hexdigest()}"'
    assert 'filename="my.cat.apng"' in headers["Content-Disposition"]


@pytest.mark.parametrize(("name", "shown"), [("cat.jpeg", "cat.png"), ("cat", "cat.png"), ("evil.html", "evil.png"), ("CAT.PNG", "CAT.PNG")])
def test_an_original_never_has_the_name_of_another_format(web: Web, name: str, shown: str) -> None:
    assert f'filename="{shown}"' in convert(web, ScriptedCodec(result=PNG, original=True), name)["Content-Disposition"]


def test_a_job_says_it_of_every_answer_with_its_bytes(web: Web) -> None:
    job = web.finished(RESULT + bytes(1000))
    assert job["result"]["larger_than_source"] is True
    path = f"/api/jobs/{job['id']}/result"
    for answer in (web.get(path), web.head(path), web.get(path, headers={"Range": "bytes=0-3"})):
        assert "larger_than_source" in answer.headers["X-Result"]
