"""Deliver: open the bytes of a result or a source."""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.core.job import Job, Result
from backend.core.options import Options
from backend.core.variants import variants
from backend.flows.context import Context
from backend.ports.blob import Blob


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a job's results is meant; of None, any."""

    width: int | None = None
    format: str | None = None

    def fits(self, variant: Options, result: Result | None) -> bool:
        """``width`` may be the one asked for, or the one that it became."""
        widths = (variant.width, result.width if result else None)
        return self.width in (None, *widths) and self.format in (None, variant.format)


def result_of(job: Job, choice: Choice = Choice()) -> Result:
    """What is known of the result; of several, of the first that ``choice`` fits.

    Raises ``NotReady`` before it is there, ``Gone`` where it never will be, ``NotFound`` where no such variant was asked for.
    """
    known = {each.number: each for each in job.status.results} or ({0: job.status.result} if job.status.result else {})
    fitting = [n for n, each in enumerate(variants(job.manifest.options)) if choice.fits(each, known.get(n))]
    if not fitting and (job.status.has_ended or choice.format not in (None, *job.manifest.options.asked_formats)):
        raise errors.NotFound()
    if fitting and fitting[0] in known:
        return known[fitting[0]]
    if not job.status.has_ended:
        raise errors.NotReady(state=job.status.state)
    raise errors.Gone("state", state=job.status.state)


def is_decided(job: Job, choice: Choice) -> bool:
    """Whether ``result_of`` need not be asked again."""
    try:
        result_of(job, choice)
    except errors.NotReady:
        return False
    except errors.GatewayError:
        return True
    return True


def result(context: Context, job: Job, choice: Choice = Choice()) -> tuple[Result, Blob]:
    """The result and its bytes. Raises as ``result_of``, and ``Gone`` where it was erased."""
    known = result_of(job, choice)
    return known, context.store.open_result(job.id, known.file)


def results(job: Job) -> tuple[Result, ...]:
    """All that are there."""
    return job.status.results or ((job.status.result,) if job.status.result else ())


def check_source(job: Job) -> None:
    """Raises ``NotReady`` while the source is being fetched, ``Gone`` where it could not be."""
    if job.manifest.is_awaited:
        raise errors.Gone("source", state=job.status.state) if job.status.has_ended else errors.NotReady("source", state=job.status.state)


def source(context: Context, job: Job) -> Blob:
    """The bytes that were uploaded or fetched. Raises as ``check_source``."""
    check_source(job)
    return context.store.open_source(job.id)
