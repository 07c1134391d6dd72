"""What ``./start.sh`` takes: its roles and commands, the help that lists them, and what is said of a word that is none of them.

Needs nothing but Python, so that help is there before anything is installed.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from backend import __version__, texts
from backend.terminal import say
from backend.texts import operator

ROLES = ("gateway", "encoder", "redis")
COMMANDS = ("health", "key", "setup", "help", "version")
EVERYTHING = "all"
"""What no word means."""
HELP = ("help", "--help", "-h")
VERSION = ("version", "--version", "-V")
HIDDEN = (EVERYTHING, "up", "check")
"""Understood, and not for people."""
ARGUMENTS = {"check": {*ROLES, EVERYTHING}, "health": {"encoder"}, "help": {*ROLES, *COMMANDS, EVERYTHING}}
"""What may follow a word. Whatever follows ``key`` is its own."""
SETTING = re.compile(r"[A-Z][A-Z0-9_]+=.*")
COLUMN = 12


def answer(arguments: Sequence[str], help_of_key: Callable[[], str]) -> int | None:
    """Answer a call for help or for the version, and one that cannot be understood: the exit code. None: it is something to do."""
    word, rest = (arguments[0], list(arguments[1:])) if arguments else (EVERYTHING, [])
    asks_for_help = bool({"--help", "-h"} & set(rest))
    if word in HELP or asks_for_help:
        return _print(help_of_key().rstrip() if "key" in (word, *rest[:1]) else help_text(operator.language()))
    if word in VERSION:
        return _print(f"WebP Gateway {__version__}")
    return _refuse(word, rest)


def _print(text: str) -> int:
    """Whatever the terminal's encoding lacks is left out; a reader that has gone stops nobody."""
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(f"{text}\n".encode(sys.stdout.encoding, "replace"))
        sys.stdout.flush()
    return 0


def help_text(language: str) -> str:
    def rows(words: Sequence[str]) -> list[str]:
        return [f"  {_shown(word):<{COLUMN}}{texts.text(f'usage.{word}', language)}" for word in words]

    head, roles, commands, foot = (texts.text(f"usage.about.{part}", language) for part in ("head", "roles", "commands", "foot"))
    return "\n".join([f"WebP Gateway {__version__}", "", head, "", roles, *rows(ROLES), "", commands, *rows(COMMANDS), "", foot])


def _shown(word: str) -> str:
    return "key NAME" if word == "key" else word


def _refuse(word: str, rest: list[str]) -> int | None:
    if word not in (*ROLES, *COMMANDS, *HIDDEN):
        return _tell_unknown(word, (*ROLES, *COMMANDS))
    wrong = [each for each in rest if each not in ARGUMENTS.get(word, set())]
    if word == "key" or (not wrong and len(rest) < 2):
        return None
    return _tell_unknown((wrong or rest)[0], ARGUMENTS.get(word, ()), after=word)


def _tell_unknown(word: str, known: Sequence[str] | set[str], after: str = "") -> int:
    near = difflib.get_close_matches(word.lstrip("-").lower(), list(known), n=1)
    if SETTING.fullmatch(word):
        said = operator.text("start.setting_goes_before", word=word)
    elif near:
        said = operator.text("start.no_such_word_but", word=word, near=f"./start.sh {f'{after} ' if after else ''}{near[0]}")
    elif word.startswith("-"):
        said = operator.text("start.no_such_option", word=word)
    elif after:
        said = operator.text("start.nothing_follows", word=word, after=after)
    else:
        said = operator.text("start.no_such_word", word=word)
    say(said)
    return 1 if after == "health" else 2  # health is well or not, and Docker keeps 2 for itself
