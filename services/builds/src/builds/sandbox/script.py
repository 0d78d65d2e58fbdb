"""The words of a shell around a tool: what it made goes out, and why it failed is told."""

import shlex

from builds.sandbox import arguments
from builds.sandbox.types import Job, Limits, Verdict

# what no tool of ours ends with; above 128 a shell speaks of signals
_DISK_IS_FULL = 97
_FILES_ARE_USED_UP = 98
_MEMORY_IS_USED_UP = 96
_PROCESSES_ARE_USED_UP = 95
_CPU_IS_USED_UP = 128 + 24
# a Go program is deaf to the word before; for memory it would have been told already
_KILLED = 128 + 9
_FILE_IS_TOO_LONG = 128 + 25
_VERDICTS: dict[int, Verdict] = {
    _DISK_IS_FULL: "disk",
    _MEMORY_IS_USED_UP: "memory",
    _PROCESSES_ARE_USED_UP: "processes",
    _FILES_ARE_USED_UP: "files",
    _CPU_IS_USED_UP: "cpu",
    _KILLED: "cpu",
    _FILE_IS_TOO_LONG: "disk",
}
# a few blocks are never given out
_BLOCKS_LEFT = 8

# "%a %d": blocks and files that are left
_LOOK = """
[ $code = 0 ] || for folder in {places}; do
  set -- $(stat -f -c '%a %d' $folder) || continue
  [ "$2" -gt 0 ] || exit {files}
  [ "$1" -gt {blocks} ] || exit {disk}
done
"""
_TAKE = "[ $code != 0 ] || tar -cf - -C {folder} . >&{fd} || code=$?\n"


def around(
    job: Job,
    *,
    output_fd: int,
    run: str = '"$@"',
    after: str = "",
    places: tuple[str, ...] = ("/o", "/tmp"),  # noqa: S108 - the sandbox's own
) -> list[str]:
    """A command that runs ``job``'s, sends what is wanted to ``output_fd``, and ends as it did."""
    take = _TAKE.format(folder=shlex.quote(job.takes), fd=output_fd) if job.takes else ""
    look = _LOOK.format(
        places=shlex.join(places),
        files=_FILES_ARE_USED_UP,
        blocks=_BLOCKS_LEFT,
        disk=_DISK_IS_FULL,
    )
    script = f"{run}; code=$?\n{after}{take}{look}exit $code"
    return ["/t/busybox", "sh", "-c", script, "sh", *job.command]


def contained(job: Job) -> list[str]:
    """The same for the first process of a container: with it everything in there ends.

    What the job says goes to the container's second stream, what it made to the first. When the
    other end of its input is closed, by the worker or by its death, everything is ended.
    """
    return around(job, output_fd=4, run=_GUARDED, after=_GROUPS)


def streamed(job: Job, limits: Limits) -> list[str]:
    """The same where nothing of the worker's can be mounted: its input is an archive of it all.

    The first line says how long the archive is; what follows it, an end, is heeded as above.
    """
    values = arguments.environment(limits)
    setting = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
    cpu_s = max(1, int(limits.cpu_s))
    first = _RECEIVE.format(setting=setting, cpu_s=cpu_s, folder=shlex.quote(job.folder))
    return around(job, output_fd=4, run=first + _GUARDED, after=_GROUPS)


_RECEIVE = """export {setting}
ulimit -c 0 -n 1024 -t {cpu_s}
read -r length
head -c "$length" | tar -xf - -C / || exit 125
cd {folder} || exit 125
"""
_GUARDED = """exec 3<&0 4>&1 1>&2
"$@" 3<&- 4>&- &
tool=$!
{ cat <&3 >/dev/null 2>&1; kill -9 -1; } 4>&- &
wait $tool"""
_GROUPS = f"""
counted() {{
  [ ! -r "$1" ] || while read -r name value; do
    [ "$name" != "$2" ] || [ "$value" = 0 ] || exit "$3"
  done <"$1"
}}
for group in /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/pids; do
  counted $group/memory.events oom_kill {_MEMORY_IS_USED_UP}
  counted $group/memory.oom_control oom_kill {_MEMORY_IS_USED_UP}
  [ $code = 0 ] || counted $group/pids.events max {_PROCESSES_ARE_USED_UP}
done
"""


def verdict(code: int) -> Verdict:
    """What the code of ``around`` says of the limits."""
    return _VERDICTS.get(code, "ended")
