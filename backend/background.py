"""What a gateway process does beside its requests, for ever: each function here is one greenlet.

None of them may end by an error: one that was expected is told once for an outage, one that was not is logged where it happened.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import time
from collections.abc import Callable

import gevent
from flask import Flask

from backend import errors, logs
from backend.adapters.files.api_keys import LOOK_EVERY_S, ApiKeysFile
from backend.flows import announce, shares
from backend.flows.context import Context
from backend.flows.maintenance import Janitor
from backend.flows.send_webhooks import WebhookSender
from backend.ports.announcements import Announcements
from backend.ports.api_keys import ApiKeys
from backend.web.socketio.handlers import SocketIOHandlers
from backend.web.status import historian
from backend.web.status.historian import Historian

log = logging.getLogger(__name__)
BEGIN_AFTER_S = 0.02
PAUSE_S = 1.0
REST_SHARE = 0.25


def start_soon(*activities: Callable[[], None]) -> None:
    """A moment later: ``gunicorn --check-config`` makes the application too and ends at once, and gevent gives each greenlet a turn at the end."""
    for each in activities:
        gevent.spawn_later(BEGIN_AFTER_S, each)


def warm_up(app: Flask, context: Context, announcements: Announcements) -> None:
    """Connect and subscribe now, which otherwise would be done in each worker's first request and cost it some 50 ms."""
    app.url_map.update()
    announcements.start()
    try:
        context.store.check()
        context.queue.depth()
    except errors.GatewayError as error:
        log.info("not everything is within reach yet: %s", error)


def maintenance(janitor: Janitor) -> tuple[Callable[[], None], Callable[[], None]]:
    """Its two kinds of rounds, each an activity of its own: a slow store keeps no lost job waiting."""
    return (lambda: maintain(janitor)), (lambda: look_after_store(janitor))


def maintain(janitor: Janitor) -> None:
    outage = logs.Outage(log)
    while True:
        try:
            shares.tell_bytes(janitor.context)
            janitor.look_after_jobs()
            outage.end("maintenance goes on")
        except errors.GatewayError as error:
            outage.tell("maintenance could not be finished this time, and is tried again: %s", error)
        except errors.Overstayed:
            pass  # The watchdog has logged where it was.
        except Exception as error:
            log.error("maintenance met an unexpected %r", error, exc_info=error)
        time.sleep(PAUSE_S)


def look_after_store(janitor: Janitor) -> None:
    """Between two parts of a scan the requests have the processor for a quarter of the time that the part took, at least."""
    outage = logs.Outage(log)
    while True:
        begun, has_more = time.monotonic(), False
        try:
            has_more = janitor.look_after_store()
            outage.end("the store is looked after again")
        except errors.GatewayError as error:
            outage.tell("the store could not be looked after this time, which is tried again: %s", error)
        except errors.Overstayed:
            pass  # The watchdog has logged where it was.
        except Exception as error:
            log.error("looking after the store met an unexpected %r", error, exc_info=error)
        time.sleep(max(0.01, REST_SHARE * (time.monotonic() - begun)) if has_more else PAUSE_S)


def announce_gateway(announcer: announce.Announcer) -> None:
    """Say that this process is there, until it ends in order."""
    atexit.register(_leave, announcer)
    outage = logs.Outage(log)
    while True:
        try:
            announcer.beat()
            outage.end("this gateway sends its heartbeat again")
        except errors.BackendUnavailable as error:
            outage.tell("this gateway cannot send its heartbeat, and tries again: %s", error.private)
        time.sleep(announce.HEARTBEAT_EVERY_S)


def _leave(announcer: announce.Announcer) -> None:
    with contextlib.suppress(errors.BackendUnavailable):
        announcer.leave()


def look_at_redis(look: Callable[[], None], every_s: float) -> None:
    while True:
        try:
            look()
        except errors.BackendUnavailable as error:
            log.info("Redis could not be looked at: %s", error.private)
        except Exception as error:
            log.error("looking at Redis met an unexpected %r", error, exc_info=error)
        time.sleep(every_s)


def send_webhooks(webhooks: WebhookSender | None) -> None:
    """None where no webhook may be asked for."""
    while webhooks is not None:
        try:
            if not webhooks.send_due():
                webhooks.wait()
        except errors.GatewayError as error:
            log.warning("no webhook can be sent now: %s", error)
            time.sleep(PAUSE_S)
        except Exception as error:
            log.error("sending webhooks met an unexpected %r", error, exc_info=error)
            time.sleep(PAUSE_S)


def watch_keys(api_keys: ApiKeys, handlers: SocketIOHandlers) -> None:
    """What the operator changes of the keys counts within two rounds, for open sockets too; so does a key's expiry."""
    while api_keys.are_set:
        time.sleep(LOOK_EVERY_S)
        try:
            if isinstance(api_keys, ApiKeysFile):
                api_keys.look()
            handlers.disconnect_refused()
        except Exception as error:
            log.error("watching the API keys met an unexpected %r", error, exc_info=error)


def record_history(recorder: Historian) -> None:
    atexit.register(_finish_history, recorder)
    while True:
        try:
            recorder.record()
        except errors.GatewayError as error:
            log.info("no sample of the figures is kept this time: %s", error)
        except Exception as error:
            log.error("the history of the figures met an unexpected %r", error, exc_info=error)
        time.sleep(historian.EVERY_S)


def _finish_history(recorder: Historian) -> None:
    with contextlib.suppress(errors.GatewayError):
        recorder.finish()
