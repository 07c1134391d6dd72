"""Landlock: a ruleset that handles every right and grants none, so that no path and no network address can be opened.

See the kernel's userspace-api/landlock.rst. Descriptors that are already open keep working.
"""

from __future__ import annotations

import ctypes
import os
import struct

from backend.codec.seal import kernel

# The same numbers on every architecture (all calls since 5.1 are).
_CREATE_RULESET = 444
_RESTRICT_SELF = 446
_ASK_VERSION = 1

_FS_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""The number of file rights in each version; 16 since version 5 (IOCTL_DEV)."""
_NET_SINCE, _SCOPED_SINCE = 4, 6
_TCP = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


def version() -> int:
    """The kernel's Landlock ABI; 0 when there is none."""
    try:
        return kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_ASK_VERSION))
    except OSError:
        return 0


def deny_all() -> int:
    """The Landlock version that confines this process from now on; 0 where there is none."""
    abi = version()
    if not abi:
        return 0
    rights = [(1 << _FS_RIGHTS.get(abi, 16)) - 1]
    rights += [_TCP] if abi >= _NET_SINCE else []
    rights += [_ABSTRACT_SOCKETS_AND_SIGNALS] if abi >= _SCOPED_SINCE else []
    attribute = struct.pack(f"={len(rights)}Q", *rights)
    try:
        ruleset = kernel.syscall(_CREATE_RULESET, ctypes.c_char_p(attribute), ctypes.c_size_t(len(attribute)), ctypes.c_uint(0))
        kernel.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
        os.close(ruleset)
    except OSError:
        return 0
    return abi
