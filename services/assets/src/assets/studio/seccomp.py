"""The system calls that are left to who decodes a stranger's file, as a filter for the kernel.

Its files are open already: it may read and write them, ask for memory and end. It can open
nothing, start nothing, call nobody. Linux on two kinds of processor; elsewhere there is no filter.
"""

import ctypes
import errno
import platform
import struct

# in this order, for each kind of processor:
# read write close fstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask
# rt_sigreturn ioctl pread64 pwrite64 readv writev sched_yield mremap madvise dup nanosleep getpid
# exit uname fcntl fsync ftruncate gettimeofday getrlimit sysinfo getuid getgid geteuid getegid
# sigaltstack gettid futex sched_getaffinity set_tid_address restart_syscall clock_gettime
# clock_getres clock_nanosleep exit_group newfstatat set_robust_list getrandom membarrier rseq
# getcwd
_X86_64 = """
0 1 3 5 7 8 9 10 11 12 13 14 15
16 17 18 19 20 24 25 28 32 35 39 60 63 72
74 77 96 97 99 102 104 107 108 131 186
202 204 218 219 228 229 230
231 262 273 318 324 334 79
"""
_AARCH64 = """
63 64 57 80 73 62 222 226 215 214 134 135 139
29 67 68 65 66 124 216 233 23 101 172 93 160 25
82 46 169 163 179 174 176 175 177 132 178
98 123 96 128 113 114 115
94 79 99 278 283 293 17
"""
# the mark of the processor, its numbers, that of clone, those of socket and socketpair
_MACHINES = {
    "x86_64": (0xC000003E, _X86_64, 56, (41, 53)),
    "aarch64": (0xC00000B7, _AARCH64, 220, (198, 199)),
}
_CLONE3 = 435
_CLONE_THREAD = 0x10000

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_DENY = 0x00050000 | errno.EPERM
_UNKNOWN = 0x00050000 | errno.ENOSYS
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2


class _Program(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def narrow() -> bool:
    """Leave this process nothing but work on what it has; false where there is no filter."""
    known = _MACHINES.get(platform.machine())
    if known is None:
        return False
    mark, numbers, clone, _ = known
    deny = _step(_RETURN, _DENY)
    rules = b"".join(_when(int(number), _step(_RETURN, _ALLOW)) for number in numbers.split())
    threads = (
        _step(_LOAD, _FIRST_ARGUMENT)
        + _step(_ANY_BIT, _CLONE_THREAD, 0, 1)
        + _step(_RETURN, _ALLOW)
        + deny
    )
    # its flags lie in memory, where a filter cannot look: programs fall back to clone
    rules += _when(_CLONE3, _step(_RETURN, _UNKNOWN)) + _when(clone, threads)
    return _install(_of(mark) + rules + deny)


def unplug() -> bool:
    """Leave this process and what it starts no sockets; false where there is no filter."""
    known = _MACHINES.get(platform.machine())
    if known is None:
        return False
    mark, _, _, sockets = known
    rules = b"".join(_when(number, _step(_RETURN, _DENY)) for number in sockets)
    return _install(_of(mark) + rules + _step(_RETURN, _ALLOW))


def _of(mark: int) -> bytes:
    """Only calls in the processor's own numbers; then the number is at hand."""
    foreign = _step(_EQUAL, mark, 1, 0) + _step(_RETURN, _KILL)
    return _step(_LOAD, _ARCHITECTURE) + foreign + _step(_LOAD, _NUMBER)


def _when(number: int, then: bytes) -> bytes:
    return _step(_EQUAL, number, 0, len(then) // 8) + then


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _install(steps: bytes) -> bool:
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    program = _Program(len(steps) // 8, steps)
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    failed: int = prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0)
    return failed == 0
