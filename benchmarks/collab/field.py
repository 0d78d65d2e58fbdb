"""Who is measured where, and what every case is given."""

import sys
import time

import msgspec

from benchmarks.collab.contender import Contender
from benchmarks.collab.cores import Cores, beside
from benchmarks.collab.drive import Watch


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """The servers that are ready, and how long to look at each."""

    cores: Cores
    contenders: list[Contender]
    seconds: float
    rounds: int

    def turns(self, number: int) -> list[Contender]:
        """Return the contenders; who begins changes with each round."""
        turn = number % len(self.contenders)
        return self.contenders[turn:] + self.contenders[:turn]

    def watch(self, contender: Contender) -> Watch:
        """Return what looks at one of them."""
        every = tuple(pid for other in self.contenders for pid in other.pids)
        return Watch(self.cores, contender.pids, beside(every))


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
