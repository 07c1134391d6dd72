"""``quality=auto`` over the wire: what the job's record says of it."""

from __future__ import annotations

import pytest

from tests.support.images import photograph
from tests.support.running import Gateway

pytestmark = pytest.mark.e2e


def test_a_job_with_quality_auto_reports_what_it_chose(gateway: Gateway) -> None:
    job = gateway.ended(gateway.upload(photograph(800, 600), quality="auto")["id"])
    assert job["state"] == "succeeded", job
    result = job["result"]
    assert {"quality", "score", "probes"} <= result.keys()
    assert 30 <= result["quality"] <= 100
    assert 0 < result["score"] <= 100
    assert 1 <= result["probes"] <= 4
    assert result["bytes"] == len(gateway.result(job["id"]))
