"""What the sandbox costs: the same tools on the same tree, run by hand beside each build."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.builds.crew import Crew, Tree, changed, demo
from benchmarks.harness.cases import BadAnswerError

_WITHIN_S = 120.0


class Turn(msgspec.Struct, frozen=True):
    """One round: both tools in the sandbox, and by hand; the whole build beside them."""

    sandboxed_s: float
    by_hand_s: float
    build_s: float


def turns(crew: Crew, rounds: int) -> Iterator[Turn]:
    """Build and do it by hand, after one and the same change; who begins takes turns."""
    tree = demo(crew.context)
    project = crew.project(tree)
    crew.build(project)
    folder = crew.context.home.cache / "by-hand"
    _write(folder, tree)
    toolchain = crew.context.home.repository / "deploy" / "toolchain" / "node_modules"
    for number in range(rounds + 1):
        change = changed(tree)
        crew.write(project, change)
        _write(folder, change)
        by_hand_s = 0.0 if number % 2 else _by_hand(folder, toolchain)
        built = crew.build(project)
        by_hand_s = by_hand_s or _by_hand(folder, toolchain)
        if built.build["cached"]:
            raise BadAnswerError("A file has changed, and nothing was built.")
        if number:  # the first warms the disk's cache
            yield Turn(built.span_s("check", "bundle"), by_hand_s, built.seconds)


def _write(folder: Path, tree: Tree) -> None:
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _by_hand(folder: Path, toolchain: Path) -> float:
    """Check and bundle side by side, as a build does, without a sandbox around either."""
    out = folder.parent / "by-hand-out"
    shutil.rmtree(out, ignore_errors=True)
    (tsc,) = toolchain.glob("@typescript/typescript-linux-*/lib/tsc")
    (esbuild,) = toolchain.glob("@esbuild/linux-*/bin/esbuild")
    options = ("--bundle", "--format=esm", "--splitting", "--platform=browser", "--target=es2022")
    commands = (
        (str(tsc), "-p", "tsconfig.json", "--noEmit", "--skipLibCheck", "--pretty", "false"),
        (str(esbuild), "src/main.ts", *options, "--minify", "--sourcemap", f"--outdir={out}"),
    )
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for command in commands
    ]
    said = [child.communicate(timeout=_WITHIN_S)[0] for child in running]
    seconds = time.perf_counter() - began
    if any(child.returncode for child in running) or not list(out.glob("*.js")):
        raise BadAnswerError(f"It does not work by hand: {said}")
    return seconds
