"""What is said of a run that ended badly: by what the sandbox saw, or by the tool's own words."""

import pytest

from builds.pipeline import verdicts
from builds.sandbox.types import Outcome
from builds.types import BuildError


def _outcome(verdict="ended", code=1, log=b""):
    return Outcome(verdict=verdict, code=code, log=log, duration_ms=90_000)


def _class_of(outcome):
    with pytest.raises(BuildError) as raised:
        verdicts.judge("The bundler", outcome)
    assert raised.value.code == "RESOURCE_LIMIT"
    (found,) = raised.value.diagnostics
    assert found.message == str(raised.value)
    return found.code


@pytest.mark.parametrize(("verdict", "excess"), verdicts.LIMITS.items())
def test_each_limit_has_a_class_of_its_own(verdict, excess):
    assert _class_of(_outcome(verdict)) == excess.code
    assert len({e.code for e in verdicts.LIMITS.values()}) == len(verdicts.LIMITS)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (b"runtime: out of memory: cannot allocate 4194304-byte block\n", "MEMORY_LIMIT"),
        (b"x\nfatal error: runtime: cannot allocate memory\n", "MEMORY_LIMIT"),
        (b"sh: out of memory\n", "MEMORY_LIMIT"),
        (b"sh: can't fork: Resource temporarily unavailable\n", "PROCESS_LIMIT"),
        (b"runtime: failed to create new OS thread (have 9 already; errno=11)\n", "PROCESS_LIMIT"),
        (b"SIGXCPU: CPU time limit exceeded\n", "CPU_LIMIT"),
        (b"SIGXFSZ: file size limit exceeded\n", "DISK_LIMIT"),
        (
            "✘ [ERROR] Failed to write to output file: /o/a.js: no space left on device\n".encode(),
            "DISK_LIMIT",
        ),
        (b"\xe2\x9c\x98 [ERROR] Cannot read file: open /p/a: too many open files\n", "FILE_LIMIT"),
    ],
)
def test_a_tool_that_knows_its_end_is_believed(log, expected):
    assert _class_of(_outcome(log=log)) == expected


@pytest.mark.parametrize(
    "log",
    [
        b"src/main.ts(1,7): error TS2322: Type '\"out of memory\"' is not assignable.\n",
        b'src/a.ts(1,7): error TS2322: "\nno space left on device\n',
        b"    1 | throw 'cannot allocate memory'\n",
        '✘ [ERROR] Could not resolve "no space left on device"\n'.encode(),
    ],
)
def test_the_words_of_a_project_are_not_taken_for_the_tools(log):
    verdicts.judge("The type checker", _outcome(log=log))


def test_a_run_that_ended_well_is_not_doubted():
    verdicts.judge("The bundler", _outcome(code=0, log=b"sh: out of memory\n"))


def test_time_has_a_status_and_no_class():
    with pytest.raises(BuildError) as raised:
        verdicts.judge("The type checker", _outcome("timed_out"))
    error = raised.value
    assert (error.code, error.status, error.diagnostics) == ("BUILD_TIMEOUT", "timed_out", [])
    assert "90 s" in str(error)
