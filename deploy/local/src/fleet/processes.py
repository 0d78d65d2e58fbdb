"""What there is to know about one process of the fleet before it is started."""

import msgspec


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """How to see that a process is ready: a port, a path that answers 200, a command."""

    port: int = 0
    path: str = ""
    command: tuple[str, ...] = ()


class Drain(msgspec.Struct, frozen=True, kw_only=True):
    """Requests that let a process finish what is in flight before it is told to stop."""

    port: int
    first: tuple[str, ...]
    wait_s: float
    last: str


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process: its command, what must be ready before it, and how it starts and stops.

    A process that runs ``once`` is ready when it has ended with 0; it is not started again.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    needs: tuple[str, ...] = ()
    probe: Probe = Probe()
    once: bool = False
    # sent by the kernel when the runner dies, however it dies
    death_signal: str = "KILL"
    user: str = ""
    drain: Drain | None = None
    stop_signal: str = "TERM"
    stop_timeout_s: float = 10.0
    start_timeout_s: float = 30.0


def guarded(process: Process) -> tuple[str, ...]:
    """Return the command under ``setpriv``, which ties its life to the runner's, and drops root."""
    guard: tuple[str, ...] = ("setpriv", "--pdeathsig", process.death_signal)
    if process.user:
        user = process.user
        guard += (f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs")
    return (*guard, "--", *process.command)


def chosen(processes: list[Process], only: tuple[str, ...]) -> list[Process]:
    """Keep the named processes and all that they need; no names mean all of them."""
    if not only:
        return processes
    by_name = {process.name: process for process in processes}
    unknown = sorted(set(only) - set(by_name))
    if unknown:
        raise ValueError(f"No such process: {', '.join(unknown)}. There are: {', '.join(by_name)}.")
    wanted: set[str] = set()
    waiting = list(only)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(need for need in by_name[name].needs if need in by_name)
    return [process for process in processes if process.name in wanted]
