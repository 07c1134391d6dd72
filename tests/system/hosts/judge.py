"""Whether what was acknowledged was done, once and right: by Pillow, by digests, and by a look into the bucket."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support import s3_server
from tests.system.hosts.cluster import BUCKET, S3_BEHIND, Cluster
from tests.system.hosts.ledger import Acknowledged, Ledger, is_same_end, what_ended

ERASERS = 4


@dataclass
class Verdict:
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """For a reason that is not its image's."""

    def add(self, other: Verdict) -> None:
        self.acknowledged += other.acknowledged
        for name in ("lost", "wrong", "twice", "failed"):
            getattr(self, name).extend(getattr(other, name))

    def is_good(self) -> bool:
        return not (self.lost or self.wrong or self.twice or self.failed)


def judge(cluster: Cluster, ledger: Ledger, jobs: list[Acknowledged]) -> Verdict:
    verdict = Verdict(len(jobs))
    stored = objects_of(cluster, {each.id for each in jobs})
    with requests.Session() as session:
        for each in jobs:
            _judge(session, cluster.url, each, stored[each.id], verdict)
    verdict.wrong += ledger.wrong
    ledger.wrong.clear()
    return verdict


def _judge(session: requests.Session, url: str, job: Acknowledged, stored: list[str], verdict: Verdict) -> None:
    answer = session.get(f"{url}/api/jobs/{job.id}", timeout=30)
    if answer.status_code != 200 or job.end is None:
        verdict.lost.append(f"{job.id} ({job.by}): {answer.status_code} {answer.text[:200]}, in the bucket: {stored}")
        return
    now = answer.json()
    if not is_same_end(now, job.end):
        verdict.twice.append(f"{job.id} ({job.by}): {what_ended(job.end)}, then {what_ended(now)}")
    if stored.count("outcome.json") != 1:
        verdict.twice.append(f"{job.id} has {stored}")
    if any(len(told) != 1 for told in job.watched):
        verdict.twice.append(f"{job.id}: its watchers were told of ends {job.watched}")
    if now["state"] != "succeeded":
        code = (now["error"] or {}).get("code")
        if code != job.sent.code:
            verdict.failed.append(f"{job.id} ({job.by}): {now['state']} {code}: {(now['error'] or {}).get('detail')}")
        return
    if fault := _fault_of(session, url, job, now):
        verdict.wrong.append(f"{job.id} ({job.by}): {fault}")


def _fault_of(session: requests.Session, url: str, job: Acknowledged, now: dict[str, Any]) -> str | None:
    if job.sent.code:
        return f"succeeded, though its image is damaged ({job.sent.code})"
    answer = session.get(f"{url}/api/jobs/{job.id}/result", timeout=30)
    if answer.status_code != 200:
        return f"its result is answered {answer.status_code}"
    if hashlib.sha256(answer.content).hexdigest() != now["result"]["sha256"] or len(answer.content) != now["result"]["bytes"]:
        return "its result has other bytes than its Job says"
    return job.sent.fault_of(answer.content)


def objects_of(cluster: Cluster, ids: Iterable[str]) -> dict[str, list[str]]:
    """The names of the objects in the bucket, by job."""
    found: dict[str, list[str]] = defaultdict(list)
    with cluster.hosts["a"].network():
        client = s3_server.client(f"http://127.0.0.1:{S3_BEHIND}")
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="webp/jobs/"):
            for each in page.get("Contents", []):
                job_id, name = each["Key"].split("/")[-2:]
                if job_id in ids:
                    found[job_id].append(name)
        client.close()
    return found


def erase(cluster: Cluster, jobs: list[Acknowledged]) -> None:
    """So that a long run does not grow without end."""

    def erase_one(job: Acknowledged) -> None:
        requests.delete(f"{cluster.url}/api/jobs/{job.id}", timeout=30)

    with ThreadPoolExecutor(ERASERS) as pool:
        for _ in pool.map(erase_one, jobs):
            pass
