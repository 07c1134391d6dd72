"""Every client reaches Redis by TLS with verified certificates, or is told why not; the same for Celery's connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from kombu.exceptions import OperationalError

from backend.adapters.celery_encoders import celery_app
from backend.adapters.redis.client import KEY_PREFIX, connect, translate_errors
from backend.adapters.redis.pubsub import RedisAnnouncements
from backend.adapters.redis.ticket import QUEUE
from backend.core.redis_url import encoded, with_tls_defaults
from backend.errors import BackendUnavailable
from backend.redis_watch import why_not
from tests.support.redis_places import Certificates, redis_process, tls_lines
from tests.support.redis_server import RedisServer
from tests.support.running import free_port

REACHED = ""
Way = Callable[[str], str]


@dataclass(frozen=True)
class Places:
    """Ports of servers with TLS, by what is particular about their certificates."""

    ca: Path
    other_ca: Path
    client: tuple[Path, Path]
    good: int
    named_otherwise: int
    expired: int
    wants_client: int
    plain: int


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("tls")
    ours, other = Certificates(folder), Certificates(folder, "other")
    good = ours.sign("good", "DNS:localhost,IP:127.0.0.1")
    pairs = {
        "good": (good, False),
        "named_otherwise": (ours.sign("otherwise", "DNS:redis.example"), False),
        "expired": (ours.sign("expired", "IP:127.0.0.1", is_expired=True), False),
        "wants_client": (good, True),
    }
    ports = {name: free_port() for name in pairs}
    with ExitStack() as stack:
        for name, (pair, wants_client) in pairs.items():
            lines = tls_lines(ours, pair, port=ports[name], wants_client=wants_client)
            stack.enter_context(redis_process(folder / name, *lines, port=ports[name]))
        plain = stack.enter_context(redis_process(folder / "plain"))
        yield Places(ours.ca, other.ca, ours.sign("client", "DNS:client"), plain=plain.port, **ports)


def by_redis_py(url: str) -> str:
    with connect(url) as client:
        try:
            with translate_errors():
                client.ping()
        except BackendUnavailable as error:
            return str(error.private)
    return REACHED


def by_pubsub(url: str) -> str:
    with connect(url) as client:
        announcements = RedisAnnouncements(client)
        try:
            with translate_errors():
                announcements._pubsub.subscribe("a")
        except BackendUnavailable as error:
            return str(error.private)
        finally:
            announcements._pubsub.close()
    return REACHED


def by_celery(url: str) -> str:
    """As a worker connects, and as ``celery inspect`` does."""
    with celery_app(url).connection_for_read() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0)
            with connection.channel() as channel:
                channel.subclient.psubscribe("a")
        except OperationalError as error:
            return str(error)
    return REACHED


def by_watch(url: str) -> str:
    found = why_not(url)
    return found.reason if found else REACHED


WAYS = [by_redis_py, by_pubsub, by_celery, by_watch]


@pytest.mark.parametrize("way", WAYS)
def test_a_certificate_of_the_named_ca_for_this_name_is_accepted(way: Way, places: Places) -> None:
    assert way(with_tls_defaults(f"rediss://127.0.0.1:{places.good}", ca_file=str(places.ca), verify="full")) == REACHED
    assert way(f"rediss://localhost:{places.good}/1?ssl_ca_certs={encoded(str(places.ca))}") == REACHED


@pytest.mark.parametrize("way", WAYS)
def test_a_bare_rediss_trusts_nobody_but_the_system(way: Way, places: Places) -> None:
    assert way(f"rediss://127.0.0.1:{places.good}") != REACHED
    assert way(f"rediss://127.0.0.1:{places.good}?ssl_ca_certs={places.other_ca}") != REACHED


@pytest.mark.parametrize("way", WAYS)
def test_another_host_name_and_an_expired_certificate_are_refused(way: Way, places: Places) -> None:
    for port in (places.named_otherwise, places.expired):
        assert way(f"rediss://127.0.0.1:{port}?ssl_ca_certs={places.ca}") != REACHED


@pytest.mark.parametrize("way", WAYS)
def test_what_is_weakened_is_weakened_for_all_and_no_further(way: Way, places: Places) -> None:
    for port in (places.good, places.named_otherwise, places.expired):
        assert way(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none") == REACHED
        assert way(with_tls_defaults(f"rediss://127.0.0.1:{port}", ca_file=None, verify="none")) == REACHED
    by_chain = with_tls_defaults(f"rediss://127.0.0.1:{places.named_otherwise}", ca_file=str(places.ca), verify="ca")
    assert way(by_chain) == REACHED
    assert way(by_chain.replace(str(places.named_otherwise), str(places.expired))) != REACHED
    assert way(f"rediss://127.0.0.1:{places.named_otherwise}?ssl_ca_certs={places.other_ca}&ssl_check_hostname=false") != REACHED


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_wants_a_clients_certificate_gets_it(way: Way, places: Places) -> None:
    certificate, key = places.client
    bare = f"rediss://127.0.0.1:{places.wants_client}?ssl_ca_certs={places.ca}"
    assert way(f"{bare}&ssl_certfile={certificate}&ssl_keyfile={key}") == REACHED
    assert way(bare) != REACHED


@pytest.mark.parametrize("way", WAYS)
def test_a_server_without_tls_is_no_server_with_tls(way: Way, places: Places) -> None:
    assert way(f"rediss://127.0.0.1:{places.plain}?ssl_cert_reqs=none") != REACHED


def test_each_reason_has_its_sentence(places: Places) -> None:
    ca = f"?ssl_ca_certs={places.ca}"
    assert by_watch(f"rediss://127.0.0.1:{places.good}") == "redis_tls_ca"
    assert by_watch(f"rediss://127.0.0.1:{places.named_otherwise}{ca}") == "redis_tls_name"
    assert by_watch(f"rediss://127.0.0.1:{places.expired}{ca}") == "redis_tls_expired"
    assert by_watch(f"rediss://127.0.0.1:{places.wants_client}{ca}") == "redis_tls"
    assert by_watch(f"redis://127.0.0.1:{places.good}") == "redis_closed"


def test_a_renewed_certificate_is_used_without_a_restart(places: Places, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(places.other_ca.read_bytes())
    with connect(f"rediss://127.0.0.1:{places.good}?ssl_ca_certs={ca}") as client:
        with pytest.raises(BackendUnavailable), translate_errors():
            client.ping()
        ca.write_bytes(places.ca.read_bytes())
        assert client.ping()


def test_a_primary_that_became_a_replica_is_a_lost_connection_and_no_wrong_command(places: Places) -> None:
    url = f"redis://127.0.0.1:{places.plain}"
    with connect(url) as client, connect(url) as operator, celery_app(url).connection_for_read() as broker, broker.channel() as channel:
        first = client.client_id()
        assert client.client_id() == first
        operator.execute_command("REPLICAOF", "127.0.0.1", str(places.plain + 1))
        try:
            for write in (lambda: client.set("a", "b"), lambda: client.eval("return redis.call('SET', KEYS[1], '1')", 1, "a")):
                with pytest.raises(BackendUnavailable, match=r"redis") as raised, translate_errors():
                    write()
                assert "ConnectionError" in str(raised.value.private)
            with pytest.raises(broker.connection_errors):
                channel.client.lpush("a", "b")
        finally:
            operator.execute_command("REPLICAOF", "NO", "ONE")
        assert client.client_id() != first
        client.set("a", "b")


def test_a_full_redis_is_a_lost_connection_to_celery_which_would_end_otherwise(places: Places) -> None:
    url = f"redis://127.0.0.1:{places.plain}"
    with connect(url) as operator, celery_app(url).connection_for_read() as broker, broker.channel() as channel:
        operator.config_set("maxmemory", "1")
        try:
            with pytest.raises(broker.connection_errors):
                channel.client.lpush("a", "b")
            with pytest.raises(broker.connection_errors), channel.client.pipeline() as pipe:
                pipe.hset("h", "a", "b").zadd("z", {"a": 1}).execute()
        finally:
            operator.config_set("maxmemory", "0")
        channel.client.lpush("a", "b")


def test_an_encoder_that_holds_tickets_outlives_the_death_of_its_redis(own_redis: RedisServer) -> None:
    """What is left of its connection was asked to give them back: that ended the worker, and the pool with it."""
    with celery_app(own_redis.url).connection_for_read() as broker:
        broker.SimpleQueue(QUEUE).put({})
        channel = broker.default_channel
        assert channel.basic_get(QUEUE) is not None
        own_redis.kill()
        broker.collect()
        channel._disconnect_pools()
        channel.qos.restore_unacked()


def test_a_ticket_under_way_is_known_to_its_worker_alone_and_given_back_from_there(own_redis: RedisServer) -> None:
    """kombu's own writes each into Redis before the task begins: every job waited for that."""
    with connect(own_redis.url) as client, celery_app(own_redis.url).connection_for_read() as broker:
        tickets = f"{KEY_PREFIX}{QUEUE}"
        broker.SimpleQueue(QUEUE).put({})
        channel = broker.default_channel
        message = channel.basic_get(QUEUE)
        assert client.llen(tickets) == 0 and client.keys("*unacked*") == []
        channel.basic_reject(message.delivery_tag, requeue=True)
        assert client.llen(tickets) == 1
        channel.basic_ack(channel.basic_get(QUEUE).delivery_tag)
        channel.qos.restore_unacked()
        assert client.llen(tickets) == 0, "one that was acknowledged is spent"
        broker.SimpleQueue(QUEUE).put({})
        channel.basic_get(QUEUE)
        channel.qos.restore_unacked()
        assert client.llen(tickets) == 1, "a worker that stops gives back what it has"


def test_an_encoder_outlives_a_right_that_it_loses_for_a_moment() -> None:
    assert celery_app("redis://127.0.0.1").conf.broker_channel_error_retry


def test_an_encoder_looks_for_its_redis_every_second() -> None:
    """kombu's pauses grow to half a minute; every job waited for that long after Redis was back."""
    pauses: list[float] = []
    app = celery_app(f"redis://127.0.0.1:{free_port()}")
    for connection in (app.connection_for_read(), app.connection_for_write()):
        with connection, pytest.raises(connection.recoverable_connection_errors):
            connection.ensure_connection(lambda _, pause: pauses.append(pause), 3, reraise_as_library_errors=False)
    assert len(pauses) == 6 and max(pauses) <= 1
