"""No locked package has a known advisory. A registry out of reach is said to be so; it is no pass, and no failure of ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.running import ROOT, free_port
from tests.system.supply_chain.advisories import audit

pytestmark = pytest.mark.timeout(400)
LOCK = f"flask==1.0 --hash=sha256:{'0' * 64}\nwerkzeug==2.0.0 --hash=sha256:{'1' * 64}\n"
ADVISORY = {
    "id": "PYSEC-0000-1",
    "summary": "of a test",
    "aliases": ["CVE-0000-1"],
    "affected": [
        {
            "package": {"name": "werkzeug", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0.1"}]}],
        }
    ],
}


def test_no_locked_package_has_a_known_advisory() -> None:
    found = audit(ROOT / "requirements.txt")
    assert found.found == ()
    if found.unchecked:
        pytest.skip(f"NOT CHECKED: {len(found.unchecked)} packages; {len(found.checked)} were checked and have none. {found.why}")


@pytest.fixture
def database() -> Iterator[str]:
    """One that speaks OSV's protocol, and knows one advisory."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"vulns": [ADVISORY]} if asked["package"]["name"] == "werkzeug" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_advisory_is_found(database: str, tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(LOCK)
    found = audit(tmp_path / "lock.txt", "--vulnerability-service", "osv", "--osv-url", database)
    assert (found.checked, found.unchecked) == (("flask", "werkzeug"), ())
    assert found.found == ("werkzeug 2.0.0: PYSEC-0000-1, CVE-0000-1; fixed in 2.0.1",)


def test_a_database_out_of_reach_is_told_and_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text(LOCK)
    nobody = f"http://127.0.0.1:{free_port()}/v1/query"
    found = audit(tmp_path / "lock.txt", "--vulnerability-service", "osv", "--osv-url", nobody)
    assert (found.checked, found.found) == ((), ())
    assert found.unchecked and found.why
