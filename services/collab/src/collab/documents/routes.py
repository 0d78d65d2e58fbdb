"""What the projects service asks of live documents; whoever has the project answers."""

from uuid import UUID

from litestar import Router, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from collab.documents import service
from collab.documents.schema import (
    Held,
    LiveText,
    Opened,
    Released,
    Settled,
    WantedFile,
    WantedFiles,
    WantedHold,
    WantedOpen,
    WantedText,
    Whole,
)
from collab.links.desk import Desk


def _desk(state: State) -> Desk:
    desk: Desk = state.desk
    return desk


@post("/text", status_code=200)
async def text(state: State, project_id: FromPath[UUID], data: JSONBody[WantedText]) -> LiveText:
    """Show the text of a live document."""
    desk = _desk(state)

    async def here() -> LiveText:
        return await service.text(desk.library, project_id, data)

    return await desk.ask(project_id, "text", data, LiveText, here)


@post("/settle", status_code=200)
async def settle(state: State, project_id: FromPath[UUID], data: JSONBody[WantedFiles]) -> Settled:
    """Write documents back."""
    desk = _desk(state)

    async def here() -> Settled:
        return Settled(await service.settle(desk.library, project_id, data.file_ids))

    return await desk.ask(project_id, "settle", data, Settled, here)


@post("/hold", status_code=200)
async def hold(state: State, project_id: FromPath[UUID], data: JSONBody[WantedFiles]) -> Held:
    """Write documents back, and keep them still."""
    desk = _desk(state)

    async def here() -> Held:
        return Held(await desk.holds.hold(project_id, data.file_ids or []))

    return await desk.ask(project_id, "hold", data, Held, here)


@post("/release", status_code=200)
async def release(state: State, project_id: FromPath[UUID], data: JSONBody[WantedHold]) -> Released:
    """Let documents follow their files, and go on."""
    desk = _desk(state)

    async def here() -> Released:
        await desk.holds.release(data.hold_id)
        return Released()

    return await desk.ask(project_id, "release", data, Released, here)


@post("/state", status_code=200)
async def whole(state: State, project_id: FromPath[UUID], data: JSONBody[WantedFile]) -> Whole:
    """Show a document whole, as one update."""
    desk = _desk(state)

    async def here() -> Whole:
        return Whole(await service.state(desk.library, project_id, data.file_id))

    return await desk.ask(project_id, "state", data, Whole, here)


@post("/open", status_code=200)
async def opened(state: State, project_id: FromPath[UUID], data: JSONBody[WantedOpen]) -> Opened:
    """Open a document, and show it whole."""
    desk = _desk(state)

    async def here() -> Opened:
        return await service.opened(desk.library, project_id, data)

    return await desk.ask(project_id, "open", data, Opened, here)


router = Router(
    "/internal/projects/{project_id:uuid}/documents",
    route_handlers=[text, settle, hold, release, whole, opened],
    include_in_schema=False,
)
