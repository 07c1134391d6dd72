"""A job or a batch as an answer in JSON, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from backend.core.batch import Batch, public_batch
from backend.core.job import Job
from backend.core.public_job import public
from backend.web.request.reader import reader
from backend.web.response.json_response import json_response


def job_response(job: Job, status: int = 200) -> Response:
    return json_response(public(job, reader()), status, cache=_cache(status), vary="Accept-Language")


def batch_response(batch: Batch, jobs: Sequence[Job], status: int = 200) -> Response:
    return json_response(public_batch(batch, jobs, reader()), status, cache=_cache(status), vary="Accept-Language")


def accepted_job(job: Job) -> Response:
    return _mark_accepted(job_response(job, 202), f"/api/jobs/{job.id}")


def accepted_batch(batch: Batch, jobs: Sequence[Job]) -> Response:
    return _mark_accepted(batch_response(batch, jobs, 202), f"/api/batches/{batch.id}")


def _mark_accepted(response: Response, path: str) -> Response:
    """``Retry-After`` says when it pays to ask, in seconds."""
    response.headers["Location"] = reader().path(path)
    response.headers["Retry-After"] = "1"
    return response


def _cache(status: int) -> str:
    return "no-store" if status == 202 else "private, no-cache"
