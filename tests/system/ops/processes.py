"""Who is who among a running gateway's processes."""

from __future__ import annotations

import psutil

from tests.support.running import Gateway, is_supervised


def _role(gateway: Gateway, word: str) -> psutil.Process:
    """The role's first process: a child of the supervisor."""
    return next(each for each in gateway.find(word) if is_supervised(each))


def gunicorn_master(gateway: Gateway) -> psutil.Process:
    return _role(gateway, "gunicorn")


def celery_master(gateway: Gateway) -> psutil.Process:
    return _role(gateway, "celery")


def workers(gateway: Gateway) -> list[psutil.Process]:
    """The gateway's workers, oldest first; those that are just leaving among them."""
    return [each for each in gunicorn_master(gateway).children() if _is_there(each)]


def pool(gateway: Gateway) -> list[psutil.Process]:
    """Celery's pool processes, without the family of zygotes beside them."""
    children = [each for each in celery_master(gateway).children() if _is_there(each)]
    return [each for each in children if "zygote" not in " ".join(each.cmdline())]


def _is_there(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
