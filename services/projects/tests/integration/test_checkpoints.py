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
