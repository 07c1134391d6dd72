"""``/api/convert``: image in, WebP out, nothing kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend import errors
from backend.web.routes import convert
from tests.fakes.codec import RESULT, ScriptedCodec
from tests.fakes.samples import image
from tests.unit.web.conftest import Web

Check = Callable[[TestResponse, int, str], dict[str, Any]]


@pytest.fixture
def quick(web: Web) -> Web:
    web.encode_at_once()
    return web


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_image_comes_back_as_webp_in_one_request_and_nothing_is_kept(quick: Web, method: str) -> None:
    response = quick.ask(method, "/api/convert?quality=80", data=image())
    assert (response.status_code, response.data, response.content_type) == (200, RESULT, "image/webp")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Length"] == str(len(RESULT))
    assert re.fullmatch(r'"[0-9a-f]{64}"', response.headers["ETag"])
    assert re.fullmatch(r"(\w+;dur=\d+\.\d(, )?){4}", response.headers["Server-Timing"])
    assert quick.here.store.entries == {}
    assert quick.here.follower.watched_count() == 0


def test_options_reach_the_codec(web: Web) -> None:
    codec = ScriptedCodec()
    web.encode_at_once(codec)
    web.ask("PUT", "/api/convert?quality=7&width=5&lossless", data=image())
    options = codec.conversions[0].options
    assert (options.quality, options.width, options.lossless) == (7, 5, True)


def test_a_single_part_image_is_taken_too(quick: Web) -> None:
    import io

    response = quick.post("/api/convert", data={"file": (io.BytesIO(image()), "cat.png"), "quality": "5"})
    assert (response.status_code, response.data) == (200, RESULT)
    assert 'filename="cat.webp"' in response.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("error", "status"),
    [(errors.DamagedImage(), 422), (errors.EncodeTimeout(limit_s=60), 504), (errors.TooManyFrames(limit=5), 422), (errors.Internal(), 500)],
    ids=lambda each: getattr(each, "code", ""),
)
def test_what_fails_is_the_answer_and_nothing_is_kept(web: Web, problem: Check, error: errors.GatewayError, status: int) -> None:
    web.encode_at_once(ScriptedCodec(error))
    problem(web.ask("PUT", "/api/convert", data=image()), status, error.code)
    assert web.here.store.entries == {}


def test_a_conversion_that_somebody_cancels_is_gone(web: Web, problem: Check) -> None:
    from backend.flows import conclude

    def cancel() -> None:
        job = web.here.jobs.find(next(iter(web.here.store.entries)))
        assert job is not None
        conclude.cancel(web.here.context, job)

    web.here.server.on_ticket = cancel
    problem(web.ask("PUT", "/api/convert", data=image()), 410, "gone")
    assert web.here.store.entries == {}


@pytest.mark.parametrize(
    ("path", "data", "status", "code"),
    [
        ("/api/convert?quality=200", image(), 422, "invalid_option"),
        ("/api/convert", b"", 422, "empty_file"),
        ("/api/convert", b"text", 415, "unsupported_format"),
    ],
)
def test_what_is_wrong_with_the_request_is_told_as_everywhere(quick: Web, problem: Check, path: str, data: bytes, status: int, code: str) -> None:
    problem(quick.ask("PUT", path, data=data), status, code)


def test_without_redis_there_is_nobody_to_convert_and_nothing_is_kept(web: Web, problem: Check) -> None:
    web.here.server.is_down = True
    problem(web.ask("PUT", "/api/convert", data=image()), 503, "backend_unavailable")
    assert web.here.store.entries == {}


def test_a_range_is_not_for_what_is_made_only_once(quick: Web) -> None:
    response = quick.ask("PUT", "/api/convert", data=image(), headers={"Range": "bytes=0-3", "If-None-Match": "*"})
    assert (response.status_code, response.data) == (200, RESULT)
    assert quick.here.store.entries == {}


def unavailable(*_: object, **__: object) -> object:
    raise errors.BackendUnavailable(part="store", retry_after_s=5)


@pytest.mark.parametrize("calls", [("open_result",), ("open_result", "erase")], ids=str)
def test_a_store_that_is_away_when_the_result_is_there_is_503_and_nothing_goes_on(
    quick: Web, monkeypatch: pytest.MonkeyPatch, calls: tuple[str, ...]
) -> None:
    for call in calls:
        monkeypatch.setattr(quick.here.store, call, unavailable)
    answer = quick.ask("PUT", "/api/convert", data=image())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (quick.here.queue.depth(), quick.here.leases.count()) == (0, 0)


def test_a_conversion_whose_keys_and_record_are_lost_on_the_way_may_be_tried_again(web: Web, problem: Check) -> None:
    """It was “not found”, as if the client had asked for something else."""

    def lose() -> None:
        job_id = next(iter(web.here.store.entries))
        web.here.jobs.forget(job_id)
        web.here.store.erase(job_id)

    web.here.server.on_ticket = lose
    problem(web.ask("PUT", "/api/convert", data=image()), 503, "backend_unavailable")


@pytest.mark.parametrize("is_away", [False, True], ids=["the store is there", "the store is away"])
def test_a_conversion_that_does_not_end_in_time_is_503_and_no_encoder_takes_it_any_more(
    web: Web, monkeypatch: pytest.MonkeyPatch, is_away: bool
) -> None:
    monkeypatch.setattr(convert, "MAX_QUEUE_WAIT_S", 0.01)
    if is_away:
        monkeypatch.setattr(web.here.store, "erase", unavailable)
    answer = web.ask("PUT", "/api/convert", data=image())
    assert (answer.status_code, answer.json and answer.json["code"]) == (503, "backend_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert web.here.encode() is False
