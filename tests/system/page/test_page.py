"""The upload page in real Chromium: the page's own browser tests, driven against the running gateway."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.running import ROOT, Gateway, running

SUITE_S = 1500
"""A suite takes minutes at most; but CI's machine may read Chromium from its disk for the first time."""
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(SUITE_S + 300)]


def test_the_page_does_its_work_in_chromium(gateway: Gateway) -> None:
    said = _node("browser.test.mjs", gateway.url)
    assert "skipped 0" in said, said[-2000:]


def test_the_comparison_encodes_again_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path / "data", GATEWAY_SHARE_RESULTS="on") as gateway:
        _node("compare.test.mjs", gateway.url)


def test_rows_and_summary_are_as_their_readers_expect(gateway: Gateway) -> None:
    _node("rows.test.mjs", gateway.url)


def test_the_page_offers_samples_and_can_be_installed(gateway: Gateway) -> None:
    _node("app.test.mjs", gateway.url)


def test_the_documentation_of_the_api_finds_sends_and_gives_code_that_runs(gateway: Gateway) -> None:
    _node("docs.test.mjs", gateway.url)


def test_the_settings_do_theirs_in_chromium(gateway: Gateway) -> None:
    _node("settings.test.mjs", gateway.url)


def test_every_output_format_is_chosen_shown_and_saved_in_chromium(gateway: Gateway) -> None:
    _node("formats.test.mjs", gateway.url)


def test_several_sizes_and_formats_are_made_shown_and_saved_in_chromium(gateway: Gateway) -> None:
    _node("web-page.test.mjs", gateway.url)


def test_a_large_file_goes_on_after_cuts() -> None:
    _node("resume.test.mjs", "", "--test-name-pattern=60 MB|sent twice|another host")


def test_the_page_outlives_its_gateway_and_shows_each_conversions_own_result() -> None:
    _node("gone.test.mjs", "")


def test_upload_widgets_on_another_site_upload_and_show_results(gateway: Gateway) -> None:
    _node("widgets.test.mjs", gateway.url)


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["status.test.mjs", "truth.test.mjs", "resume.test.mjs", "errors.test.mjs", "many.test.mjs"])
def test_what_takes_long_on_the_page(suite: str) -> None:
    _node(suite, "")


def _node(suite: str, url: str, *more: str) -> str:
    """What the suite said. Those without ``url`` start gateways of their own."""
    command = ["node", "--test", "--test-concurrency=1", "--test-reporter=spec", *more, suite]
    environment = {**os.environ, "GATEWAY_URL": url} if url else {**os.environ}
    given = {"cwd": ROOT / "tests" / "page", "env": environment, "text": True, "start_new_session": True}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **given) as process:
        try:
            said, _ = process.communicate(timeout=SUITE_S)
        except subprocess.TimeoutExpired as late:
            os.killpg(process.pid, signal.SIGKILL)  # Chromium and the gateways with it
            pytest.fail(f"not over after {SUITE_S} s; it said: {(late.output or b'').decode(errors='replace')[-6000:]}")
    assert process.returncode == 0, said[-8000:]
    return said
