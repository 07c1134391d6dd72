"""The bell between gateways and encoders that rest: whoever has just done a job waits here a while for the next, and hears of it at once.

An encoder that rests stands in ``resting``; ``ring`` takes it out and puts a stroke into its own list, on which it waits. What nobody who rests can
take is left to Celery's messages. A stroke that dies with its hearer costs what a lost message costs: a second, until the caretaker looks.

Keys, beside those of ``redis/scripts``::

    resting       zset    names of encoders that rest; score = until when, ms
    stroke:<name> list    one entry for each ring that this encoder has not answered
"""

from __future__ import annotations

from backend.adapters.redis.scripts import Scripts

MARGIN_S = 1.0
"""So long after its time an encoder that says no more is still rung, and no longer."""
MESSAGES_AN_ENCODER, MESSAGES_BESIDE = 2, 8
"""As in ``prelude.lua``: so many messages wait at most for each encoder that is known, and so many more for those that are not yet. Whoever is free
or newly started finds one, and does job after job: more of them would tell nobody anything, and cost as much as a small image's encode."""


def strokes(prefix: str, name: str) -> str:
    """The list on which ``name`` waits."""
    return f"{prefix}stroke:{name}"


class RedisBell:
    """``rest``, then wait (``RedisJobQueue.take_at_bell``) as often as wanted, each time after a ``rest``; whoever was not rung then has to ``rise``.

    ``messages`` names the list of Celery's messages. All raise ``BackendUnavailable``.
    """

    def __init__(self, scripts: Scripts, *, messages: str) -> None:
        self._scripts, self._messages = scripts, messages

    def ring(self, count: int) -> int:
        """As many encoders as rest, up to ``count``; how many messages are to be sent for those that are left."""
        return int(self._scripts.run("ring", self._messages, count))

    def rest(self, name: str, seconds: float) -> None:
        self._scripts.run("rest", name, int(1000 * (seconds + MARGIN_S)))

    def rise(self, name: str) -> int:
        """Back to work: how many strokes are still to be answered, by others."""
        return int(self._scripts.run("rise", name))
