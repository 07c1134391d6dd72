"""Secrets as files: for each secret setting ``NAME``, ``NAME_FILE`` is the path of a file that holds the value, as Docker, Kubernetes and systemd
hand secrets over. A line break at its end is no part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.errors import WrongSetting

MAX_BYTES = 64 << 10
"""More than any address, key or list of secrets has; a larger file is another one."""


def names(secrets: Iterable[str]) -> dict[str, str]:
    """Variable of the file → setting."""
    return {f"{name}_FILE": name for name in sorted(secrets)}


def read(files: Mapping[str, str], environment: Mapping[str, str]) -> tuple[dict[str, str], list[WrongSetting]]:
    """The environment with the secrets in it, and what is wrong with their files. No problem shows what a file holds."""
    given, problems = dict(environment), []
    for variable, name in files.items():
        path = environment.get(variable)
        if not path:
            continue
        if environment.get(name):
            problems.append(WrongSetting(variable, None, "one_of_two", other=name))
            continue
        try:
            given[name] = _content(path)
        except (OSError, ValueError):
            problems.append(WrongSetting(variable, repr(path), "secret_file"))
    return given, problems


def place(name: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Variable and path of the file that a setting's value came from; None where it came from no file."""
    variable = f"{name}_FILE"
    return (variable, repr(environment[variable])) if environment.get(variable) and not environment.get(name) else None


def _content(path: str) -> str:
    """Raises ``OSError``; ``ValueError`` where the file is empty, too large, or no text."""
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    text = data.decode("utf-8").rstrip("\r\n")
    if not text or len(data) > MAX_BYTES or "\0" in text:
        raise ValueError(path)
    return text
