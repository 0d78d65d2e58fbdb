"""What the steps of one build share: the order, its rooms, the tools, and who is told of it."""

import asyncio
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from builds import stopping, toolchain
from builds.packages.cache import PackageCache
from builds.packages.folders import Folders
from builds.pipeline.cache import Cache
from builds.pipeline.state import States
from builds.sandbox.types import Limits, Mount, Sandbox
from builds.settings import Settings
from builds.types import Manifest, Options, StepStatus

_SEARCHABLE = 0o001
_ELSEWHERE = "worldloom-builds-"
# more than a line of a log has, and a secret behind it
_LINE_BYTES = 65_536
_CUT = b"[The rest is cut: a tool may say only so much.]"
# between a room's making and its lock there is a moment
_STALE_S = 10.0


class Told(Protocol):
    """Whoever follows a build."""

    def say(self, step: str, text: str) -> None:
        """Hear some lines of a step."""

    def begin(self, step: str) -> None:
        """Hear that a step begins."""

    def end(self, step: str, status: StepStatus) -> None:
        """Hear how a step ended."""


class Order(Struct, frozen=True):
    """What to build. ``result_id`` names what comes of it in the object store.

    A ``fresh`` build may use nothing that earlier ones have left but what it can check.
    """

    build_id: UUID
    result_id: UUID
    project_id: UUID
    target: str
    options: Options
    manifest: Manifest
    fresh: bool = False


class Rooms(Struct, frozen=True):
    """One build's folders. ``modules`` are packages, which are shared with other builds."""

    tree: Path
    config: Path
    bundle: Path
    site: Path
    root: Path
    modules: Path | None = None

    @property
    def project(self) -> tuple[Mount, ...]:
        """The project as its tools see it, packages included."""
        tree = Mount(self.tree, "/p")
        return (tree, Mount(self.modules, "/p/node_modules")) if self.modules else (tree,)


class Workshop(Struct, frozen=True):
    """What all builds of a worker share."""

    settings: Settings
    sandbox: Sandbox
    cache: Cache
    packages: PackageCache
    vendor: Folders
    states: States
    tsc: Path
    esbuild: Path
    esbuild_digest: str
    rooms: Path


def workshop(settings: Settings, sandbox: Sandbox) -> Workshop:
    """Find the tools and a place to work at, both where the sandbox's own user may read."""
    home = Path(settings.build_cache_dir).absolute()
    place = _open_place(home / "rooms")
    tools = toolchain.find(settings)
    esbuild = _readable(tools.esbuild, place)
    return Workshop(
        settings=settings,
        sandbox=sandbox,
        cache=Cache(home / "blobs"),
        # what a sandbox is to see lies where its user may pass
        packages=PackageCache(place.parent / "npm"),
        vendor=Folders(place.parent / "vendor"),
        states=States(place.parent / "states", settings.state_bytes_max),
        tsc=_readable(tools.tsc, place),
        esbuild=esbuild,
        esbuild_digest=_digest(esbuild),
        rooms=place,
    )


def _digest(tool: Path) -> str:
    """The hash of a tool: what another one makes is not taken for its work."""
    if not tool.is_file():
        return ""
    with tool.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_place(wanted: Path) -> Path:
    wanted.mkdir(parents=True, exist_ok=True)
    wanted.chmod(0o755)
    if _is_open(wanted):
        return wanted
    # below a private home the sandbox's user sees nothing: work where everybody may pass
    mark = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    shared = Path(tempfile.gettempdir()) / f"{_ELSEWHERE}{os.geteuid()}-{mark}"
    shared.mkdir(mode=0o755, exist_ok=True)
    found = shared.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        shared = Path(tempfile.mkdtemp(prefix=_ELSEWHERE))
    shared.chmod(0o755)
    return shared / "rooms"


def leave(shop: Workshop) -> None:
    """Remove what was made outside of our own home, unless somebody works there still."""
    tidy(shop)
    if shop.rooms.parent.name.startswith(_ELSEWHERE):
        with suppress(OSError):
            shop.rooms.mkdir(exist_ok=True)
            shop.rooms.rmdir()
            shutil.rmtree(shop.rooms.parent)


def tidy(shop: Workshop) -> None:
    """Remove what is left over: what caches have too much, and rooms that nobody holds locked."""
    shop.packages.trim(shop.settings.packages_cache_bytes_max)
    shop.vendor.trim(shop.settings.vendor_cache_bytes_max)
    shop.states.trim(shop.settings.states_bytes_max)
    for room in shop.rooms.glob("*"):
        with suppress(OSError), _held(room) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if room.stat().st_mtime < time.time() - _STALE_S:
                shutil.rmtree(room, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[int]:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield opened
    finally:
        os.close(opened)


def _readable(tool: Path, place: Path) -> Path:
    if not tool.exists() or _is_open(tool):
        return tool
    copy = place.parent / "tools" / tool.name
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if tool.is_dir() else shutil.copy2)(tool, copy)
    return copy


def _is_open(path: Path) -> bool:
    """Whether any user may get to ``path``."""
    folders = [p for p in (path, *path.parents) if p.is_dir()]
    return all(p.stat().st_mode & _SEARCHABLE for p in folders)


@asynccontextmanager
async def rooms(shop: Workshop, name: str) -> AsyncGenerator[Rooms]:
    """Folders for one build, gone afterwards."""
    made = _made(shop.rooms, name)
    try:
        with _held(made.root) as lock, stopping.until_the_end():
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield made
    finally:
        # there may be much in them
        await asyncio.to_thread(_clear, made.root)


def _made(place: Path, name: str) -> Rooms:
    place.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=place))
    root.chmod(0o755)
    made = Rooms(root / "tree", root / "config", root / "bundle", root / "site", root)
    for folder in (made.tree, made.config, made.bundle, made.site):
        folder.mkdir()
    return made


def _clear(root: Path) -> None:
    away = root.with_name(f"{root.name}-gone")
    # whoever still writes finds nothing, and puts nothing into what is half removed
    with suppress(OSError):
        root.rename(away)
    shutil.rmtree(away, ignore_errors=True)


class Progress:
    """How a step goes: it succeeds unless somebody says otherwise."""

    def __init__(self) -> None:
        self.status: StepStatus = "success"


@contextmanager
def step(told: Told, name: str) -> Generator[Progress]:
    """Tell of a step's beginning and of its end."""
    progress = Progress()
    told.begin(name)
    try:
        yield progress
    except BaseException:
        progress.status = "failed"
        raise
    finally:
        told.end(name, progress.status)


class Lines:
    """Passes on what a tool says, line by line, however it arrives.

    A sandbox passes on ``most`` bytes and no more; that there was more is said at the end.
    """

    def __init__(self, told: Told, name: str, most: int) -> None:
        self._told = told
        self._name = name
        self._left = most - 1
        self._is_cut = False
        self._rest: list[bytes] = []
        self._rest_bytes = 0

    def __call__(self, piece: bytes) -> None:
        """Hear some bytes."""
        self._is_cut = self._is_cut or len(piece) > self._left
        piece = piece[: self._left]
        self._left -= len(piece)
        ended, newline, rest = piece.rpartition(b"\n")
        if newline:
            self._tell(b"".join([*self._rest, ended]))
            self._rest, self._rest_bytes = [], 0
        # of a line that does not end only so much is kept as the log may show
        kept = rest[: max(0, _LINE_BYTES - self._rest_bytes)]
        if kept:
            self._rest.append(kept)
            self._rest_bytes += len(kept)

    def _tell(self, text: bytes) -> None:
        self._told.say(self._name, text.decode(errors="replace"))

    def close(self) -> None:
        """Pass on what did not end with a line's end."""
        if self._rest:
            self._tell(b"".join(self._rest))
        if self._is_cut:
            self._tell(_CUT)


def limits(settings: Settings, wall_s: float) -> Limits:
    """What one tool may take."""
    return Limits(
        wall_s=wall_s,
        memory_bytes=settings.sandbox_memory_bytes,
        processes=settings.sandbox_processes,
        cpus=settings.sandbox_cpus,
        scratch_bytes=settings.sandbox_scratch_bytes,
        output_bytes=settings.sandbox_output_bytes,
        log_bytes=settings.sandbox_log_bytes,
        files=settings.sandbox_files,
        cpu_s=settings.sandbox_cpu_s,
    )
