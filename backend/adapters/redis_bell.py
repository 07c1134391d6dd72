"""The bell between gateways and encoders that rest: whoever has just done a job waits here a while for the next, and hears of it at once.

An encoder that rests stands in ``resting``; ``ring`` takes it out and puts a stroke into its own list, on which it waits. What nobody who rests can
take is left to Celery's messages. A stroke that dies with its hearer costs what a lost message costs: a second, until the caretaker looks.

Keys, beside those of ``redis/scripts``::

    resting       zset    names of encoders that rest; score = until when, ms
    stroke:<name> list    one entry for each ring that this encoder has not answered
"""

from __future__ import annotations

from typing import Any

import redis

from backend.adapters.redis.client import KEY_PREFIX, translated

MARGIN_S = 1.0
"""So long after its time an encoder that says no more is still rung, and no longer."""
STROKE_LIVES_S = 10
MESSAGES_AN_ENCODER, MESSAGES_BESIDE = 2, 8
"""So many messages wait at most for each encoder that is known, and so many more for those that are not yet. Whoever is free or newly started
finds one, and does job after job: more of them would tell nobody anything, and cost as much as a small image's encode."""

# ring(prefix, messages' name, how many) → how many messages are wanted beside
RINGING = f"""
local function ring(prefix, messages, wanted)
  local t = redis.call('TIME')
  redis.call('ZREMRANGEBYSCORE', prefix .. 'resting', '-inf', '(' .. t[1] * 1000 + math.floor(t[2] / 1000))
  for _, name in ipairs(redis.call('ZREVRANGEBYSCORE', prefix .. 'resting', '+inf', '-inf', 'LIMIT', 0, wanted)) do
    redis.call('ZREM', prefix .. 'resting', name)
    redis.call('RPUSH', prefix .. 'stroke:' .. name, 1)
    redis.call('EXPIRE', prefix .. 'stroke:' .. name, {STROKE_LIVES_S})
    wanted = wanted - 1
  end
  local most = {MESSAGES_AN_ENCODER} * redis.call('HLEN', prefix .. 'encoders') + {MESSAGES_BESIDE}
  return math.max(0, math.min(wanted, most - redis.call('LLEN', prefix .. messages)))
end
"""

# KEYS: prefix · ARGV: messages' name, count → how many messages are wanted beside
RING = RINGING + "return ring(KEYS[1], ARGV[1], tonumber(ARGV[2]))"

# One that was rung and does not know it yet is rung no second time: so whoever heard its stroke need not rise.
# KEYS: resting, the stroke's list · ARGV: name, ms
REST = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local t = redis.call('TIME')
return redis.call('ZADD', KEYS[1], t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[2], ARGV[1])
"""

# KEYS: resting, the stroke's list · ARGV: name → strokes that nobody has answered
RISE = """
redis.call('ZREM', KEYS[1], ARGV[1])
local strokes = redis.call('LLEN', KEYS[2])
redis.call('DEL', KEYS[2])
return strokes
"""


def strokes(prefix: str, name: str) -> str:
    """The list on which ``name`` waits."""
    return f"{prefix}stroke:{name}"


class RedisBell:
    """``rest``, then wait (``RedisJobQueue.take_at_bell``) as often as wanted, each time after a ``rest``; whoever was not rung then has to ``rise``.

    ``messages`` names the list of Celery's messages. All raise ``BackendUnavailable``.
    """

    def __init__(self, client: redis.Redis, *, messages: str, prefix: str = KEY_PREFIX) -> None:
        self._client, self._prefix, self._messages = client, prefix, messages
        self._ring, self._rest, self._rise = (client.register_script(text) for text in (RING, REST, RISE))

    def ring(self, count: int) -> int:
        """As many encoders as rest, up to ``count``; how many messages are to be sent for those that are left."""
        return self._run(self._ring, [self._prefix], self._messages, count)

    def rest(self, name: str, seconds: float) -> None:
        self._run(self._rest, self._places(name), name, int(1000 * (seconds + MARGIN_S)))

    def rise(self, name: str) -> int:
        """Back to work: how many strokes are still to be answered, by others."""
        return self._run(self._rise, self._places(name), name)

    def _places(self, name: str) -> list[str]:
        return [f"{self._prefix}resting", strokes(self._prefix, name)]

    @staticmethod
    def _run(script: Any, keys: list[str], *arguments: Any) -> int:
        with translated():
            return int(script(keys=keys, args=arguments))
