"""The system calls that a sandboxed program may make, as a filter for the kernel."""

import ctypes
import ctypes.util
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct, field

from builds.sandbox.types import UnavailableSandboxError

_ALLOWED = """
access alarm arch_prctl brk chdir chmod clock_gettime clock_nanosleep close copy_file_range dup dup2
dup3 epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd2 execve exit exit_group fadvise64 fchmod
fcntl fdatasync flock fork fstat fstatfs fsync ftruncate futex getcwd getdents64 getegid geteuid
getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom getrlimit getrusage gettid
gettimeofday getuid ioctl kill lseek lstat madvise membarrier mkdir mkdirat mmap mprotect mremap
munmap nanosleep newfstatat open openat pipe pipe2 poll ppoll prctl pread64 prlimit64 pwrite64 read
readlink readlinkat readv rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction
rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_getaffinity
sched_yield select sendfile set_robust_list set_tid_address setpgid setsid sigaltstack stat statfs
statx sysinfo tgkill time timer_create timer_delete timer_settime times umask uname unlink unlinkat
utimensat vfork wait4 waitid write writev
"""
# there is no innocent reason for these: whoever tries them is ended
_FATAL = """
add_key bpf finit_module init_module io_uring_setup kexec_load keyctl perf_event_open
process_vm_readv process_vm_writev ptrace request_key userfaultfd
"""
# what an engine's own first steps need in a container, after the filter has begun to hold
_OF_THE_ENGINE = ""
# CLONE_NEWTIME aside, every flag that would make a namespace
_NEW_NAMESPACES = 0x7E020000

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000
_MASKED_EQUAL = 7


class _Argument(ctypes.Structure):
    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


class Rule(Struct, frozen=True, rename="camel", omit_defaults=True):
    """Some calls, and what becomes of them, as container engines read it."""

    names: list[str]
    action: str
    args: list[dict[str, int | str]] = []
    errno_ret: int | None = None


class Profile(Struct, frozen=True, rename="camel"):
    """A filter as container engines read it."""

    default_action: str
    default_errno_ret: int
    rules: list[Rule] = field(name="syscalls")


def profile() -> Profile:
    """The same filter for a container's engine."""
    no_namespaces: dict[str, int | str] = {
        "index": 0,
        "op": "SCMP_CMP_MASKED_EQ",
        "value": _NEW_NAMESPACES,
        "valueTwo": 0,
    }
    rules = [
        Rule(names=[*_ALLOWED.split(), *_OF_THE_ENGINE.split()], action="SCMP_ACT_ALLOW"),
        Rule(names=["clone"], action="SCMP_ACT_ALLOW", args=[no_namespaces]),
        Rule(names=["clone3"], action="SCMP_ACT_ERRNO", errno_ret=errno.ENOSYS),
        Rule(names=_FATAL.split(), action="SCMP_ACT_KILL_PROCESS"),
    ]
    return Profile("SCMP_ACT_ERRNO", errno.EPERM, rules)


def program() -> bytes:
    """Compile the filter: what is not allowed fails with EPERM. No sockets, no links, no mounts."""
    library = _library()
    with _filter(library) as made:
        for name in _ALLOWED.split():
            _rule(library, made, _ALLOW, name)
        flags = _Argument(0, _MASKED_EQUAL, _NEW_NAMESPACES, 0)
        _rule(library, made, _ALLOW, "clone", flags)
        # its flags lie in memory, where a filter cannot look: programs fall back to clone
        _rule(library, made, _ERRNO | errno.ENOSYS, "clone3")
        for name in _FATAL.split():
            _rule(library, made, _KILL, name)
        return _exported(library, made)


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError as exc:
        raise UnavailableSandboxError("libseccomp is missing (libseccomp2).") from exc
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_export_bpf.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Argument),
    ]
    return library


@contextmanager
def _filter(library: ctypes.CDLL) -> Iterator[int]:
    made = library.seccomp_init(_ERRNO | errno.EPERM)
    if not made:
        raise UnavailableSandboxError("libseccomp made no filter.")
    try:
        yield made
    finally:
        library.seccomp_release(made)


def _rule(library: ctypes.CDLL, made: int, action: int, name: str, *arguments: _Argument) -> None:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return  # this machine's kind has no such call
    array = (_Argument * max(len(arguments), 1))(*arguments)
    failed = library.seccomp_rule_add_array(made, action, number, len(arguments), array)
    if failed:
        raise UnavailableSandboxError(f"libseccomp refused a rule for {name}: {failed}.")


def _exported(library: ctypes.CDLL, made: int) -> bytes:
    file = os.memfd_create("filter")
    try:
        if library.seccomp_export_bpf(made, file):
            raise UnavailableSandboxError("libseccomp exported no filter.")
        return os.pread(file, os.fstat(file).st_size, 0)
    finally:
        os.close(file)
