"""The seal: what a child gives up for good before it looks at a stranger's bytes.

In order: resource limits, death with the parent, no core dumps or tracing, no new privileges, no files and no network (Landlock), and only
the system calls of an allow-list (seccomp). Levels, as an operator sees them:

===== =====================================================================
3     all of it, and the start-up probe found no way out
2     without Landlock (kernel before 5.13, or not enabled); seccomp still refuses open, socket, exec
1     without seccomp; Landlock holds files and network
0     resource limits alone (macOS, or ``off``)
===== =====================================================================
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from backend.codec.seal import kernel, landlock, seccomp

FULL = 3


@dataclass(frozen=True, slots=True)
class Level:
    """``landlock`` is the kernel's Landlock version, 0 without; ``escapes`` what the probe managed to do although sealed."""

    level: int = 0
    landlock: int = 0
    seccomp: bool = False
    escapes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "escapes": list(self.escapes)}


def limit(bounds: Mapping[str, int]) -> None:
    """Lower resource limits by name (``AS``, ``CPU``, …); the kernel never raises them again for this process."""
    for name, value in bounds.items():
        if name == "AS" and not kernel.IS_LINUX:  # macOS knows the name and refuses the value
            continue
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (soft, soft + 1 if name == "CPU" and hard == resource.RLIM_INFINITY else soft))


def close(sandbox: str, *, threads: bool = False) -> Level:
    """Seal this process as far as the platform goes; ``off`` leaves only what needs no kernel feature."""
    version = withdraw(sandbox)
    filtered = narrow(sandbox, threads=threads)
    return Level({(True, True): 3, (False, True): 2, (True, False): 1}.get((version > 0, filtered), 0), version, filtered)


def withdraw(sandbox: str) -> int:
    """All of ``close`` but the system calls; the Landlock version, 0 without. Descriptors can still be received."""
    if not kernel.IS_LINUX:
        return 0
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    return 0 if sandbox == "off" else landlock.deny_all()


def narrow(sandbox: str, *, threads: bool = False) -> bool:
    """Only the system calls of the list from now on; whether that could be had. After ``withdraw``.

    ``threads``: this process may make threads of its own, which some decoders cannot do without; never processes.
    """
    return kernel.IS_LINUX and sandbox != "off" and seccomp.allow_listed(threads=threads)
