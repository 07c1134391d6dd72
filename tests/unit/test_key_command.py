"""``./start.sh key``: the key is shown once, the file gets its digest alone, and nothing that is there is lost."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from backend import cli
from backend.core.api_keys import digest_of, is_mistyped
from backend.settings.key_file import parse


def made(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["key", *arguments]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["key", *arguments]) != 0
    said = capsys.readouterr()
    assert said.out == "", "no key is shown that is not in the file"
    return said.err


def test_the_key_and_what_the_file_needs_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--expires", "2027-01-01", "--jobs", "50", "--bytes-per-day", "5GiB", "--rate", "600/minute"]
    key, _, table = made(capsys, "alice", *options).partition("\n\n")
    (known,) = parse(table.encode())
    assert re.fullmatch(r"wg_[0-9A-Za-z]{33}", key) and not is_mistyped(key) and key not in table
    assert (known.digest, known.name, known.role, known.rate_limit) == (digest_of(key), "alice", "client", (600, 60))
    assert known.own_limits == {"jobs": 50, "bytes_per_day": 5 << 30}


def test_keys_are_appended_to_a_file_that_only_its_owner_reads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    keys = [made(capsys, name, "--file", str(path), "--role", role).strip() for name, role in (("alice", "client"), ("olga", "operator"))]
    assert [(each.digest, each.name, each.role) for each in parse(path.read_bytes())] == [
        (digest_of(keys[0]), "alice", "client"),
        (digest_of(keys[1]), "olga", "operator"),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys[0] not in path.read_text() and keys[0] != keys[1]


def test_what_is_in_the_file_stays_as_it_is_with_its_mode_and_links(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, link = tmp_path / "real.toml", tmp_path / "keys.toml"
    before = f'# ours\n[keys.alice]\nsha256 = "{"a" * 64}"  # no line break'
    path.write_text(before)
    path.chmod(0o640)
    link.symlink_to(path)
    inode = path.stat().st_ino
    made(capsys, "bob", "--file", str(link))
    assert path.read_text().startswith(before) and [each.name for each in parse(path.read_bytes())] == ["alice", "bob"]
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_ino, link.is_symlink()) == (0o640, inode, True)


def test_what_cannot_be_added_leaves_the_file_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "keys"
    for before, part in (
        (f'[keys.alice]\nsha256 = "{"a" * 64}"\n', "has a key named alice"),
        ("a-long-secret-key\n", "plain list"),
        ("[keys.bob]\n", "keys.bob.sha256"),
    ):
        path.write_text(before)
        assert part in refused(capsys, "alice", "--file", str(path))
        assert path.read_text() == before
    assert "cannot be written" in refused(capsys, "alice", "--file", str(tmp_path / "none" / "keys"))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["al ice"], "1 to 64 letters"),
        (['a"]\nx=1'], "1 to 64 letters"),
        (["alice", "--expires", "soon"], "keys.alice.expires='soon'"),
        (["alice", "--jobs", "0"], "keys.alice.jobs='0'"),
        (["alice", "--rate", "fast"], "keys.alice.rate='fast'"),
    ],
)
def test_a_wrong_argument_is_told_as_in_the_file(capsys: pytest.CaptureFixture[str], arguments: list[str], part: str) -> None:
    assert part in refused(capsys, *arguments)


@pytest.mark.parametrize("arguments", [[], ["alice", "--role", "admin"], ["alice", "bob"], ["alice", "--exp", "2027-01-01"]])
def test_what_is_no_command_ends_with_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["key", *arguments])
    assert ended.value.code == 2


def test_settings_that_are_wrong_do_not_keep_the_first_key_from_being_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_API_KEYS_FILE", str(tmp_path / "not-yet"))
    assert made(capsys, "alice", "--file", str(tmp_path / "not-yet")).startswith("wg_")
