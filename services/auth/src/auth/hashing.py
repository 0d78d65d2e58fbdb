"""The process that hashes: ``python -m auth.hashing <KiB> <passes> <niceness>``.

It reads questions and writes answers, a line of JSON each, until nobody is there to ask. Threads
would do, were it not for schedulers that share processors between sessions before they look at
priorities: only a session of its own gives way to the service, its database and its gateway alike.
"""

import ctypes
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

import bcrypt
import msgspec
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

BCRYPT = re.compile(r"\$2[aby]\$(?P<rounds>0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
# what bcrypt has ever looked at: whoever made a hash of more has cut it here
_BCRYPT_BYTES_MAX = 72
# of the C library: malloc's parameters, and what they are set to
_MMAP_MAX, _TRIM_THRESHOLD = -4, -1
_NONE, _BYTES_KEPT_MAX = 0, 1 << 30
# where Linux keeps the priority of a session
_SESSION = Path("/proc/self/autogroup")


class Hash(msgspec.Struct, frozen=True, tag=True):
    """Hash a password; the answer is a text."""

    password: str


class Verify(msgspec.Struct, frozen=True, tag=True):
    """Compare a password with its hash; the answer is whether it is right.

    Without a hash it takes as long and is wrong.
    """

    kept: str | None
    password: str


type Question = Hash | Verify


def hasher(memory_kib: int, passes: int) -> PasswordHasher:
    """Make what hashes with these costs."""
    return PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)


def is_right(maker: PasswordHasher, nobody: str, kept: str | None, password: str) -> bool:
    """Compare a password with its hash, or with ``nobody``, which it never is."""
    try:
        if kept and BCRYPT.fullmatch(kept):
            return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES_MAX], kept.encode())
        maker.verify(kept or nobody, password)
    except (VerificationError, InvalidHashError, ValueError):
        return False
    return bool(kept)


def main() -> None:
    """Answer until nobody is there to ask."""
    memory_kib, passes, niceness = (int(word) for word in sys.argv[1:])
    _give_way(niceness)
    _keep_memory()
    maker = hasher(memory_kib, passes)
    # an unknown account is verified against a hash too, so that it takes as long as a known one
    nobody = maker.hash(os.urandom(32))
    questions = msgspec.json.Decoder[Question](Question)
    for line in sys.stdin.buffer:
        asked = questions.decode(line)
        answer: str | bool
        if isinstance(asked, Hash):
            answer = maker.hash(asked.password)
        else:
            answer = is_right(maker, nobody, asked.kept, asked.password)
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


def _give_way(niceness: int) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    # it is not there everywhere, and need not be
    with suppress(OSError):
        _SESSION.write_text(str(niceness), encoding="ascii")


def _keep_memory() -> None:
    """Hash in the same pages each time: to get and return them would take as long again by half."""
    libc = ctypes.CDLL(None)
    # other C libraries have no such function, and are slower
    with suppress(AttributeError):
        libc.mallopt(_MMAP_MAX, _NONE)
        libc.mallopt(_TRIM_THRESHOLD, _BYTES_KEPT_MAX)


if __name__ == "__main__":
    main()
