"""``./start.sh key NAME``: make an API key. The key is printed this once; what ``GATEWAY_API_KEYS_FILE`` needs of it is printed too, or appended."""

from __future__ import annotations

import argparse
import fcntl
import os
import secrets
from pathlib import Path

from backend.core.api_keys import RANDOM_BYTES, ROLES, digest_of, new_key
from backend.errors import CannotStart
from backend.settings import key_file
from backend.texts import operator

OPTIONS = ("expires", "jobs", "uploads", "bytes_per_day", "rate")
FILE_MODE = 0o600


def run(arguments: list[str]) -> int:
    """Raises ``SettingsError``, ``CannotStart``; argparse ends the process with code 2."""
    given = _parser().parse_args(arguments)
    key = new_key(secrets.token_bytes(RANDOM_BYTES))
    table = _table(given, key)
    key_file.parse(table.encode())
    if given.file is None:
        print(f"{key}\n\n{table}", end="")
    else:
        _append(given.file, given.name, table)
        print(key)
    return 0


def help_text() -> str:
    return _parser().format_help()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("./start.sh key", description=operator.text("key_command.description"), allow_abbrev=False)
    parser.add_argument("name", metavar="NAME", help=operator.text("key_command.name"))
    parser.add_argument("--role", choices=ROLES, default=ROLES[0], help=operator.text("key_command.role"))
    for field in OPTIONS:
        parser.add_argument(f"--{field.replace('_', '-')}", help=operator.text(f"key_command.{field}"))
    parser.add_argument("--file", type=Path, metavar="PATH", help=operator.text("key_command.file"))
    return parser


def _table(given: argparse.Namespace, key: str) -> str:
    """As TOML. Numbers stand in quotes too, which the file allows."""
    rows = {"sha256": digest_of(key), "role": given.role, **{field: vars(given)[field] for field in OPTIONS}}
    lines = [f"{field} = {_quoted(value)}\n" for field, value in rows.items() if value is not None]
    return f"[keys.{_quoted(given.name)}]\n{''.join(lines)}"


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = "".join(f"\\u{ord(each):04x}" if each in '"\\' or not each.isprintable() else each for each in text)
    return f'"{escaped}"'


def _append(path: Path, name: str, table: str) -> None:
    """In place and not by a new file: owner, mode and a container's mount stay. A gateway that sees it half written waits for the whole."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, FILE_MODE)
        with open(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = file.read()
            _check(path, name, before)
            gap = b"" if not before else b"\n" if before.endswith(b"\n") else b"\n\n"
            file.write(gap + table.encode())
            os.fsync(file.fileno())
    except OSError as error:
        raise CannotStart("key_file", path=path, why=error.strerror) from error


def _check(path: Path, name: str, before: bytes) -> None:
    """Raises ``CannotStart`` where the table cannot be added; ``SettingsError`` where the file is broken already."""
    if not before.strip():
        return
    known = key_file.parse(before)
    if not all(each.name for each in known):
        raise CannotStart("key_file_is_plain", path=path)
    if name in (each.name for each in known):
        raise CannotStart("key_exists", path=path, name=name)
