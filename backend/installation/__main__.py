"""``python -m backend.installation FOLDER [argument …]``: install what is missing, then run ``start.sh`` again, with the arguments and in the folder.

``python -m backend.installation --is-whole`` is asked by ``start.sh`` with the Python of ``.venv``: exit code 0 where nothing is missing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from backend import texts, usage
from backend.errors import CannotStart
from backend.installation import advice, packages
from backend.installation.environment import Environment, python_version
from backend.installation.lock import hand_on, lock
from backend.terminal import Advance, say
from backend.texts import operator

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = Environment(ROOT / ".venv", ROOT / "requirements.txt")
LOCK = ROOT / ".venv.lock"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal that ends the installation."""


def main(arguments: list[str]) -> int:
    if arguments == ["--is-whole"]:
        return 0 if ENVIRONMENT.is_whole() else 1
    called_from, rest = arguments[0], arguments[1:]
    answered = usage.answer(rest, _help_of_key)
    if answered is not None:
        return answered
    try:
        _catch_signals()
        return _install_and_go_on(called_from, rest)
    except CannotStart as error:
        say(operator.text(f"start.{error.reason}", **error.params))
        return 1
    except Interrupted as signalled:
        say(operator.text("start.install_interrupted"))
        return 128 + int(signalled.args[0])


def _help_of_key() -> str:
    from backend import key_command  # an image is built without it

    return key_command.help_text()


def _install_and_go_on(called_from: str, arguments: list[str]) -> int:
    """Raises ``CannotStart``."""
    try:
        with lock(LOCK, lambda pid: say(texts.text("start.install_waiting", operator.language(), pid=pid))) as held:
            if _prepare():
                _fill(held)
            if arguments in ([], [usage.EVERYTHING]):
                hand_on(held)
            return _go_on(called_from, arguments)
    except OSError as error:
        raise advice.of_error(error, ROOT) from error


def _go_on(called_from: str, arguments: list[str]) -> int:
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    os.chdir(called_from)
    os.execv(ROOT / "start.sh", [str(ROOT / "start.sh"), *arguments])


def _catch_signals() -> None:
    """The first one ends the installation. Those that follow are not heard: the end takes a moment only."""

    def interrupt(number: int, _: FrameType | None) -> None:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    for each in ENDING:
        if signal.getsignal(each) is not signal.SIG_IGN:  # as under nohup
            signal.signal(each, interrupt)


def _prepare() -> bool:
    """Clear the way for a new environment; False where none is needed, since another start has made it meanwhile. Raises ``OSError``."""
    state = ENVIRONMENT.state()
    if state == "whole":
        return False
    if state == "foreign":
        say(texts.text("start.install_put_aside", operator.language(), kept=ENVIRONMENT.put_aside().name))
    elif state != "absent":
        say(_why_anew(state))
        ENVIRONMENT.clear()
    ENVIRONMENT.mark()
    return True


def _why_anew(state: str) -> str:
    if state == "half":
        return texts.text("start.install_half", operator.language())
    return (
        texts.text("start.install_outdated", operator.language())
        if state == "outdated"
        else texts.text("start.install_other_python", operator.language())
    )


def _fill(held: int) -> None:
    begun_s = time.monotonic()
    say(texts.text("start.install_begins", operator.language(), version=python_version(), python=sys.executable))
    code, said = packages.make_environment(sys.executable, ENVIRONMENT.folder, held)
    if code:
        raise advice.of_output(said)
    advance = Advance()
    code, progress = packages.install(ENVIRONMENT.python, ENVIRONMENT.requirements, held, lambda progress: _show(advance, progress))
    advance.end()
    if code and advice.is_silent(progress.lines):
        _, progress = packages.install(ENVIRONMENT.python, ENVIRONMENT.requirements, held, lambda _: None, packages.IN_DETAIL)
    if code:
        raise advice.of_output("\n".join(progress.lines))
    ENVIRONMENT.stamp(progress.total)
    say(texts.text("start.installed", operator.language(), total=progress.total, seconds=round(time.monotonic() - begun_s)))


def _show(advance: Advance, progress: packages.Progress) -> None:
    if progress.is_installing:
        number = min(ENVIRONMENT.packages(), progress.total)
        advance.show(
            texts.text("start.installing", operator.language(), number=number, total=progress.total), number + progress.total, 2 * progress.total
        )
    elif progress.retries:
        advance.show(texts.text("start.install_retrying", operator.language(), tries=progress.retries), progress.fetched, 2 * progress.total)
    else:
        line = texts.text("start.downloading", operator.language(), number=progress.fetched, total=progress.total)
        advance.show(line, progress.fetched, 2 * progress.total)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
