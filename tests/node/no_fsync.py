"""Programs on a disk that cannot be flushed: from `refuse` on, the kernel answers EIO to each fsync and fdatasync of this process.

`python -m tests.node.no_fsync ARGUMENTS…` is `python -m node ARGUMENTS…` on such a disk, from its start.
"""

import ctypes
import os
import platform
import struct
import sys

SYSCALLS = {"x86_64": (317, 74, 75), "aarch64": (277, 82, 83)}  # seccomp, fsync, fdatasync
NO_NEW_PRIVILEGES = 38
SET_MODE_FILTER, ALL_THREADS = 1, 1
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL_WITH_EIO = 0x7FFF0000, 0x00050000 | 5


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def can_refuse() -> bool:
    return sys.platform == "linux" and platform.machine() in SYSCALLS


def refuse() -> None:
    """For all threads of this process, and for good."""
    seccomp, fsync, fdatasync = SYSCALLS[platform.machine()]
    instructions = [
        (LOAD, 0, 0, 0),  # the system call's number
        (JUMP_IF_EQUAL, 1, 0, fsync),
        (JUMP_IF_EQUAL, 0, 1, fdatasync),
        (RETURN, 0, 0, FAIL_WITH_EIO),
        (RETURN, 0, 0, ALLOW),
    ]
    program = _Program(len(instructions), b"".join(struct.pack("=HBBI", *each) for each in instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.syscall(seccomp, SET_MODE_FILTER, ALL_THREADS, ctypes.byref(program)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    from node.__main__ import _main

    refuse()
    _main()
