"""How values travel to the scripts: a job as five arguments, seconds as milliseconds."""

from __future__ import annotations

from backend.core.job import Job, Status


def job_arguments(job: Job) -> tuple[str, str, str, str, int]:
    """id, manifest, status, client, expires_at: in this order in each script that is given a job."""
    manifest = job.manifest
    return job.id, manifest.to_json(), job.status.to_json(), manifest.client, int(manifest.expires_at)


def milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def conversion_ms(status: Status) -> int | str:
    """What the estimates are made from: only conversions that ended well, and did not share another's result (those take no time). Else ''."""
    if status.state != "succeeded" or status.started_at is None or status.finished_at is None:
        return ""
    return milliseconds(status.finished_at - status.started_at) or ""
