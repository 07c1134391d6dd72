"""The system calls that a sealed child may make, by architecture: data only.

Numbers: arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h (aarch64). All others answer EPERM.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """``architecture`` is AUDIT_ARCH_…. ``mapping`` are the calls that may map memory that is not executable. ``absent`` answer ENOSYS.
    ``clone`` and ``seccomp`` are those of ``seccomp`` and ``thread_budget``."""

    architecture: int
    allowed: frozenset[int]
    mapping: frozenset[int]
    absent: frozenset[int]
    clone: int
    seccomp: int


def _table(architecture: int, mapping: tuple[int, ...], absent: tuple[int, ...], clone: int, seccomp: int, **allowed: int) -> Table:
    return Table(architecture, frozenset(allowed.values()), frozenset(mapping), frozenset(absent), clone, seccomp)


_CLONE3 = 435
"""On ENOSYS, glibc falls back to clone."""

TABLES: dict[str, Table] = {
    "x86_64": _table(
        0xC000003E,
        mapping=(9, 10),
        absent=(_CLONE3,),
        clone=56,
        seccomp=317,
        read=0,
        write=1,
        close=3,
        lseek=8,
        munmap=11,
        brk=12,
        rt_sigaction=13,
        rt_sigprocmask=14,
        rt_sigreturn=15,
        pread64=17,
        pwrite64=18,
        readv=19,
        writev=20,
        sched_yield=24,
        mremap=25,
        madvise=28,
        getpid=39,
        getppid=110,
        sendto=44,
        exit=60,
        getrusage=98,
        sysinfo=99,
        sigaltstack=131,
        gettid=186,
        futex=202,
        sched_getaffinity=204,
        restart_syscall=219,
        clock_gettime=228,
        exit_group=231,
        set_robust_list=273,
        preadv=295,
        preadv2=327,
        getrandom=318,
        membarrier=324,
        rseq=334,
    ),
    "aarch64": _table(
        0xC00000B7,
        mapping=(222, 226),
        absent=(_CLONE3,),
        clone=220,
        seccomp=277,
        close=57,
        lseek=62,
        read=63,
        write=64,
        readv=65,
        writev=66,
        pread64=67,
        pwrite64=68,
        preadv=69,
        preadv2=286,
        exit=93,
        exit_group=94,
        futex=98,
        set_robust_list=99,
        clock_gettime=113,
        sched_getaffinity=123,
        sched_yield=124,
        restart_syscall=128,
        sigaltstack=132,
        rt_sigaction=134,
        rt_sigprocmask=135,
        rt_sigreturn=139,
        getrusage=165,
        getpid=172,
        getppid=173,
        gettid=178,
        sysinfo=179,
        sendto=206,
        brk=214,
        munmap=215,
        mremap=216,
        madvise=233,
        getrandom=278,
        membarrier=283,
        rseq=293,
    ),
}
