"""The file of keys is read again when it changes, however it is changed; a broken one changes nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from backend.adapters.files.api_keys import ApiKeysFile
from backend.core.api_keys import digest_of
from backend.errors import SettingsError
from backend.settings.key_file import parse

ONE, TWO = "one-long-key", "two-long-key"
T = TypeVar("T")


def call(what: Callable[[], T]) -> T:
    return what()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(ONE)
    return path


@pytest.fixture
def keys(path: Path) -> ApiKeysFile:
    return ApiKeysFile(path, parse, call)


def known(keys: ApiKeysFile) -> list[str]:
    return [each for each in (ONE, TWO) if keys.find(digest_of(each)) is not None]


def look_twice(keys: ApiKeysFile) -> None:
    keys.look()
    keys.look()


def test_a_file_that_was_written_again_counts_after_two_looks(path: Path, keys: ApiKeysFile) -> None:
    path.write_text(TWO)
    keys.look()
    assert known(keys) == [ONE], "it may still be written"
    keys.look()
    assert known(keys) == [TWO]


def test_a_half_written_file_never_counts(path: Path, keys: ApiKeysFile) -> None:
    with path.open("w") as file:
        for part in ("two-long", "-k", "ey"):
            file.write(part)
            file.flush()
            keys.look()
            assert known(keys) == [ONE]
    look_twice(keys)
    assert known(keys) == [TWO]


def test_a_file_of_the_same_size_and_time_in_its_place_is_noticed(path: Path, keys: ApiKeysFile) -> None:
    other = path.with_name("new")
    other.write_text(TWO)
    seen = path.stat()
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.rename(path)
    look_twice(keys)
    assert known(keys) == [TWO]


def test_a_symbolic_link_that_leads_elsewhere_is_noticed(tmp_path: Path) -> None:
    """As Kubernetes changes a mounted secret: ``keys`` → ``..data/keys``, and ``..data`` → a folder of the new version."""
    for name, key in (("v1", ONE), ("v2", TWO)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "keys").write_text(key)
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "keys").symlink_to("..data/keys")
    keys = ApiKeysFile(tmp_path / "keys", parse, call)
    (tmp_path / "..new").symlink_to("v2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    look_twice(keys)
    assert known(keys) == [TWO]


@pytest.mark.parametrize("broken", ["", "short", "[keys.alice]\njobs = 5\n", None])
def test_a_broken_file_keeps_the_earlier_keys_and_is_logged_once(
    path: Path, keys: ApiKeysFile, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken)
    for _ in range(5):
        keys.look()
    assert (known(keys), keys.are_stale, len(caplog.records)) == ([ONE], True, 1)
    path.write_text(TWO)
    look_twice(keys)
    assert (known(keys), keys.are_stale) == ([TWO], False)


def test_what_blocks_is_given_to_the_runner(path: Path) -> None:
    calls: list[str] = []

    def run(what: Callable[[], T]) -> T:
        calls.append("called")
        return what()

    keys = ApiKeysFile(path, parse, run)
    keys.look()
    assert calls == ["called"], "an unchanged file is only looked at"


def test_a_worker_that_begins_while_the_file_is_broken_takes_the_newest_keys_that_any_had(path: Path, tmp_path: Path) -> None:
    """A recycled worker could not begin, and Gunicorn would have ended with it."""
    kept = tmp_path / "kept.json"
    earlier = ApiKeysFile(path, parse, call, kept)
    digest = digest_of(TWO)
    path.write_text(f'[keys.two]\nsha256 = "{digest}"\nrole = "operator"\nexpires = 2030-01-01\njobs = 5\nrate = "9/minute"\n')
    look_twice(earlier)
    path.write_text("short")
    later = ApiKeysFile(path, parse, call, kept)
    assert (known(later), later.are_stale, later.find(digest)) == ([TWO], True, earlier.find(digest))
    assert kept.stat().st_mode & 0o777 == 0o600 and TWO not in kept.read_text()
    path.write_text(ONE)
    look_twice(later)
    assert (known(later), later.are_stale) == ([ONE], False)


def test_without_a_usable_file_at_first_there_are_no_keys_to_fall_back_to(path: Path) -> None:
    path.write_text("short")
    with pytest.raises(SettingsError):
        ApiKeysFile(path, parse, call)
