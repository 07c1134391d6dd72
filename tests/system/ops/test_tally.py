"""Every way in and every end is counted once, to the byte, as the client counted it: with equal results shared, as is the default, across a
reload and a killed worker."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from urllib3.filepost import encode_multipart_formdata

from tests.support.images import photograph
from tests.support.running import ENDED, Gateway, running, wait_for
from tests.system.ops.figures import Client
from tests.system.ops.test_metrics import agree, kill_one, of_clients, reload, settle

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(400)]
SMALL = [photograph(320, 240, seed) for seed in range(3)]
LARGE = [photograph(3600, 2700, seed) for seed in range(8)]
DAMAGED = SMALL[0][: len(SMALL[0]) // 2]


class Ledger:
    """What a client knows of its jobs: those that it was given, and how each ended."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.http = gateway, Client(gateway)
        self.sources: dict[str, int] = {}
        self.given_bytes = 0
        self.ends: Counter[str] = Counter()
        self.gained: Counter[str] = Counter()
        self.erased: set[str] = set()
        self.seen: set[str] = set()

    def ask(self, method: str, path: str, route: str, data: bytes | None = None, **headers: str) -> Any:
        answer = self.http.ask(method, path, route, data, **{name.replace("_", "-"): value for name, value in headers.items()})
        assert answer is not None, f"{method} {path} broke"
        return answer

    def given(self, job: dict[str, Any], size_bytes: int) -> str:
        assert job["id"] not in self.sources
        self.sources[job["id"]] = size_bytes
        self.given_bytes += size_bytes
        return str(job["id"])

    def upload(self, image: bytes, query: str = "") -> str:
        answer = self.ask("POST", f"/api/jobs{query}", "/api/jobs", image)
        assert answer.status_code == 202, answer.text
        return self.given(answer.json(), len(image))

    def batch(self, *images: bytes) -> list[str]:
        body, kind = encode_multipart_formdata([("file", (f"{number}.jpg", image)) for number, image in enumerate(images)])
        answer = self.ask("POST", "/api/jobs", "/api/jobs", body, Content_Type=kind)
        assert answer.status_code == 202, answer.text
        return [self.given(job, len(image)) for job, image in zip(answer.json()["jobs"], images, strict=True)]

    def resumable(self, image: bytes) -> str:
        """In three pieces."""
        name = base64.b64encode(b"a.jpg").decode()
        made = self.ask(
            "POST", "/api/uploads", "/api/uploads", Tus_Resumable="1.0.0", Upload_Length=str(len(image)), Upload_Metadata=f"filename {name}"
        )
        assert made.status_code == 201, made.text
        path = made.headers["Location"].removeprefix(self.gateway.url)
        third = len(image) // 3
        for start, end in ((0, third), (third, 2 * third), (2 * third, len(image))):
            headers = {"Tus_Resumable": "1.0.0", "Upload_Offset": str(start), "Content_Type": "application/offset+octet-stream"}
            answer = self.ask("PATCH", path, "/api/uploads/{upload_id}", image[start:end], **headers)
            assert answer.status_code == 204, answer.text
        return self.given({"id": answer.links["job"]["url"].rpartition("/")[2]}, len(image))

    def fetched(self, url: str, size_bytes: int) -> str:
        answer = self.ask("POST", "/api/jobs", "/api/jobs", json.dumps({"url": url}).encode(), Content_Type="application/json")
        assert answer.status_code == 202, answer.text
        return self.given(answer.json(), size_bytes)

    def again(self, job_id: str, query: str = "") -> str:
        answer = self.ask("POST", f"/api/jobs/{job_id}/retry{query}", "/api/jobs/{job_id}/retry")
        assert answer.status_code == 202, answer.text
        return self.given(answer.json(), self.sources[job_id])

    def convert(self, image: bytes) -> None:
        answer = self.ask("PUT", "/api/convert", "/api/convert", image)
        code = "" if answer.status_code == 200 else answer.json()["code"]
        self.given({"id": f"conversion {len(self.sources)}"}, len(image))
        self.note("failed" if code else "succeeded", code, len(image), len(answer.content))

    def cancel(self, job_id: str) -> None:
        answer = self.ask("POST", f"/api/jobs/{job_id}/cancel", "/api/jobs/{job_id}/cancel")
        assert answer.json()["state"] == "cancelled", answer.text

    def erase(self, job_id: str, state: str) -> None:
        """``state``: as which it counts, or nothing if it had ended."""
        assert self.ask("DELETE", f"/api/jobs/{job_id}", "/api/jobs/{job_id}").status_code == 204
        self.erased.add(job_id)
        if state:
            self.note(state, "", 0, 0)

    def state(self, job_id: str) -> str:
        return str(self.ask("GET", f"/api/jobs/{job_id}", "/api/jobs/{job_id}").json()["state"])

    def see_the_ends(self) -> None:
        """Of all that have not been seen to end."""
        for job_id in [each for each in self.sources if each not in self.erased and not each.startswith("conversion")]:
            if job_id in self.seen:
                continue
            while (job := self.ask("GET", f"/api/jobs/{job_id}", "/api/jobs/{job_id}", Prefer="wait=20").json())["state"] not in ENDED:
                pass
            self.seen.add(job_id)
            code = job["error"]["code"] if job["error"] else ""
            self.note(job["state"], code, job["source"]["bytes"], job["result"]["bytes"] if job["result"] else 0)

    def note(self, state: str, code: str, source_bytes: int, result_bytes: int) -> None:
        self.ends[f"gateway_jobs_ended_total{{code={code},state={state}}}"] += 1
        if state == "succeeded":
            self.gained["gateway_source_bytes_total"] += source_bytes
            self.gained["gateway_result_bytes_total"] += result_bytes
            self.gained["gateway_saved_bytes_total"] += max(0, source_bytes - result_bytes)


@contextmanager
def site(*images: bytes) -> Iterator[str]:
    """Another's server, with images to fetch."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            image = images[int(self.path.strip("/").partition(".")[0])]
            self.send_response(200)
            self.send_header("Content-Length", str(len(image)))
            self.end_headers()
            self.wfile.write(image)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def one_of_each(ledger: Ledger, turn: int, elsewhere: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        equal = list(pool.map(lambda _: ledger.upload(LARGE[turn]), range(6)))
    first, *others = equal
    ledger.see_the_ends()
    ledger.again(first)
    ledger.again(first, "?quality=31")
    ledger.batch(SMALL[1], DAMAGED, SMALL[2])
    ledger.resumable(SMALL[turn % 3])
    ledger.fetched(f"{elsewhere}/0.jpg", len(SMALL[2]))
    damaged = ledger.upload(DAMAGED)
    ledger.convert(SMALL[0])
    ledger.convert(DAMAGED)
    ledger.see_the_ends()
    ledger.again(damaged)
    ledger.see_the_ends()
    ledger.erase(others[0], "")
    # One runs and is cancelled, one waits and is cancelled, one waits and is deleted, one runs and is deleted.
    slow = [ledger.upload(LARGE[(turn + number) % len(LARGE)], f"?method=6&quality={90 + turn}") for number in range(1, 5)]
    wait_for(lambda: [ledger.state(each) for each in slow[:2]] == ["running"] * 2, 30, "for two jobs to run")
    ledger.erase(slow[3], "erased")
    ledger.cancel(slow[2])
    ledger.erase(slow[1], "erased")
    ledger.cancel(slow[0])
    ledger.see_the_ends()
    assert ledger.ask("POST", f"/api/jobs/{first}/cancel", "/api/jobs/{job_id}/cancel").status_code == 409


@pytest.mark.parametrize("shares", ["on", "off"])
def test_every_way_in_and_every_end_is_counted_once(data_dir: Path, shares: str) -> None:
    given = {"GATEWAY_SHARE_RESULTS": shares, "GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8"}
    with running(data_dir, GUNICORN_WORKERS="3", GATEWAY_ENCODERS="2", **given) as gateway, site(SMALL[2]) as elsewhere:
        ledger = Ledger(gateway)
        one_of_each(ledger, 0, elsewhere)
        reload(gateway)
        one_of_each(ledger, 1, elsewhere)
        kill_one(gateway)  # none of our requests is under way
        one_of_each(ledger, 2, elsewhere)
        seen = settle(ledger.http)
        agree(seen, ledger.http)
        assert sum(of_clients(seen, "gateway_http_received_bytes_total").values()) == ledger.http.sent_bytes
        assert sum(of_clients(seen, "gateway_http_sent_bytes_total").values()) == ledger.http.received_bytes
        assert seen["gateway_jobs_created_total"] == len(ledger.sources)
        assert seen["gateway_upload_bytes_total"] == ledger.given_bytes
        assert of_clients(seen, "gateway_jobs_ended_total") == ledger.ends
        assert {name: seen[name] for name in ledger.gained} == ledger.gained
        kept = [each for each in ledger.sources if each not in ledger.erased and not each.startswith("conversion")]
        assert sum(of_clients(seen, "gateway_jobs{").values()) == len(kept)
        succeeded = ledger.ends["gateway_jobs_ended_total{code=,state=succeeded}"]
        assert seen["gateway_stage_seconds_count{stage=encode}"] + seen["gateway_jobs_shared_total"] == succeeded
        assert seen["gateway_jobs_shared_total"] > 12 if shares == "on" else seen["gateway_jobs_shared_total"] == 0
        assert gateway.health()["status"] == "ok"
