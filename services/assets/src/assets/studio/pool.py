"""A few workers for all that is to be decoded: started when they are needed, replaced when lost."""

import asyncio

import structlog
from litestar import Litestar
from msgspec.structs import replace

from assets.settings import Settings
from assets.studio import benches
from assets.studio.messages import Answer, Limits, Task
from assets.studio.process import LostError, Worker
from common.errors import UnavailableError

log = structlog.get_logger()

_WAIT_S = 2


class Studio:
    """Does tasks, a bounded number at once; a bounded number waits."""

    def __init__(self, settings: Settings) -> None:
        self._slots = asyncio.Semaphore(settings.studio_processes)
        self._waiting_max = settings.studio_waiting_max
        self._waiting = 0
        self._idle: list[Worker] = []
        self.limits = Limits(
            memory_bytes=settings.studio_memory_bytes,
            cpu_s=settings.studio_cpu_s,
            wall_s=settings.studio_wall_s,
            file_bytes=settings.asset_bytes_max,
            pixels_max=settings.image_pixels_max,
            duration_ms_max=settings.media_duration_s_max * 1_000,
        )
        self.long_limits = replace(
            self.limits, cpu_s=settings.studio_long_cpu_s, wall_s=settings.studio_long_wall_s
        )

    async def open(self, _app: Litestar) -> None:
        """Clear away what a process that was killed has left; the first task starts a worker."""
        await asyncio.to_thread(benches.clear)

    async def close(self) -> None:
        """End the workers; nothing is asked of them any more."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*[worker.end() for worker in idle])

    async def perform(self, task: Task) -> Answer:
        """Have a task done; raises ``UnavailableError`` where too many wait already."""
        if self._slots.locked() and self._waiting >= self._waiting_max:
            raise UnavailableError("Too many files are being looked at.", wait_s=_WAIT_S)
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._performed(task)
        finally:
            self._slots.release()

    async def _performed(self, task: Task) -> Answer:
        worker = await self._worker()
        is_well = False
        try:
            answer = await worker.ask(task)
            is_well = True
        except LostError as exc:
            log.warning("studio_worker_lost", error=str(exc), medium=task.medium, work=task.work)
            answer = Answer(verdict="demanding", cause=str(exc))
        finally:
            if is_well:
                self._idle.append(worker)
            else:
                await worker.end()
        if answer.verdict == "done" and not answer.is_confined:
            log.warning("studio_not_confined", medium=task.medium)
        return answer

    async def _worker(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            await worker.end()
        try:
            return await Worker.start()
        except OSError as exc:
            log.warning("studio_worker_not_started", error=repr(exc))
            raise UnavailableError from exc
