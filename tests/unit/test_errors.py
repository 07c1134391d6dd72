"""Every error raised on purpose: its code and status, and its way through another process. Its sentences: ``tests/texts``."""

from __future__ import annotations

import pytest

from backend import errors
from backend.errors import BY_CODE, GatewayError

CONTRACT = {
    400: "bad_request",
    401: "unauthorized",
    403: "cross_site",
    404: "not_found",
    405: "method_not_allowed",
    409: "not_ready already_finished offset_mismatch",
    410: "gone",
    413: "too_large",
    415: "unsupported_format",
    421: "wrong_host",
    422: "invalid_option damaged_image too_many_pixels too_many_frames empty_file",
    429: "rate_limited quota_exceeded",
    500: "internal",
    501: "no_realtime",
    503: "queue_full backend_unavailable",
    504: "encode_timeout",
    507: "storage_full",
}


def test_every_code_has_the_contracts_status() -> None:
    assert {code: kind.status for code, kind in BY_CODE.items()} == {code: status for status, codes in CONTRACT.items() for code in codes.split()}


@pytest.mark.parametrize("kind", BY_CODE.values())
def test_an_error_that_crosses_a_process_comes_back_as_itself_without_its_private_part(kind: type[GatewayError]) -> None:
    there = kind("variant", private="secret", limit=5)
    back = errors.from_record(there.as_record())
    assert type(back) is kind
    assert (back.variant, back.params, back.private) == ("variant", {"limit": 5}, "")
    assert "secret" not in str(there.as_record())


def test_a_record_of_a_newer_version_becomes_an_internal_error() -> None:
    assert type(errors.from_record({"code": "of-a-newer-version"})) is errors.Internal
    assert type(errors.from_record({})) is errors.Internal
