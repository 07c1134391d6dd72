"""The faults, as a table: what begins each, what ends it, which part of the cluster it touches, and what the machine must have for it.

Two faults of one part are never on at once.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import redis

from tests.fakes.waiting import until
from tests.support import s3_server
from tests.system.hosts.cluster import READY_S, S3_BEHIND, Cluster, parent_of
from tests.system.hosts.namespaces import lose_no_more, lose_what_is_sent

Act = Callable[[Cluster, random.Random], None]
FULL_BYTES = 64 << 10
SLOW_LINK = ("rate", "256kbit", "burst", "4kb", "latency", "400ms")
SMALL_MEMORY = 1 << 20
"""Less than an empty Redis needs: it is full at once."""
EVICTING_BYTES = 192 << 10
"""Above what Redis has in use: a few dozen jobs fit, and then it evicts."""
CLOCK_SHIFTS_S = (-3600.0, -10.0, 10.0, 3600.0)
TAKEN = ("evalsha eval", "publish spublish", "@blocking", "subscribe psubscribe ssubscribe", "@write", "set hset zadd", "@all")
"""Rights of a user; all but ``ACL`` itself."""
PAUSED_MS = 1_000, 6_000


@dataclass(frozen=True)
class Fault:
    name: str
    part: str
    begin: Act
    end: Act
    needs: str = ""


def nothing(_: Cluster, __: random.Random) -> None:
    pass


# Links.


def pull(*names: str) -> Act:
    return lambda cluster, _: [cluster.switch.pull_out(cluster.hosts[name]) for name in names] and None


def put_back(*names: str) -> Act:
    return lambda cluster, _: [cluster.switch.put_back(cluster.hosts[name]) for name in names] and None


def lose(sender: str, receiver: str) -> Act:
    return lambda cluster, _: lose_what_is_sent(cluster.hosts[sender], cluster.hosts[receiver])


def lose_not(sender: str, receiver: str) -> Act:
    return lambda cluster, _: lose_no_more(cluster.hosts[sender], cluster.hosts[receiver])


def slow_down(name: str) -> Act:
    return lambda cluster, _: cluster.hosts[name].run("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", *SLOW_LINK) and None


def speed_up(name: str) -> Act:
    return lambda cluster, _: cluster.hosts[name].run("tc", "qdisc", "del", "dev", "eth0", "root", check=False) and None


def reset(name: str) -> Act:
    """RST to both ends of every connection."""
    return lambda cluster, _: cluster.hosts[name].run("ss", "-K", "state", "established", check=False) and None


# Processes.


def kill_one(role: str) -> Act:
    """One of the processes that its master has started."""

    def act(cluster: Cluster, chance: random.Random) -> None:
        if found := cluster.role(role).workers():
            _kill(chance.choice(found))

    return act


def kill_master(role: str) -> Act:
    return lambda cluster, _: [_kill(each) for each in cluster.role(role).masters()] and None


def kill_zygotes(name: str) -> Act:
    return lambda cluster, _: cluster.hosts[name].send(signal.SIGKILL, "zygote") and None


def kill_codec_children(name: str) -> Act:
    """Those at work: what a zygote has forked."""

    def act(cluster: Cluster, _: random.Random) -> None:
        codecs = cluster.hosts[name].processes("zygote")  # a family, its zygotes, their children
        for each in codecs:
            if parent_of(each) in codecs and parent_of(parent_of(each)) in codecs:
                _kill(each)

    return act


def send_stop(role: str) -> Act:
    return lambda cluster, _: [os.kill(each, signal.SIGTERM) for each in cluster.role(role).masters()] and None


def wait_for(role: str) -> Act:
    """It is started again by itself."""
    return lambda cluster, _: until(lambda: bool(cluster.role(role).workers()), READY_S) and None


def reload(role: str) -> Act:
    return lambda cluster, _: [os.kill(each, signal.SIGHUP) for each in cluster.role(role).masters()] and None


def pause(role: str) -> Act:
    return lambda cluster, _: cluster.role(role).send(signal.SIGSTOP) and None


def resume(role: str) -> Act:
    return lambda cluster, _: cluster.role(role).send(signal.SIGCONT) and None


def kill_host(name: str) -> Act:
    """All processes at once; the kernel of the host still ends their connections."""
    return lambda cluster, _: cluster.hosts[name].send(signal.SIGKILL) and None


def pause_host(name: str) -> Act:
    return lambda cluster, _: cluster.hosts[name].send(signal.SIGSTOP) and None


def resume_host(name: str) -> Act:
    return lambda cluster, _: cluster.hosts[name].send(signal.SIGCONT) and None


def wait_for_roles(name: str) -> Act:
    return lambda cluster, chance: [wait_for(each.name)(cluster, chance) for each in cluster.roles_of(cluster.hosts[name])] and None


def cut_power(name: str) -> Act:
    """Without a word to anybody; what was on its disk is lost too."""

    def act(cluster: Cluster, _: random.Random) -> None:
        for each in cluster.roles_of(cluster.hosts[name]):
            each.give_up()
        cluster.switch.cut_off(cluster.hosts[name])
        cluster.hosts[name].stop()

    return act


def power_on(name: str) -> Act:
    def act(cluster: Cluster, _: random.Random) -> None:
        host = cluster.hosts[name]
        host.start()
        cluster.switch.plug_in(host)
        for each in cluster.roles_of(host):
            each.start()

    return act


# Redis.


def tell_redis(*words: str) -> Act:
    def act(cluster: Cluster, _: random.Random) -> None:
        with cluster.redis() as client:
            client.execute_command(*words)

    return act


def start_empty(cluster: Cluster, _: random.Random) -> None:
    cluster.role("redis").start()
    until(lambda: _answers(cluster), READY_S)


def fill_redis(cluster: Cluster, _: random.Random) -> None:
    with cluster.redis() as client:
        client.config_set("maxmemory", SMALL_MEMORY)


def evict(cluster: Cluster, _: random.Random) -> None:
    with cluster.redis() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + EVICTING_BYTES)


def have_room(cluster: Cluster, _: random.Random) -> None:
    with cluster.redis() as client:
        client.config_set("maxmemory", "1gb")
        client.config_set("maxmemory-policy", "noeviction")


def take_commands(cluster: Cluster, chance: random.Random) -> None:
    """Of a user whose rights somebody has changed; the connections that are open keep them no longer."""
    with cluster.redis() as client:
        client.execute_command("ACL", "SETUSER", "default", *(f"-{each}" for each in chance.choice(TAKEN).split()), "+acl", "+auth")


def give_commands(cluster: Cluster, _: random.Random) -> None:
    with cluster.redis() as client:
        client.execute_command("ACL", "SETUSER", "default", "+@all")


def delete_tickets(cluster: Cluster, _: random.Random) -> None:
    with cluster.redis() as client:
        for key in client.keys("*"):
            if key.rpartition(":")[2] in ("encode", "express") or "unacked" in key:
                client.delete(key)


def delete_keys(cluster: Cluster, chance: random.Random) -> None:
    """Up to three of ours, whatever they are."""
    with cluster.redis() as client:
        keys = sorted(client.keys("*"))
        for key in chance.sample(keys, min(3, len(keys))):
            client.delete(key)


def pause_redis(cluster: Cluster, chance: random.Random) -> None:
    """It ends by itself: not even AUTH is answered meanwhile, so nobody new could end it."""
    with cluster.redis() as client:
        client.execute_command("CLIENT", "PAUSE", chance.randint(*PAUSED_MS), "ALL")


def wait_for_redis(cluster: Cluster, _: random.Random) -> None:
    until(lambda: _answers(cluster), READY_S)


def close_connections(cluster: Cluster, _: random.Random) -> None:
    with cluster.redis() as client:
        for kind in ("pubsub", "normal"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")


# The store, disks and clocks.


def s3(mode: str) -> Act:
    return lambda cluster, _: cluster.say_to_s3(mode)


def stop_s3(cluster: Cluster, _: random.Random) -> None:
    cluster.role("s3-proxy").kill()


def start_s3(cluster: Cluster, _: random.Random) -> None:
    cluster.role("s3-proxy").start()


def kill_s3_server(cluster: Cluster, _: random.Random) -> None:
    host = cluster.hosts["a"]
    for words in (("s3_host",), ("weed",)):
        until(lambda words=words: host.send(signal.SIGKILL, *words) == 0, 10)


def start_s3_server(cluster: Cluster, _: random.Random) -> None:
    cluster.role("s3").start()
    with cluster.hosts["a"].network():
        until(lambda: s3_server.answers(S3_BEHIND), READY_S)
        until(cluster.can_store, READY_S)


def fill_disk(name: str, left_bytes: int) -> Act:
    return lambda cluster, _: cluster.write_filler(cluster.hosts[name], left_bytes)


def free_disk(name: str) -> Act:
    return lambda cluster, _: cluster.remove_filler(cluster.hosts[name])


def move_clock(name: str) -> Act:
    return lambda cluster, chance: cluster.set_clock(cluster.hosts[name], chance.choice(CLOCK_SHIFTS_S))


def set_clock_right(name: str) -> Act:
    return lambda cluster, _: cluster.set_clock(cluster.hosts[name], 0.0)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _answers(cluster: Cluster) -> bool:
    try:
        with cluster.redis() as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


FAULTS: tuple[Fault, ...] = (
    Fault("link of an encoder host down", "b", pull("b"), put_back("b")),
    Fault("link of the other encoder host down", "c", pull("c"), put_back("c")),
    Fault("links of both encoder hosts down", "b c", pull("b", "c"), put_back("b", "c")),
    Fault("link of the gateway's host down", "a", pull("a"), put_back("a")),
    Fault("all that an encoder host sends is lost", "b", lose("b", "a"), lose_not("b", "a")),
    Fault("all that is sent to an encoder host is lost", "c", lose("a", "c"), lose_not("a", "c")),
    Fault("link of an encoder host slow", "b", slow_down("b"), speed_up("b"), needs="tbf"),
    Fault("link of the gateway's host slow", "a", slow_down("a"), speed_up("a"), needs="tbf"),
    Fault("all connections of the gateway's host reset", "a", reset("a"), nothing, needs="reset"),
    Fault("all connections of an encoder host reset", "c", reset("c"), nothing, needs="reset"),
    Fault("pool process killed", "b", kill_one("encoder-b"), nothing),
    Fault("codec children killed", "c", kill_codec_children("c"), nothing),
    Fault("zygotes killed", "b", kill_zygotes("b"), nothing),
    Fault("Celery master killed", "b", kill_master("encoder-b"), wait_for("encoder-b")),
    Fault("encoder stopped in order", "c", send_stop("encoder-c"), wait_for("encoder-c")),
    Fault("all processes of an encoder host killed", "c", kill_host("c"), wait_for_roles("c")),
    Fault("power of an encoder host cut", "b", cut_power("b"), power_on("b")),
    Fault("encoder host paused", "c", pause_host("c"), resume_host("c")),
    Fault("gateway worker killed", "gateway", kill_one("gateway-a"), nothing),
    Fault("Gunicorn master killed", "gateway", kill_master("gateway-a"), wait_for("gateway-a")),
    Fault("gateway paused", "gateway", pause("gateway-a"), resume("gateway-a")),
    Fault("gateway reloaded", "gateway", reload("gateway-a"), nothing),
    Fault("power of the second gateway's host cut", "d", cut_power("d"), power_on("d"), needs="second gateway"),
    Fault("second gateway's host paused", "d", pause_host("d"), resume_host("d"), needs="second gateway"),
    Fault("link of the second gateway's host down", "d", pull("d"), put_back("d"), needs="second gateway"),
    Fault("all that the second gateway's host sends is lost", "d", lose("d", "a"), lose_not("d", "a"), needs="second gateway"),
    Fault("Redis killed, back empty", "redis", lambda cluster, _: cluster.role("redis").kill(), start_empty),
    Fault("Redis stopped", "redis", pause("redis"), resume("redis")),
    Fault("Redis paused for clients", "redis", pause_redis, wait_for_redis),
    Fault("Redis emptied", "redis", tell_redis("FLUSHALL"), nothing),
    Fault("Redis full", "redis", fill_redis, have_room),
    Fault("Redis evicts", "redis", evict, have_room),
    Fault("Redis lacks a right", "redis", take_commands, give_commands),
    Fault("Redis became a replica", "redis", tell_redis("REPLICAOF", "10.0.0.99", "6379"), tell_redis("REPLICAOF", "NO", "ONE")),
    Fault("Redis closed its connections", "redis", close_connections, nothing),
    Fault("tickets deleted", "redis", delete_tickets, nothing),
    Fault("keys deleted", "redis", delete_keys, nothing),
    Fault("bucket denies writes", "s3", s3("writes-denied"), s3("pass")),
    Fault("bucket too busy for writes", "s3", s3("writes-busy"), s3("pass")),
    Fault("bucket denies reads", "s3", s3("reads-denied"), s3("pass")),
    Fault("bucket cannot read", "s3", s3("reads-broken"), s3("pass")),
    Fault("bucket answers 500", "s3", s3("500"), s3("pass")),
    Fault("bucket answers 503", "s3", s3("503"), s3("pass")),
    Fault("bucket says SlowDown", "s3", s3("slow-down"), s3("pass")),
    Fault("bucket hangs", "s3", s3("hang"), s3("pass")),
    Fault("bucket cuts answers", "s3", s3("cut-answers"), s3("pass")),
    Fault("bucket closes connections", "s3", s3("close"), s3("pass")),
    Fault("bucket writes and does not say so", "s3", s3("no-answer-to-writes"), s3("pass")),
    Fault("bucket slow", "s3", s3("slow"), s3("pass")),
    Fault("bucket away", "s3", stop_s3, start_s3),
    Fault("S3 server killed", "s3", kill_s3_server, start_s3_server, needs="seaweedfs"),
    Fault("disk of an encoder host full", "b", fill_disk("b", FULL_BYTES), free_disk("b")),
    Fault("disk of the gateway's host full", "a disk", fill_disk("a", FULL_BYTES), free_disk("a")),
    Fault("clock of an encoder host moved", "c", move_clock("c"), set_clock_right("c"), needs="clock"),
    Fault("clock of the gateway's host moved", "gateway", move_clock("a"), set_clock_right("a"), needs="clock"),
)


def possible(cluster: Cluster) -> tuple[Fault, ...]:
    """Those for which this machine and this cluster have what is needed."""
    return tuple(each for each in FAULTS if not each.needs or NEEDS[each.needs](cluster))


def can_shape(cluster: Cluster) -> bool:
    host = cluster.clients
    host.run("tc", "qdisc", "add", "dev", "lo", "root", "tbf", *SLOW_LINK, check=False)
    has_one = "tbf" in host.run("tc", "qdisc", "show", "dev", "lo", check=False)
    host.run("tc", "qdisc", "del", "dev", "lo", "root", check=False)
    return has_one


def can_reset(cluster: Cluster) -> bool:
    """The kernel was built with INET_DIAG_DESTROY: a connection of our own is gone after it."""
    script = (
        "import socket, subprocess; s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname()); "
        "subprocess.run(['ss', '-K', 'state', 'established'], capture_output=True); "
        "print('reset' if 'ESTAB' not in subprocess.run(['ss', '-tn'], capture_output=True, text=True).stdout else 'kept')"
    )
    return "reset" in cluster.clients.run("python3", "-c", script, check=False)


NEEDS: dict[str, Callable[[Cluster], bool]] = {
    "tbf": can_shape,
    "reset": can_reset,
    "second gateway": lambda cluster: "d" in cluster.hosts,
    "clock": lambda cluster: cluster.clock is not None,
    "seaweedfs": lambda cluster: cluster.s3 == "seaweedfs",
}


def begin_and_end(cluster: Cluster, faults: list[Fault], chance: random.Random, seconds: float) -> float:
    """Have them for so long, one begun after the other; the moment at which the last has passed."""
    begun: list[Fault] = []
    try:
        for each in faults:
            each.begin(cluster, chance)
            begun.append(each)
            time.sleep(seconds / len(faults))
    finally:
        for each in begun:
            each.end(cluster, chance)
    return time.monotonic()
