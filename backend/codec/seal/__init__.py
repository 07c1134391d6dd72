"""The seal: what a child gives up for good before it reads an untrusted byte.

In order: resource limits, death with the parent, no core dumps or tracing, no new privileges, no files and no network (Landlock), and only
the system calls of an allow-list (seccomp). The levels are what operators see:

===== =====================================================================
3     all of it, and the start-up probe found no way out
2     without Landlock (kernel before 5.13, or not enabled); seccomp still refuses open, socket, exec
1     without seccomp; Landlock refuses files and network
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
    """``landlock`` is the kernel's Landlock version, 0 without. ``escapes`` are what the probe could do although it was sealed."""

    level: int = 0
    landlock: int = 0
    seccomp: bool = False
    escapes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "escapes": list(self.escapes)}


def set_limits(limits: Mapping[str, int]) -> None:
    """Lower resource limits by name (``AS``, ``CPU``, …). This process can never raise them again."""
    for name, value in limits.items():
        if name == "AS" and not kernel.IS_LINUX:  # macOS knows the name and refuses the value
            continue
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (soft, soft + 1 if name == "CPU" and hard == resource.RLIM_INFINITY else soft))


def seal_process(sandbox: str, *, threads: bool = False) -> Level:
    """Seal this process as far as the platform allows; ``off`` keeps only what needs no kernel feature."""
    version = drop_privileges(sandbox)
    is_filtered = install_seccomp(sandbox, threads=threads)
    return Level({(True, True): 3, (False, True): 2, (True, False): 1}.get((version > 0, is_filtered), 0), version, is_filtered)


def drop_privileges(sandbox: str) -> int:
    """The seal without seccomp. Returns the Landlock version, 0 without. Descriptors can still be received."""
    if not kernel.IS_LINUX:
        return 0
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    return 0 if sandbox == "off" else landlock.deny_all()


def install_seccomp(sandbox: str, *, threads: bool = False) -> bool:
    """Allow only the listed system calls from now on. False where that is not possible. To be called after ``drop_privileges``.

    ``threads``: this process may make threads, which some decoders need; never processes.
    """
    return kernel.IS_LINUX and sandbox != "off" and seccomp.install(threads=threads)
