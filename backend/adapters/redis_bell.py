"""The bell between gateways and encoders that rest: whoever has just done a job waits here a while for the next, and hears of it at once.

An encoder that rests stands in ``resting``; ``ring`` takes it out and puts a stroke into its own list, on which it waits. What nobody who rests can
take is left to Celery's messages. A stroke that dies with its hearer costs what a lost message costs: a second, until the caretaker looks.

Keys, beside those of ``redis_scripts``::

    resting       zset    names of encoders that rest; score = until when, ms
    stroke:<name> list    one entry for each ring that this encoder has not answered
"""

from __future__ import annotations

from typing import Any

import redis

from backend.adapters.redis_client import KEY_PREFIX, translated

MARGIN_S = 1.0
"""So long after its time an encoder that says no more is still rung, and no longer."""
STROKE_LIVES_S = 10
MOST_MESSAGES = 512
"""Of those that wait. Whoever is free or newly started finds one, and does job after job: more of them than there can be encoders on a machine
would tell nobody anything."""

_NOW = "local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"

# KEYS: resting, messages · ARGV: count, prefix of the strokes, seconds that a stroke lives, most messages → how many messages are wanted beside
RING = (
    _NOW
    + """
local wanted = tonumber(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)
for _, name in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '-inf', 'LIMIT', 0, wanted)) do
  redis.call('ZREM', KEYS[1], name)
  redis.call('RPUSH', ARGV[2] .. name, 1)
  redis.call('EXPIRE', ARGV[2] .. name, ARGV[3])
  wanted = wanted - 1
end
return math.max(0, math.min(wanted, ARGV[4] - redis.call('LLEN', KEYS[2])))
"""
)

# KEYS: resting · ARGV: name, ms
REST = _NOW + "return redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])"

# KEYS: resting, the stroke's list · ARGV: name → strokes that nobody has answered
RISE = """
redis.call('ZREM', KEYS[1], ARGV[1])
local strokes = redis.call('LLEN', KEYS[2])
redis.call('DEL', KEYS[2])
return strokes
"""


class RedisBell:
    """``rest``, then ``wait`` as often as wanted (each of them after a ``rest``), then ``rise``. All raise ``BackendUnavailable``."""

    def __init__(self, client: redis.Redis, *, messages: str, most_messages: int = MOST_MESSAGES, prefix: str = KEY_PREFIX) -> None:
        self._client, self._prefix, self._most_messages = client, prefix, most_messages
        self._places = [f"{prefix}{name}" for name in ("resting", messages)]
        self._ring, self._rest, self._rise = (client.register_script(text) for text in (RING, REST, RISE))

    def ring(self, count: int) -> int:
        """As many encoders as rest, up to ``count``; how many messages are to be sent for those that are left."""
        with translated():
            return int(self._run(self._ring, self._places, count, f"{self._prefix}stroke:", STROKE_LIVES_S, self._most_messages))

    def rest(self, name: str, seconds: float) -> None:
        with translated():
            self._run(self._rest, self._places[:1], name, int(1000 * (seconds + MARGIN_S)))

    def wait(self, name: str, seconds: float) -> bool:
        """Whether it was rung."""
        with translated():
            return self._client.blpop([self._stroke(name)], timeout=seconds) is not None

    def rise(self, name: str) -> int:
        """Back to work: how many strokes are still to be answered, by others."""
        with translated():
            return int(self._run(self._rise, [self._places[0], self._stroke(name)], name))

    def _stroke(self, name: str) -> str:
        return f"{self._prefix}stroke:{name}"

    @staticmethod
    def _run(script: Any, keys: list[str], *arguments: Any) -> Any:
        return script(keys=keys, args=arguments)
