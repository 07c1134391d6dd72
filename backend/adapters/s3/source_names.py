"""The names of sources in a bucket. Each carries its job's line of the index, so that a listing of the bucket shows it.

A rebuild reads no object of an ended job then. Sources of earlier versions have names without it; their manifests are read.
"""

from __future__ import annotations

import secrets
from urllib.parse import quote, unquote

from backend.adapters.s3.store_objects import SOURCE
from backend.core.index_line import IndexLine
from backend.core.index_line import index_line as line_of_manifest
from backend.core.job import Manifest

BETWEEN = "~"


def source_name(manifest: Manifest) -> str:
    """A new one. Times are written so that reading them gives the same floats."""
    line = line_of_manifest(manifest)
    facts = (repr(line.created_at), repr(line.expires_at), line.lister, line.webhook_subject)
    return BETWEEN.join((f"{SOURCE}-{secrets.token_hex(8)}", *(quote(each, safe="").replace(BETWEEN, "%7E") for each in facts)))


def line_of(job_id: str, name: str) -> IndexLine | None:
    """The line that a source's name carries; None where it carries none."""
    try:
        _, created_at, expires_at, lister, subject = name.split(BETWEEN)
        return IndexLine(job_id, float(created_at), float(expires_at), unquote(lister), unquote(subject))
    except ValueError:
        return None
