"""What venv and pip say, word for word, and what a user is told."""

from __future__ import annotations

import pytest

from backend import texts
from backend.installation.advice import of_output

DEBIANS = """The virtual environment was not created successfully because ensurepip is not
available.  On Debian/Ubuntu systems, you need to install the python3-venv
package using the following command.

    apt install python3.11-venv
"""
RETRIES = "WARNING: Retrying (Retry(total=4, connect=None, read=None)) after connection broken by "
NOTHING = (
    "\nERROR: Could not find a version that satisfies the requirement amqp==5.4.2 (from versions: none)"
    "\nERROR: No matching distribution found for amqp==5.4.2"
)
NO_CONNECTION = "'NewConnectionError('<HTTPSConnection(host='pypi.org', port=443)>: Failed to establish a new connection: [Errno -3]')'"
NO_PROXY = "'ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy Authentication Required'))'"
NO_CERTIFICATE = "'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))'"
NO_ANSWER = "'ReadTimeoutError(\"HTTPSConnectionPool(host='pypi.org', port=443): Read timed out. (read timeout=15)\")'"
SAID = {
    DEBIANS: ("install_debian_venv", "install_without_pip"),
    "/usr/bin/python3: No module named venv": ("install_debian_venv", "install_without_pip"),
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": ("install_no_space",),
    "ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded: '/home/me'": ("install_no_space",),
    RETRIES + NO_CONNECTION + NOTHING: ("install_network",),
    RETRIES + NO_PROXY + NOTHING: ("install_proxy",),
    RETRIES + NO_CERTIFICATE + NOTHING: ("install_certificate",),
    RETRIES + NO_ANSWER + NOTHING: ("install_network",),
    NOTHING: ("install_no_wheel",),
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": ("install_hashes",),
    "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/srv/x'": ("install_unwritable",),
    "something that nobody has seen": ("install_failed",),
}


@pytest.mark.parametrize("said", SAID, ids=lambda said: said[:40])
def test_each_failure_has_its_own_advice(said: str) -> None:
    told = of_output(said)
    assert told.reason in SAID[said]
    for language in texts.languages():
        assert "–" not in texts.text(f"start.{told.reason}", language, **told.params).replace(" – ", "")


def test_the_host_is_the_one_that_did_not_answer() -> None:
    said = f"{RETRIES}'NewConnectionError(\"HTTPSConnection(host='mirror.example', port=443): refused\")'{NOTHING}"
    assert of_output(said).params == {"host": "mirror.example"}
