"""Every command that gateways and encoders give Redis, and how to ask a server whether they may.

Each is tried by one script on a key of its own, which holds a string: so what works answers that the type is wrong, and changes nothing. Only
two answers count: that the user may not, and that there is no such command (a service may have renamed or forbidden it).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import cast

import redis
from redis.exceptions import NoPermissionError, ResponseError

BY_ARGUMENTS: Mapping[int, str] = {
    0: "TIME",
    1: "DEL EXISTS GET HGETALL HLEN HVALS INCR LLEN PTTL SMEMBERS SPOP TTL ZCARD ZPOPMIN",
    2: "EXPIRE EXPIREAT HDEL HEXISTS HGET HMGET INCRBY LPUSH PUBLISH RPUSH SADD SET SETNX ZRANK ZREM ZSCORE",
    3: "HINCRBY HINCRBYFLOAT HSET HSETNX LRANGE LTRIM ZADD ZRANGE ZRANGEBYSCORE ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE",
}
"""The commands of the scripts, most of which are given outside too, by how many arguments they may have."""
IN_SCRIPTS = {name: count for count, names in BY_ARGUMENTS.items() for name in names.split()}
OURS = ("BRPOP", "DISCARD", "EVALSHA", "EXEC", "INFO", "MULTI", "PING", "SCAN", "SCRIPT|EXISTS", "SCRIPT|LOAD", "SUBSCRIBE", "UNSUBSCRIBE")
CELERYS = ("EVAL", "LREM", "PEXPIRE", "PSUBSCRIBE", "PUNSUBSCRIBE", "RPOP", "SELECT", "SREM", "UNWATCH", "WATCH")
"""Of kombu's Redis transport."""
OPTIONAL = ("HELLO", "CLIENT|SETNAME", "CONFIG|GET")
"""Without these a connection works all the same, and ``timeout`` is not looked at."""
DENIED = re.compile(r"NOPERM|can't run this command|has no permissions|can't access|nknown (Redis )?command|unknown command", re.IGNORECASE)
PROBE = """
local denied = {}
for name, count in pairs(cjson.decode(ARGV[1])) do
  redis.pcall('SET', KEYS[1], '', 'EX', '10')
  local words = {}
  for i = 1, count do words[i] = i == 1 and KEYS[1] or '1' end
  local answer = redis.pcall(name, unpack(words))
  if type(answer) == 'table' and answer.err then denied[#denied + 1] = name .. ' ' .. answer.err end
end
redis.pcall('DEL', KEYS[1])
return denied
"""


def acl_line(user: str, prefix: str, database: int = 0) -> str:
    """What gives a user exactly these rights. A pattern that is subscribed to must stand in the list itself (redis.io/docs: ACL)."""
    commands = sorted({*IN_SCRIPTS, *OURS, *CELERYS, *OPTIONAL})
    channels = (f"{prefix}*", f"{prefix}/{database}.celery.pidbox", f"{prefix}/{database}.celeryev/*")
    patterns = " ".join([f"'~{prefix}*'", *(f"'&{each}'" for each in channels)])
    allowed = " ".join(f"'+{each.lower()}'" if "|" in each else f"+{each.lower()}" for each in commands)
    return f"ACL SETUSER {user} on '>PASSWORD' resetkeys resetchannels {patterns} -@all {allowed}"


def missing(client: redis.Redis, prefix: str) -> list[str]:
    """The commands that this user may not give, or this server does not have. Raises ``RedisError`` and ``OSError``."""
    denied = [words[0] for words, answer in _answers(client, attempts(prefix)) if DENIED.search(answer)]
    if "EVAL" in denied:
        return denied
    try:
        found = cast(list[str], client.eval(PROBE, 1, f"{prefix}rights", json.dumps(IN_SCRIPTS)))
    except NoPermissionError:
        return [*denied, f"keys {prefix}*"]
    return sorted({*denied, *(name for name, _, answer in (each.partition(" ") for each in found) if DENIED.search(answer))})


def attempts(prefix: str) -> list[tuple[str, ...]]:
    """Commands that change nothing and name our keys alone, the subscriptions last."""
    key = f"{prefix}rights"
    plain = ("UNWATCH", "MULTI", "DISCARD", "EXEC", "PING")
    with_key = [("WATCH", key), ("RPOP", key), ("SREM", key, "1"), ("PEXPIRE", key, "1"), ("LREM", key, "1", "1"), ("BRPOP", key, "0.001")]
    scan = ("SCAN", "0", "MATCH", key, "COUNT", "1")
    scripts = [("EVALSHA", "0" * 40, "1", key), ("SCRIPT", "LOAD", "return 1"), ("SCRIPT", "EXISTS", "0" * 40), ("EVAL", "return 1", "1", key)]
    return [*with_key, *((each,) for each in plain), scan, *scripts, ("SUBSCRIBE", key), ("PSUBSCRIBE", f"{prefix}/0.celery.pidbox")]


def _answers(client: redis.Redis, commands: list[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each with the server's error, or with nothing. On a connection that is closed at the end: it has subscribed to something."""
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        for words in commands:
            connection.send_command(*words)  # type: ignore[no-untyped-call]
            try:
                connection.read_response(push_request=True)
                yield words, ""
            except ResponseError as error:
                yield words, "NOPERM" if isinstance(error, NoPermissionError) else str(error)
    finally:
        connection.disconnect()  # type: ignore[no-untyped-call]
        pool.release(connection)
