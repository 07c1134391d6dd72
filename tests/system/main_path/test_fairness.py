"""Turns between clients, through the whole gateway: five hundred images of one do not keep another's single one waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.support.images import photograph
from tests.support.running import running

pytestmark = pytest.mark.e2e
MANY = 500
RULES = {"GUNICORN_WORKERS": "2", "GATEWAY_ENCODERS": "1", "GATEWAY_API_KEYS": "key-of-many,key-of-one", "GATEWAY_MAX_FILES_PER_REQUEST": str(MANY)}


def test_one_image_does_not_wait_for_anothers_five_hundred(tmp_path: Path) -> None:
    picture = photograph(640, 480)
    many, one = ({"Authorization": f"Bearer key-of-{who}"} for who in ("many", "one"))
    with running(tmp_path / "data", **RULES) as gateway:
        files = [("file", (f"{number}.jpg", picture)) for number in range(MANY)]
        answer = requests.post(f"{gateway.url}/api/jobs", files=files, headers=many, timeout=120)
        assert answer.status_code == 202, answer.text[:300]
        batch = f"{gateway.url}{answer.headers['Location']}"
        single = requests.post(f"{gateway.url}/api/jobs", data=picture, headers={**one, "Prefer": "wait=30"}, timeout=60)
        assert (single.status_code, single.json()["state"]) == (200, "succeeded")
        ended = requests.get(batch, headers=many, timeout=30).json()["succeeded"]
        assert ended < MANY // 2, f"{ended} of the {MANY} had gone first"
        assert requests.post(f"{batch}/cancel", headers=many, timeout=60).status_code == 200
