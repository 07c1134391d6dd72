"""``python -m backend``, which ``start.sh`` runs: a signal gets its words even while Python still imports what the commands need."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from backend import key_command, usage
from backend.terminal import say
from backend.texts import operator


def main(arguments: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    answered = usage.answer(arguments, key_command.help_text)
    if answered is not None:
        return answered
    from backend import cli

    return cli.main(["up" if arguments in ([], [usage.EVERYTHING]) else arguments[0], *arguments[1:]])


def leave(number: int, _: FrameType | None) -> None:
    """Nothing was started yet, or what was ends with this process."""
    say(operator.text("start.stopped"))
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
