"""The body of a request that writes to a resumable upload, and the watch that takes the upload from a silent client.

An upload has one writer at a time. A connection that broke without a word may stay open for minutes, while its client wants to go on over a new
one. So a writer whose client has sent nothing for ``QUIET_S`` gives way to the next request; one whose client still sends does not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from backend import errors
from backend.ports.peer import Peer, SocketChunk
from backend.ports.resumable import UploadWriter
from backend.web.request import body_stream
from backend.web.request.peer import peer

LOOK_EVERY_S = 0.25
QUIET_S = 1.0


@contextmanager
def upload_body(writer: UploadWriter) -> Iterator[Iterator[bytes | SocketChunk]]:
    """The body's pieces. Raises ``Locked`` where the upload had to be given to another request."""
    watch = SilenceWatch(writer, peer())
    watcher = threading.Thread(target=watch.run, name="upload-watch", daemon=True)
    watcher.start()
    try:
        yield body_stream.pieces()
    except errors.BadRequest as error:
        if watch.has_given_way:
            raise errors.Locked("taken_over", retry_after_s=1) from error
        raise
    finally:
        watch.is_over.set()
        watcher.join()


class SilenceWatch:
    """Ends the body of a silent client once another request wants its upload."""

    def __init__(self, writer: UploadWriter, client: Peer) -> None:
        self._writer, self._client = writer, client
        self.has_given_way = False
        self.is_over = threading.Event()

    def run(self) -> None:
        seen_bytes, quiet_s = 0, 0.0
        while not self.is_over.wait(LOOK_EVERY_S):
            is_quiet = self._client.is_waiting and self._client.received_bytes == seen_bytes
            seen_bytes, quiet_s = self._client.received_bytes, quiet_s + LOOK_EVERY_S if is_quiet else 0.0
            if quiet_s >= QUIET_S and self._writer.is_takeover_requested():
                self.has_given_way = True
                self._client.stop_reading()
                return
