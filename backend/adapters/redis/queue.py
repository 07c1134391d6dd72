"""The fair queue in Redis."""

from __future__ import annotations

from typing import Any

from redis.exceptions import NoScriptError, RedisError

from backend import errors
from backend.adapters.redis.client import QUEUE, translated
from backend.adapters.redis.job_arguments import job_arguments, milliseconds
from backend.adapters.redis.scripts import Scripts
from backend.adapters.redis_bell import strokes
from backend.core import tally
from backend.core.job import Job, Manifest, Status
from backend.core.records import as_json
from backend.ports.queue import Claim, Submission

QUEUE_IS_FULL, HAS_DUPLICATES = -1, -2
"""What the scripts answer instead of a status."""


class RedisJobQueue:
    """``messages``: the list of the messages that bring encoders to work."""

    def __init__(self, scripts: Scripts, *, messages: str = QUEUE) -> None:
        self._scripts, self._messages = scripts, messages

    def enqueue(self, job: Job, *, limit: int | None) -> Job:
        return job.at(Status.from_json(self._enqueue(job, limit)))

    def submit(self, job: Job, *, limit: int | None) -> Submission | None:
        answer = self._enqueue(job, limit, self._messages)
        return None if answer == HAS_DUPLICATES else Submission(job.at(Status.from_json(answer[0])), bool(answer[1]))

    def _enqueue(self, job: Job, limit: int | None, *messages: str) -> Any:
        answer = self._scripts.run("enqueue", *job_arguments(job), "" if limit is None else limit, as_json(tally.of_created(job)), *messages)
        if answer == QUEUE_IS_FULL:
            raise errors.QueueFull(limit=limit, retry_after_s=1)
        return answer

    def take(self, token: str, lease_s: float) -> Claim | None:
        return _claim(self._scripts.run("take", token, milliseconds(lease_s)), token)

    def take_at_bell(self, token: str, lease_s: float, name: str, seconds: float) -> tuple[bool, Claim | None]:
        """In one round trip: the server looks at the second command when it has answered the first, which is as the stroke comes."""
        with translated(), self._scripts.client.pipeline(transaction=False) as pipe:
            pipe.blpop([strokes(self._scripts.prefix, name)], timeout=seconds)
            pipe.evalsha(self._scripts.sha("take"), 1, self._scripts.prefix, token, milliseconds(lease_s))
            stroke, found = pipe.execute(raise_on_error=False)
            if isinstance(found, NoScriptError):  # a server that was started again
                found = self._scripts.run("take", token, milliseconds(lease_s))
            for answer in (stroke, found):
                if isinstance(answer, RedisError):
                    raise answer
        return stroke is not None, _claim(found, token)

    def requeue(self, job_id: str) -> int:
        return int(self._scripts.run("requeue", job_id))

    def depth(self) -> int:
        with translated():
            return self._scripts.client.zcard(self._scripts.key("queue"))

    def publish_positions(self) -> int:
        return int(self._scripts.run("publish_positions"))


def _claim(found: Any, token: str) -> Claim | None:
    return Claim(Job(Manifest.from_json(found[0]), Status.from_json(found[1])), token, tuple(found[2])) if found else None
