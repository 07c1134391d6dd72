"""What a role finds in its environment: no secret that it does not need. Whoever takes a process over can read its environment, in ``/proc`` too.

The gateway gets all of it. Encoders check no keys and sign nothing; the embedded Redis needs nothing at all. The codec's zygote gets an environment
of its own (``codec/host/zygote_client``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSW|CREDENTIAL|SALT|DSN|_PAT$", re.IGNORECASE)
"""Also of variables that are not ours: a shell may hold any."""
ENCODERS_OWN = frozenset(("GATEWAY_SENTRY_DSN", "GATEWAY_SENTRY_DSN_FILE"))
BUCKETS_OWN = "AWS_"
"""boto3 reads its credentials from names that begin so."""
REDIS_OWN = frozenset(("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"))


def encoder_environment(environment: Mapping[str, str], *, has_bucket: bool) -> dict[str, str]:
    """``has_bucket``: the store is a bucket, whose credentials may be in the environment."""
    return {name: value for name, value in environment.items() if _is_encoders(name, has_bucket)}


def redis_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name in REDIS_OWN}


def _is_encoders(name: str, has_bucket: bool) -> bool:
    if name.startswith(BUCKETS_OWN):
        return has_bucket
    return name in ENCODERS_OWN or SECRET_NAME.search(name) is None
