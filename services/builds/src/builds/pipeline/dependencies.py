"""The step that brings the project's packages: by their lock, from one registry, run by nobody."""

import asyncio
import shutil
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import msgspec
import structlog

from builds import steps, stopping
from builds.packages import lock, tarball
from builds.packages.registry import Registry
from builds.packages.types import Measure, Package
from builds.pipeline import verdicts
from builds.pipeline.context import Rooms, Told, Workshop, step
from builds.types import BuildError
from common.errors import UnavailableError

log = structlog.get_logger()

STEP = steps.DEPENDENCIES

_CODE = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs")
_CONTENT = "content"
_ATTEMPTS = 3


async def installed(
    files: list[str], shop: Workshop, rooms: Rooms, told: Told, held: ExitStack
) -> tuple[Rooms, list[Package]]:
    """Return the rooms with the packages in them, for as long as ``held`` is open."""
    if lock.MANIFEST not in files:
        return rooms, []
    with step(told, STEP) as progress:
        packages = await asyncio.to_thread(_wanted, files, shop, rooms.tree)
        if not packages:
            progress.status = "skipped"
            return rooms, []
        return _furnished(rooms, await planted(packages, shop, told, held)), packages


async def planted(packages: list[Package], shop: Workshop, told: Told, held: ExitStack) -> Path:
    """Return the packages at their places, what is not here fetched, as long as ``held`` is open.

    Raises ``BuildError``; ``FileNotFoundError`` where they are trimmed away again and again.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        await _fetch(packages, shop, told)
        _refuse_many(await asyncio.to_thread(shop.packages.size, packages), shop)
        try:
            return await asyncio.to_thread(held.enter_context, shop.packages.tree(packages))
        except FileNotFoundError:
            # somebody needed the room for other packages
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError  # the last attempt returned or raised


def _furnished(rooms: Rooms, modules: Path) -> Rooms:
    try:
        # what the project has there itself is hidden, as by npm
        (rooms.tree / lock.FOLDER).mkdir(exist_ok=True)
    except FileExistsError as exc:
        message = f"{lock.FOLDER} is a file, where packages should be."
        raise BuildError("CONFIG_INVALID", message) from exc
    return msgspec.structs.replace(rooms, modules=modules)


def _wanted(files: list[str], shop: Workshop, tree: Path) -> list[Package]:
    manifest = _read(tree / lock.MANIFEST, shop.settings.read_bytes_max)
    locked = None
    if lock.LOCK in files:
        locked = _read(tree / lock.LOCK, shop.settings.lock_bytes_max)
    code = [tree / f for f in files if f.endswith(_CODE) and not f.startswith(f"{lock.FOLDER}/")]

    def named(names: set[str]) -> set[str]:
        """Which of the packages the code says, each file of it read once."""
        found: set[str] = set()
        for path in code if names else ():
            found |= lock.names_in(_beginning(path, shop.settings.read_bytes_max)) & names
            if len(found) == len(names):
                break
        return found

    return lock.wanted(manifest, locked, named, packages_max=shop.settings.packages_max)


def _beginning(path: Path, bytes_max: int) -> bytes:
    stopping.look()
    with path.open("rb") as file:
        return file.read(bytes_max)


def _read(path: Path, bytes_max: int) -> bytes:
    if path.stat().st_size > bytes_max:
        raise BuildError("RESOURCE_LIMIT", f"{path.name} has more than {bytes_max} bytes.")
    return path.read_bytes()


async def _fetch(packages: list[Package], shop: Workshop, told: Told) -> None:
    """Bring what is not here yet, a few at a time."""
    missing = {p.integrity: p for p in packages if not shop.packages.has(p)}
    told.say(STEP, f"{len(packages)} packages, {len(missing)} of them fetched, the rest were here.")
    if not missing:
        return
    turns = asyncio.Semaphore(shop.settings.transfers_at_once)
    sizes: list[int] = []
    async with AsyncExitStack() as opened:
        registry = Registry(shop.settings.npm_registry_url, timeout_s=shop.settings.fetch_timeout_s)
        opened.push_async_callback(registry.close)

        async def fetch(package: Package) -> None:
            async with turns:
                sizes.append(await _one(package, shop, registry))
                _refuse_many(sum(sizes), shop)

        try:
            async with asyncio.TaskGroup() as group:
                for package in missing.values():
                    group.create_task(fetch(package))
        except ExceptionGroup as exc:
            # one is enough to say why
            raise exc.exceptions[0] from exc


def _refuse_many(size: int, shop: Workshop) -> None:
    if size > shop.settings.packages_bytes_max:
        most = shop.settings.packages_bytes_max
        message = f"A build's packages have at most {most} bytes, at each place of the lock."
        raise verdicts.excess("disk", message)


async def _one(package: Package, shop: Workshop, registry: Registry) -> int:
    settings = shop.settings
    measure = Measure(
        packed_bytes=settings.package_packed_bytes_max,
        bytes=settings.package_bytes_max,
        files=settings.package_files_max,
    )
    made = await asyncio.to_thread(shop.packages.making)
    try:
        archive = made / "package.tgz"
        await _patiently(package, shop, registry, archive)
        size = await asyncio.to_thread(_unpacked, package, archive, made / _CONTENT, measure)
        await asyncio.to_thread(shop.packages.keep, package, made, size)
        return size
    finally:
        await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)


def _unpacked(package: Package, archive: Path, folder: Path, measure: Measure) -> int:
    folder.mkdir()
    try:
        size = tarball.unpack(archive, folder, measure)
    except BuildError as exc:
        raise BuildError(exc.code, f"{package.name} {package.version}: {exc}.") from exc
    archive.unlink()
    return size


async def _patiently(package: Package, shop: Workshop, registry: Registry, archive: Path) -> None:
    settings = shop.settings
    pause_s = settings.retry_pause_s
    for attempt in range(1, settings.fetch_attempts_max + 1):
        try:
            await registry.tarball(package, archive, settings.package_packed_bytes_max)
        except UnavailableError as exc:
            log.warning("registry_waits", attempt=attempt, error=repr(exc.__cause__ or exc))
            if attempt == settings.fetch_attempts_max:
                message = f"The registry does not give {package.name} now; try again."
                raise BuildError("DEPENDENCY_UNAVAILABLE", message) from exc
        else:
            return
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, settings.retry_pause_s_max)
