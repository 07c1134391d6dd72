"""An image that has taken its decoder over: what clients see of its job, and that it costs one attempt."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from backend.codec.host import zygote_process
from backend.codec.sealed import SealedCodec
from tests.unit.codec.conftest import picture, saved
from tests.unit.codec.host import hostile_zygote
from tests.unit.web.conftest import Web

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can seal a process")
SCRIPT = "<script>alert(1)</script>"
WORDS = {
    "facts in the place of the gateway's own words": f"say(done(facts={{'url': '{SCRIPT}', 'sha256': '{SCRIPT}', 'bytes': 1}}))",
    "a fact of a type that once ended the encoder": "say(done(facts={'seconds': 5}))",
    "an error whose code is a list": "say(failed(code=['damaged_image']))",
    "an error whose sentence has markup": (
        "say(failed(code='unsupported_format', status=415, variant='variant', params={'format': '<script>', 'base': 'PNG'}))"
    ),
    "an error whose parameter is of another type": "say(failed(code='too_many_frames', params={'limit': [[]]}))",
    "a flood": "\nwhile True: say({'at': ['decode', 1]})",
}


@pytest.fixture(scope="module")
def codec() -> Iterator[SealedCodec]:
    sealed = SealedCodec()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zygote_process, "LAUNCH", hostile_zygote.LAUNCH)
        sealed.start()
    yield sealed
    sealed.close()


@pytest.mark.parametrize("words", WORDS)
def test_its_job_fails_once_and_says_nothing_of_its_own(web: Web, codec: SealedCodec, words: str) -> None:
    job = web.upload(hostile_zygote.hostile(saved(picture(64, 48), "PNG"), WORDS[words]))
    assert web.here.encode(codec)
    assert not web.here.encode(codec), "nothing is left to try"
    answer = web.get(f"/api/jobs/{job['id']}")
    assert (answer.json["state"], answer.json["error"]["code"], answer.json["result"]) == ("failed", "damaged_image", None)  # type: ignore[index]
    assert "script" not in answer.text
    assert "script" not in web.get(f"/api/jobs/{job['id']}/events").text.replace("text/javascript", "")


def test_an_honest_one_still_succeeds(web: Web, codec: SealedCodec) -> None:
    job = web.upload(hostile_zygote.hostile(saved(picture(64, 48), "PNG"), "say(done())"))
    assert web.here.encode(codec)
    shown = web.get(f"/api/jobs/{job['id']}").json
    assert (shown["state"], shown["result"]["url"]) == ("succeeded", job["links"]["result"])  # type: ignore[index]
