"""Live job state in Redis: see ``scripts`` for the keys and the steps."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import redis
from redis.exceptions import NoScriptError, RedisError

from backend import errors
from backend.adapters.redis import scripts
from backend.adapters.redis.client import KEY_PREFIX, QUEUE, translated
from backend.adapters.redis_bell import strokes
from backend.core import tally
from backend.core.job import Job, Manifest, Status
from backend.core.overview import Overview
from backend.core.records import as_dict, as_json
from backend.ports.jobs import Claim, ListEntry, ReportAck, Submission

SCRIPTS = (
    *("promise", "fetching", "fetch_again", "supply", "enqueue", "restore", "take", "report"),
    *("adopt", "end", "requeue", "forget", "count", "move", "tally", "overview", "listed", "hold"),
)
QUEUE_IS_FULL, HAS_EQUALS, LEFT = -1, -2, -2


class RedisJobs:
    """``messages``: the list of the messages that bring encoders to work."""

    def __init__(self, client: redis.Redis, *, messages: str = QUEUE, prefix: str = KEY_PREFIX) -> None:
        self._client, self._messages, self._prefix = client, messages, prefix
        self._scripts = {name: client.register_script(getattr(scripts, name.upper())) for name in SCRIPTS}

    def enqueue(self, job: Job, *, limit: int | None) -> Job:
        return job.at(Status.from_json(self._enqueue(job, limit)))

    def submit(self, job: Job, *, limit: int | None) -> Submission | None:
        said = self._enqueue(job, limit, self._messages)
        return None if said == HAS_EQUALS else Submission(job.at(Status.from_json(said[0])), bool(said[1]))

    def _enqueue(self, job: Job, limit: int | None, *messages: str) -> Any:
        said = self._run("enqueue", *_whole(job), "" if limit is None else limit, as_json(tally.of_created(job)), *messages)
        if said == QUEUE_IS_FULL:
            raise errors.QueueFull(limit=limit, retry_after_s=1)
        return said

    def promise(self, job: Job, token: str, lease_s: float, *, limit: int | None) -> Job:
        counted = as_json(tally.of_created(job))
        text = self._run("promise", *_whole(job), "" if limit is None else limit, counted, token, _ms(lease_s))
        if text == QUEUE_IS_FULL:
            raise errors.QueueFull(limit=limit, retry_after_s=1)
        return job.at(Status.from_json(text))

    def fetching(self, job_id: str, token: str, percent: int, lease_s: float) -> bool | None:
        said = int(self._run("fetching", job_id, token, _ms(lease_s), percent))
        return None if said < 0 else bool(said)

    def unfetched(self) -> list[str]:
        return self._overdue("fetching")

    def fetch_again(self, job_id: str, token: str, lease_s: float) -> bool:
        return bool(self._run("fetch_again", job_id, token, _ms(lease_s)))

    def supply(self, job: Job) -> Job:
        created, supplied = ({**tally.of_created(job), tally.UPLOAD_BYTES: 0}, {tally.UPLOAD_BYTES: job.manifest.source.bytes})
        return job.at(Status.from_json(self._run("supply", *_whole(job), as_json(created), as_json(supplied))))

    def move(self) -> int:
        return int(self._run("move"))

    def restore(self, job: Job) -> None:
        self._run("restore", *_whole(job))

    def take(self, token: str, lease_s: float) -> Claim | None:
        return _taken(self._run("take", token, _ms(lease_s)), token)

    def take_at_bell(self, token: str, lease_s: float, name: str, seconds: float) -> tuple[bool, Claim | None]:
        """In one round trip: the server looks at the second command when it has answered the first, which is as the stroke comes."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.blpop([strokes(self._prefix, name)], timeout=seconds)
            pipe.evalsha(self._scripts["take"].sha, 1, self._prefix, token, _ms(lease_s))
            stroke, found = pipe.execute(raise_on_error=False)
            if isinstance(found, NoScriptError):  # a server that was started again
                found = self._run("take", token, _ms(lease_s))
            for said in (stroke, found):
                if isinstance(said, RedisError):
                    raise said
        return stroke is not None, _taken(found, token)

    def twins(self, job_id: str) -> list[Job]:
        with translated():
            ids = cast(set[str], self._client.smembers(self._key(f"twins:{job_id}")))
        found = (self.find(each) for each in sorted(ids))
        return [job for job in found if job is not None and job.status.state == "running"]

    def same(self, work: str) -> list[str]:
        with translated():
            return cast(list[str], self._client.zrevrange(self._key(f"same:{work}"), 0, 7)) if work else []

    def report(self, job_id: str, token: str, patch: dict[str, object], lease_s: float) -> ReportAck | None:
        seq, listeners = self._run("report", job_id, token, _ms(lease_s), as_json(patch) if patch else "")
        return None if seq < 0 else ReportAck(seq, listeners)

    def adopt(self, claim: Claim, lease_s: float) -> bool:
        return bool(self._run("adopt", *_whole(claim.job), claim.token, _ms(lease_s), as_json(tally.of_created(claim.job))))

    def end(self, job: Job) -> Job:
        return job.at(Status.from_json(self._end(job)))

    def end_alone(self, job: Job) -> Job | None:
        said = self._end(job, "known" if job.manifest.is_passing else "alone")
        return None if said == LEFT else job.at(Status.from_json(said))

    def _end(self, job: Job, *only_if: str) -> Any:
        patch = {name: value for name, value in as_dict(job.status).items() if name not in ("seq", "attempt", "started_at")}
        counted = map(as_json, (tally.of_end(job), tally.of_created(job), tally.of_pace(job)))
        return self._run("end", *_whole(job), as_json(patch), _duration_ms(job.status), *counted, *only_if)

    def lost(self) -> list[str]:
        return self._overdue("running")

    def _overdue(self, name: str) -> list[str]:
        with translated():
            seconds, micros = self._client.time()
            return cast(list[str], self._client.zrangebyscore(self._key(name), "-inf", seconds * 1000 + micros // 1000))

    def requeue(self, job_id: str) -> int:
        return int(self._run("requeue", job_id))

    def find(self, job_id: str) -> Job | None:
        with translated():
            manifest, status = self._client.hmget(self._key(f"job:{job_id}"), "manifest", "status")
        if not manifest or not status:
            return None
        return Job(Manifest.from_json(manifest), Status.from_json(status))

    def since(self, job_id: str, seq: int) -> list[Status] | None:
        with translated():
            entries = cast(list[str], self._client.lrange(self._key(f"log:{job_id}"), 0, -1))
        statuses = [Status.from_json(each) for each in entries]
        if not statuses or statuses[0].seq > seq + 1:
            return None
        return [each for each in statuses if each.seq > seq]

    def forget(self, job_id: str) -> None:
        self._run("forget", job_id)

    def queued(self) -> int:
        with translated():
            return self._client.zcard(self._key("queue"))

    def running(self) -> int:
        with translated():
            return self._client.zcard(self._key("running"))

    def epoch(self) -> str | None:
        """A server that was restarted, or a replica that took over, may have come back with an older state: that counts as empty."""
        with translated():
            name, _, run = cast(str, self._client.get(self._key("epoch")) or "").rpartition("@")
            return name if name and run == self._run_id() else None

    def begin_epoch(self, name: str) -> None:
        with translated():
            self._client.set(self._key("epoch"), f"{name}@{self._run_id()}")

    def _run_id(self) -> str:
        return str(self._client.info("server")["run_id"])

    def hold(self, name: str, holder: str, seconds: float) -> bool:
        return bool(self._run("hold", name, holder, _ms(seconds)))

    def expect(self, manifests: Sequence[Manifest]) -> None:
        if not manifests:
            return
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.zadd(self._key("expiry"), {each.id: each.expires_at for each in manifests})
            for each in manifests:
                if each.lister:
                    pipe.hset(self._key("listers"), each.id, each.lister)
                    pipe.zadd(self._key(f"listed:{each.lister}"), {each.id: each.created_at})
            pipe.execute()

    def listed(self, maker: str, before: tuple[float, str] | None, limit: int) -> list[ListEntry]:
        found = self._run("listed", maker, *((repr(before[0]), before[1]) if before else ("+inf", "")), limit)
        return [
            ListEntry(job_id, float(created_at), Job(Manifest.from_json(manifest), Status.from_json(status)) if manifest and status else None)
            for job_id, created_at, manifest, status in found
        ]

    def expired(self, now: float, limit: int) -> list[str]:
        with translated():
            return cast(list[str], self._client.zrangebyscore(self._key("expiry"), "-inf", now, start=0, num=limit))

    def greet(self, encoder: str, facts: Mapping[str, Any], seconds: float) -> None:
        with translated():
            self._client.hset(self._key("encoders"), encoder, as_json({"until": time.time() + seconds, "facts": facts}))

    def encoders(self) -> list[dict[str, Any]]:
        with translated():
            said = cast(dict[str, str], self._client.hgetall(self._key("encoders")))
        heard = {name: json.loads(text) for name, text in said.items()}
        silent = [name for name, each in heard.items() if each["until"] < time.time()]
        if silent:
            with translated():
                self._client.hdel(self._key("encoders"), *silent)
        return [each["facts"] for name, each in heard.items() if name not in silent]

    def tally(self, amounts: Mapping[str, float]) -> None:
        self._run("tally", as_json(amounts))

    def overview(self) -> Overview:
        now_ms, *counts, oldest, totals, encoders, recent, recent_s, conversion_ms = self._run("overview")
        return Overview(
            jobs=dict(zip(("queued", "running", "succeeded", "failed", "cancelled"), counts, strict=True)),
            oldest_queued_s=max(0.0, float(now_ms) / 1000 - float(oldest)) if oldest else 0.0,
            encoders=tuple(each["facts"] for each in map(json.loads, encoders) if each["until"] >= time.time()),
            totals={name: float(amount) for name, amount in zip(totals[::2], totals[1::2], strict=True)},
            recent=json.loads(recent),
            recent_s=float(recent_s),
            conversion_s=float(conversion_ms) / 1000,
        )

    def recall(self, key: str) -> str | None:
        with translated():
            return cast(str | None, self._client.get(self._key(f"memo:{key}")))

    def remember(self, key: str, value: str, seconds: int) -> bool:
        with translated():
            return bool(self._client.set(self._key(f"memo:{key}"), value, nx=True, ex=seconds))

    def count(self, key: str, amount: int, window_s: int) -> tuple[int, int]:
        count, left_s = self._run("count", key, amount, window_s)
        return int(count), int(left_s)

    def release(self, key: str) -> None:
        with translated():
            self._client.delete(self._key(f"memo:{key}"))

    def ping(self) -> None:
        with translated():
            self._client.ping()

    def _run(self, name: str, *arguments: Any) -> Any:
        with translated():
            return self._scripts[name](keys=[self._prefix], args=arguments)

    def _key(self, name: str) -> str:
        return self._prefix + name


def _taken(found: Any, token: str) -> Claim | None:
    return Claim(Job(Manifest.from_json(found[0]), Status.from_json(found[1])), token, tuple(found[2])) if found else None


def _whole(job: Job) -> tuple[str, str, str, str, int]:
    manifest = job.manifest
    return job.id, manifest.to_json(), job.status.to_json(), manifest.client, int(manifest.expires_at)


def _duration_ms(status: Status) -> int | str:
    """What the estimates are made from: only conversions that ended well, and were not another's result (they take no time)."""
    if status.state != "succeeded" or status.started_at is None or status.finished_at is None:
        return ""
    return _ms(status.finished_at - status.started_at) or ""


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
