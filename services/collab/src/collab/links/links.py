"""The sockets that other processes serve: over one link to each, while somebody needs it."""

import asyncio
from collections.abc import Collection
from uuid import UUID

from collab.identity.types import Identity
from collab.leases.schema import Node, Owner
from collab.links import words
from collab.links.outgoing import Outgoing
from collab.settings import Settings
from collab.sockets import closing
from collab.sockets.connection import Socket


class Links:
    """The links from here to others, and since when which projects are theirs."""

    def __init__(self, settings: Settings, here: Node) -> None:
        self._settings = settings
        self._here = here
        self._links: dict[UUID, asyncio.Task[Outgoing]] = {}
        self._passed_on: dict[Socket, int] = {}

    def owners(self) -> dict[UUID, int]:
        """Return by project since which epoch it is another's."""
        return {one.target.project_id: epoch for one, epoch in self._passed_on.items()}

    def end(self, project_ids: Collection[UUID]) -> None:
        """Let those reconnect whose projects have moved on."""
        for socket in tuple(self._passed_on):
            if socket.target.project_id in project_ids:
                socket.shut(closing.RESTARTING, "the project is open elsewhere")

    async def pass_on(self, socket: Socket, identity: Identity, owner: Owner) -> None:
        """Let the owner serve a socket, until either side ends.

        Raises ``OSError`` (``ConnectionRefusedError`` where nobody listens) and ``TimeoutError``.
        """
        self._passed_on[socket] = owner.epoch
        try:
            link = await self._to(owner)
            await link.serve(socket, identity)
        finally:
            del self._passed_on[socket]

    async def _to(self, owner: Owner) -> Outgoing:
        task = self._links.get(owner.id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._open(owner))
            self._links[owner.id] = task
            # all who waited for it may have gone
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _open(self, owner: Owner) -> Outgoing:
        secret = self._settings.fleet_secret
        headers = {
            "x-fleet-secret": secret,
            words.HEADER: words.signed(self._here.id, secret),
        }

        def forget() -> None:
            self._links.pop(owner.id, None)

        link = Outgoing(self._settings, headers, forget)
        try:
            async with asyncio.timeout(self._settings.link_wait_s):
                await _connect(link, owner)
        except BaseException:
            link.end()
            raise
        return link

    async def close(self) -> None:
        """End every link."""
        for task in tuple(self._links.values()):
            task.cancel()
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().end()


async def _connect(link: Outgoing, owner: Owner) -> None:
    await asyncio.get_running_loop().create_connection(lambda: link, owner.host, owner.socket_port)
    if not await link.opened:
        raise ConnectionAbortedError
