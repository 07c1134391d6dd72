"""The contract's Job: everything that a client may see of a job, and nothing else."""

from __future__ import annotations

from typing import Any

from backend.core.facts import shown_facts
from backend.core.formats import OUTPUT
from backend.core.job import Job, Manifest, Result, Source
from backend.core.options import Options
from backend.core.reader import Reader
from backend.core.times import rfc3339
from backend.core.variants import variants

PROGRESS_KINDS = ("measured", "estimated")
DELIVERIES = "/api/webhooks/deliveries"


def public(job: Job, reader: Reader) -> dict[str, Any]:
    """The Job as its reader gets it."""
    manifest, status, own = job.manifest, job.status, links(job)
    return {
        "id": job.id,
        "state": status.state,
        "stage": status.stage,
        "progress": status.progress,
        "progress_is": progress_kind(manifest.options),
        "seq": status.seq,
        "queue_position": status.position,
        "eta_seconds": status.eta_s,
        "source": _public_source(manifest),
        "options": manifest.options.chosen(),
        "result": _public_result(job, status.result, reader.path(own["result"])),
        **_public_variants(job, reader),
        "error": reader.problem(status.error, request_id=manifest.request_id) if status.error else None,
        "batch": manifest.batch,
        "created_at": rfc3339(manifest.created_at),
        "started_at": rfc3339(status.started_at),
        "finished_at": rfc3339(status.finished_at),
        "expires_at": rfc3339(manifest.expires_at),
        "url": reader.url(own["result"]),
        "links": {name: reader.path(path) for name, path in own.items()},
    }


def progress_kind(options: Options) -> str:
    """``estimated`` where an encoder tells nothing on its way: then the percent follows processor time along measured costs."""
    return PROGRESS_KINDS[not all(OUTPUT[each].reports_progress for each in options.asked_formats)]


def links(job: Job) -> dict[str, str]:
    """Paths from the gateway's root."""
    own, manifest = f"/api/jobs/{job.id}", job.manifest
    paths = {"self": own, "result": f"{own}/result", "source": f"{own}/source", "events": f"{own}/events", "cancel": f"{own}/cancel"}
    if manifest.options.is_several:
        paths["archive"] = f"{own}/archive.zip"
    if manifest.webhook_url and manifest.batch is None:
        paths["deliveries"] = f"{DELIVERIES}?job={job.id}"
    return paths


def _public_source(manifest: Manifest) -> dict[str, Any]:
    facts = {name: None if manifest.is_awaited else getattr(manifest.source, name) for name in ("bytes", "format", "width", "height", "frames")}
    return {"filename": manifest.source.filename, **facts}


def _public_result(job: Job, result: Result | None, address: str) -> dict[str, Any] | None:
    if result is None or job.manifest.is_awaited:
        return None
    shown = {name: getattr(result, name) for name in ("bytes", "format", "width", "height", "frames", "sha256")}
    return {"url": address, **shown, **size_facts(job.manifest.source, result), **shown_facts(result.facts)}


def _public_variants(job: Job, reader: Reader) -> dict[str, Any]:
    """Those that are ready, in the order asked for. Nothing of a plain job."""
    if not job.manifest.options.is_several:
        return {}
    address = links(job)["result"]
    paths = {each.number: f"{address}?{variant_query(job.manifest.options, each.number)}" for each in job.status.results}
    shown = [_public_result(job, each, reader.path(paths[each.number])) for each in job.status.results]
    return {"results": [each for each in shown if each], "srcset": _srcset(job.status.results, {n: reader.url(path) for n, path in paths.items()})}


def variant_query(options: Options, number: int) -> str:
    """What picks a variant from its job's results."""
    variant = variants(options)[number]
    asked = (("width", variant.width if options.widths else None), ("format", variant.format if options.formats else None))
    return "&".join(f"{name}={value}" for name, value in asked if value)


def _srcset(results: tuple[Result, ...], addresses: dict[int, str]) -> dict[str, str]:
    """By format: candidates with their widths, the narrowest first, as an ``<img>`` takes them (HTML, “srcset attributes”). None is there twice."""
    by_format: dict[str, dict[int, str]] = {}
    for each in results:
        by_format.setdefault(each.format, {}).setdefault(each.width, addresses[each.number])
    return {name: ", ".join(f"{address} {width}w" for width, address in sorted(found.items())) for name, found in by_format.items()}


def size_facts(source: Source, result: Result) -> dict[str, Any]:
    """The result's size beside its source's; ``larger_than_source`` only where it is so."""
    facts: dict[str, Any] = {"saved_percent": round(100 * (1 - result.bytes / source.bytes), 1)}
    return {**facts, "larger_than_source": True} if result.bytes > source.bytes else facts
