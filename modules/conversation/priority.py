"""Gives up the right to real-time scheduling. As root, libwebrtc's audio threads would take it and starve Python (measured:
21 calls, p95 of a turn 6.1 s with it, 0.55 s without).
"""

import ctypes
import sys

_PR_CAPBSET_DROP = 24
_CAP_SYS_NICE = 23
_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def give_up_real_time() -> None:
    """Drop CAP_SYS_NICE for this process and all it starts. Does nothing where it is not held, or not on Linux."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_CAPBSET_DROP, _CAP_SYS_NICE, 0, 0, 0)
    header, data = _Header(_VERSION_3, 0), (_Data * 2)()
    if libc.capget(ctypes.byref(header), data) == 0:
        for kind in ("effective", "permitted", "inheritable"):
            setattr(data[0], kind, getattr(data[0], kind) & ~(1 << _CAP_SYS_NICE))
        libc.capset(ctypes.byref(header), data)
