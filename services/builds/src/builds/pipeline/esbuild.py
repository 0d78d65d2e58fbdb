"""One run of esbuild in the sandbox, with what it said and made."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

from builds import steps
from builds.pipeline import diagnostics, verdicts
from builds.pipeline.archives import unpack
from builds.pipeline.context import Lines, Told, Workshop, limits
from builds.sandbox.types import Job, Mount
from builds.types import BuildError, Diagnostic

OUT = "/o/out"
META = "meta.json"

# of a command line, what would begin an option, or end a name
_NOT_IN_A_NAME = re.compile(r"^-|=")


def plain(name: str) -> str:
    """The name as one that the command line takes for a name."""
    return _NOT_IN_A_NAME.sub("_", name)


def entry_point(path: str, name: str = "") -> str:
    """The word for a file to begin with; without a name what is made is named by the file."""
    if not name and "=" in path:
        name = PurePosixPath(path).stem
    return f"{plain(name)}=./{path}" if name else f"./{path}"


async def run(
    arguments: Sequence[str],
    mounts: Sequence[Mount],
    into: Path,
    shop: Workshop,
    told: Told,
    *,
    folder: str = "/p",
) -> tuple[bool, list[Diagnostic]]:
    """Bundle ``into`` a folder; raises ``BuildError`` only for what no diagnostic tells."""
    # the system takes an argument only so long, and says so too late
    if max(len(argument.encode()) for argument in arguments) > shop.settings.argument_bytes_max:
        raise BuildError("CONFIG_INVALID", "tsconfig.json has more to say than can be heeded.")
    archive = into.with_suffix(".tar")
    job = Job(
        command=("/t/esbuild", *arguments),
        mounts=(Mount(shop.esbuild, "/t/esbuild"), *mounts),
        folder=folder,
        takes=OUT,
        output=archive,
    )
    most = limits(shop.settings, shop.settings.bundle_s_max)
    with closing(Lines(told, steps.BUNDLE, most.log_bytes)) as lines:
        outcome = await shop.sandbox.run(job, most, lines)
    verdicts.judge("The bundler", outcome)
    said = outcome.log.decode(errors="replace")
    found = await asyncio.to_thread(diagnostics.of_esbuild, said)
    if outcome.succeeded:
        await asyncio.to_thread(unpack, archive, into, shop.settings.files_max)
    elif not verdicts.errors_of(found):
        message = f"The bundler ended with code {outcome.code}."
        found.append(Diagnostic(None, None, None, "ESBUILD", message, "error"))
    archive.unlink(missing_ok=True)
    return outcome.succeeded, found
