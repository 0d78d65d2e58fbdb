"""The process in which documents are taken apart: one piece of work after another.

Work and results are pickled, behind their lengths; both ends are this service.
"""

import ctypes
import pickle
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from common.errors import ServiceError

LENGTH = struct.Struct("!Q")
_PR_SET_PDEATHSIG = 1

type Work = tuple[Callable[..., Any], tuple[Any, ...]]
type Result = tuple[bool, Any]


def packed(what: Work | Result) -> bytes:
    """Encode work or a result."""
    data = pickle.dumps(what)
    return LENGTH.pack(len(data)) + data


def done(function: Callable[..., Any], *arguments: Any) -> Result:  # noqa: ANN401 - any work
    """Do it; return whether that was possible, and the result or what went wrong."""
    try:
        return True, function(*arguments)
    except (KeyboardInterrupt, SystemExit):
        raise
    except ServiceError as exc:
        return False, exc
    except MemoryError:
        # the machine's fault, not the document's
        raise
    except BaseException as exc:  # noqa: BLE001 - the library's panics are no `Exception`
        return False, repr(exc)


def loaded(*functions: Callable[..., Any]) -> None:
    """Do nothing: whoever was sent functions has loaded what they need."""


def main() -> None:
    """Work until nobody asks any more; what takes more of a processor than it may ends all."""
    cpu_s = float(sys.argv[1])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    come, go = sys.stdin.buffer, sys.stdout.buffer
    while head := come.read(LENGTH.size):
        function, arguments = _received(come, head)
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        result = done(function, *arguments)
        signal.setitimer(signal.ITIMER_PROF, 0)
        go.write(packed(result))
        go.flush()


def _received(come: BinaryIO, head: bytes) -> Work:
    (size,) = LENGTH.unpack(head)
    work: Work = pickle.loads(come.read(size))  # noqa: S301 - from our own process alone
    return work


if __name__ == "__main__":
    main()
