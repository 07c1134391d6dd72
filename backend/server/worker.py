"""The Gunicorn worker class. It has gevent-websocket's name and Gunicorn's own parser, limits every connection, and stops quickly.

    gunicorn -k backend.server.worker.BoundedGeventWebSocketWorker run:app

``GeventWebSocketWorker`` is built on gevent's pywsgi, which "is not intended for direct exposure to the public Internet" and ignores Gunicorn's
limits, keep-alive, access log and ``max_requests``. ``server_class = None`` makes Gunicorn serve the connections by itself. This class limits them
(``connection_limits``), takes WebSocket upgrades (``websocket_upgrade``), shares Socket.IO sessions between the workers
(``socketio/session_handover``) and hosts (``socketio/session_relay``), and drains (``graceful_shutdown``). It speaks no HTTP/2.

A connection's way is ``serve`` → ``handle_request`` for each request → ``Connection.finish``. The application asks about a request's client through
``ports.peer.Peer``, which ``peer`` implements.
"""

from __future__ import annotations

import errno
import signal
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import gevent
from gevent.event import Event
from geventwebsocket.gunicorn.workers import GeventWebSocketWorker
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData
from gunicorn.sock import ssl_context

from backend import logs
from backend.errors import BackendUnavailable, BadRequest, GatewayError, Internal, Overstayed
from backend.ports.peer import KEY
from backend.server import connection_limits, reexec
from backend.server.client_sockets import set_options, shake_hands
from backend.server.connection import Connection, Connections
from backend.server.connection_places import ConnectionPlaces, ConnectionServer
from backend.server.graceful_shutdown import drain
from backend.server.http.error_response import closing_response, status_of
from backend.server.http.read_timeouts import TooSlow
from backend.server.http.request_parser import InvalidHost
from backend.server.metrics import loop_lag
from backend.server.metrics.http_middleware import HttpMetrics, count_request
from backend.server.metrics.process import ProcessMetrics
from backend.server.metrics.shared_counters import counters
from backend.server.peer import RequestPeer
from backend.server.recycling import Recycling
from backend.server.run_dir import lasting_dir, run_dir
from backend.server.socketio.session_handover import SessionHandover
from backend.server.socketio.session_relay import SessionRelay
from backend.server.turns import turns
from backend.server.watchdog import Watchdog
from backend.server.websocket_upgrade import RETRY_AFTER_S, Upgrade
from backend.server.wsgi import Environ, StartResponse, Wsgi

PEER_IS_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF)
HEARTBEAT_S = 1.0
MALFORMED = "malformed"
"""The route, in metrics, of what never became a request."""
LOGGED_CHARACTERS = 200


class BoundedGeventWebSocketWorker(GeventWebSocketWorker):  # type: ignore[misc]
    server_class = None
    wsgi: Wsgi
    wsgi_handler = None

    def init_process(self) -> None:
        # Gunicorn sets a worker's handlers after patching. Until then the master's run here and swallow a SIGTERM: it would wait until its timeout.
        signal.signal(signal.SIGTERM, super().handle_exit)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, reexec.SIGNALS)
        self.connections, self.draining = Connections(), Event()
        self.recycling = Recycling(self.cfg.workers)
        if lasting_dir() is not None:
            counters.keep_in(run_dir() / "metrics")
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        given = connection_limits.current().websockets_per_worker
        capacity = self.worker_connections * 4 // 5 if given is None else given
        self.wsgi = self._with_peer(HttpMetrics(Upgrade(self.wsgi, self.connections, capacity, self._end_kept)))

    def run(self) -> None:
        pool = self.places = ConnectionPlaces(self.worker_connections)
        self.handover = SessionHandover(self.cfg, pool.spawn, self.serve)
        self.relay = SessionRelay(self.cfg, self.connections)
        servers = [self._listen(listener, pool) for listener in self.sockets]
        self.handover.open()
        loop_lag.start()
        turns.start()
        Watchdog(turns).start()
        process_metrics = ProcessMetrics(self.connections)
        try:
            while self.alive:
                self.notify()
                process_metrics.update()
                self.draining.wait(HEARTBEAT_S)
        finally:
            self.draining.set()
            for server in servers:
                server.close()
            self.handover.close()
            self.relay.close()
            gevent.sleep(0)  # A connection that was just accepted has a greenlet that has not begun. It adds itself to the connections now.
        drain(self.connections, self.cfg.graceful_timeout, self.notify)
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)  # Python restores the default handlers as it ends; a late signal would count as a crash.

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        gevent.get_hub().loop.run_callback_threadsafe(self.draining.set)

    def serve(self, connection: Connection) -> None:
        """All requests of one connection. Each may turn out to belong to another worker, which then gets the connection."""
        try:
            if self.connections.add(connection):
                self._serve_requests(connection)
            else:
                self._turn_away(connection, BackendUnavailable(part="connections", retry_after_s=RETRY_AFTER_S))
        except OSError as error:
            self._log_broken(connection, error)
        except Overstayed:
            self._answer_overstayed(connection)
        finally:
            if connection.is_kept:
                self.places.keep()
            else:
                self._end(connection)

    def _end(self, connection: Connection) -> None:
        try:
            connection.finish()
        finally:
            self.connections.remove(connection)

    def _end_kept(self, connection: Connection, was_cut: bool) -> None:
        """Of a WebSocket without a greenlet of its own, in one that lives for this."""
        upgrade = connection.upgrade
        assert upgrade is not None
        connection.must_linger = not was_cut
        if was_cut:
            connection.reset_at_close()
        try:
            self._end(connection)
        finally:
            self.places.release()
            self.log.access(upgrade, upgrade, upgrade.environ, timedelta(seconds=time.monotonic() - upgrade.begun_s))

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> bool:
        if self.alive and self.nr + 1 >= self.max_requests:
            self.max_requests += self.recycling.postponed_by()
        try:
            return bool(super().handle_request(listener_name, req, sock, addr))
        finally:
            if not self.alive:  # ``max_requests`` is reached.
                self.draining.set()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer with a problem, and log one line. Only a bug of ours gets a traceback.

        The error comes from what never became a request, or from a body that ended badly when the application did not expect it.
        """
        host = addr[0] if isinstance(addr, tuple) else ""
        if isinstance(exc, GatewayError):
            error, status = exc, exc.status
            self.log.info("%s %s ended: %s", req.method, logs.redacted(req.path), exc)
        elif isinstance(exc, LimitRequestHeaders):
            error, status = BadRequest("headers", **self._head_limits(), private=str(exc)), 431
            self.log.warning("no request from %s: %s", host, str(exc)[:LOGGED_CHARACTERS])
        elif isinstance(exc, InvalidHost):
            error, status = BadRequest("header", header="Host", accepted="host[:port]", private=str(exc)), 400
            self.log.info("no request from %s: a Host that is none", host)
        elif (known := status_of(exc)) is not None:
            error, status = BadRequest(private=str(exc)), known
            self.log.warning("no request from %s: %s %r", host, type(exc).__name__, str(exc)[:LOGGED_CHARACTERS])
        else:
            error, status = Internal(), 500
            self.log.error("unexpected %r", exc, exc_info=exc)
        if req is None or not isinstance(exc, GatewayError):
            count_request("", MALFORMED, str(status))
        client.sendall(closing_response(error, status))

    def _head_limits(self) -> dict[str, int]:
        head_bytes = connection_limits.current().head_bytes
        return {"limit": self.cfg.limit_request_fields, "limit_bytes": self.cfg.limit_request_field_size, "head_bytes": head_bytes}

    def _listen(self, listener: Any, pool: ConnectionPlaces) -> ConnectionServer:
        listener.setblocking(1)
        set_options(listener)
        tls = ssl_context(self.cfg) if self.cfg.is_ssl else None
        name = listener.getsockname()  # Now: a connection may be accepted just before the listener closes, and served after that.

        def serve(client: Any, address: Any) -> None:
            if tls is None:
                self.serve(Connection(client, address, name, self.cfg))
            elif (encrypted := shake_hands(client, tls, connection_limits.current().header_timeout_s)) is not None:
                self.serve(Connection(encrypted, address, name, self.cfg))

        server = ConnectionServer(listener, handle=serve, spawn=pool)
        if self.cfg.workers > 1:
            server.max_accept = 1  # Leave the next connection to a sibling that may be less busy.
        server.start()
        return server

    def _with_peer(self, app: Wsgi) -> Wsgi:
        def call(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            connection = self.connections.by_socket[environ["gunicorn.socket"].sock]
            environ[KEY] = RequestPeer(connection, environ["wsgi.input"], self.draining)
            return app(environ, start_response)

        return call

    def _serve_requests(self, connection: Connection) -> None:
        request = None
        try:
            for request in connection.requests():
                self.relay.recognize(request, connection)
                if self.handover.hand_over(request, connection) or self.relay.relay(request, connection):
                    return
                self.handle_request(connection.listener, request, connection.writer, connection.address)
                if connection.is_kept:
                    return
        except (StopIteration, NoMoreData):
            pass  # Gunicorn raises these to say: close the connection.
        except TooSlow:
            if not connection.is_waiting:
                self._turn_away(connection, BadRequest(private="slow head"), 408)
        except OSError:
            raise
        except Exception as error:
            connection.must_linger = True
            self.handle_error(request, connection.sock, connection.address, error)

    def _turn_away(self, connection: Connection, error: GatewayError, status: int | None = None) -> None:
        connection.must_linger = True
        count_request("", MALFORMED, str(status or error.status))
        connection.sock.sendall(closing_response(error, status))

    def _answer_overstayed(self, connection: Connection) -> None:
        """The watchdog has logged it. A client whose answer has begun must not take it for a whole one."""
        if connection.writer.has_begun or connection.websocket is not None:
            connection.reset_at_close()
        else:
            self._turn_away(connection, Internal(private="the watchdog ended it"))

    def _log_broken(self, connection: Connection, error: OSError) -> None:
        if isinstance(error, TimeoutError):
            self.log.info("Response to %s was not read and was cut off", connection.host)
            connection.abort()
        elif error.errno not in PEER_IS_GONE:
            self.log.error("Connection of %s broke", connection.host, exc_info=error)
