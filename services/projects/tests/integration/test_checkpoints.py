"""Checkpoints through HTTP: how many there may be, and who is told of them."""

from services.projects.tests.desk import Desk

from common.testing.apps import Serving


async def test_a_project_has_so_many_checkpoints_and_restores_have_as_many_more(
    serve: Serving,
) -> None:
    async with serve(CHECKPOINTS_PER_PROJECT_MAX="1") as client:
        desk = Desk(client)
        project = await desk.project()
        path = f"{project}/checkpoints"
        made = (await desk.call("POST", path, sends={"name": "one"})).json()["data"]
        restore = f"{path}/{made['id']}/restore"
        assert (await desk.call("POST", restore)).status_code == 200
        for full, amount in (
            (await desk.call("POST", path, sends={"name": "two"}), {"limit": 1, "used": 2}),
            (await desk.call("POST", restore), {"limit": 2, "used": 2}),
        ):
            error = full.json()["error"]
            assert (full.status_code, error["code"]) == (403, "QUOTA_EXCEEDED")
            assert error["details"] == [amount]


async def test_members_alone_are_told_of_checkpoints(desk: Desk) -> None:
    for is_public, status in ((False, 404), (True, 403)):
        project = await desk.staffed(isPublic=is_public)
        path = f"{project}/checkpoints"
        made = (await desk.call("POST", path, sends={"name": "one"})).json()["data"]
        one = f"{path}/{made['id']}"
        for user in (desk.owner, desk.editor, desk.commenter, desk.viewer):
            assert (await desk.call("GET", path, user)).json()["data"] == [made]
            assert (await desk.call("GET", one, user)).json()["data"] == made
        for method, where in (("GET", path), ("GET", one), ("POST", f"{one}/restore")):
            assert (await desk.call(method, where, desk.stranger)).status_code == status
        # what is another project's is not there
        other = f"{await desk.project()}/checkpoints/{made['id']}"
        assert (await desk.call("GET", other)).status_code == 404


async def test_naming_the_past_is_for_those_alone_who_may_write(desk: Desk) -> None:
    project = await desk.staffed()
    await desk.put(project, "a", "1")
    for at in ("0", "1", "2999-01-01T00:00:00Z"):
        sends = {"name": "then", "at": at}
        for user, status in ((desk.stranger, 404), (desk.viewer, 403), (desk.editor, 201)):
            answer = await desk.call("POST", f"{project}/checkpoints", user, sends=sends)
            assert answer.status_code == status
