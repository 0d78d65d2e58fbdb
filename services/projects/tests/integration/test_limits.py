"""How much there may be, with limits that a test can reach."""

from services.projects.tests.desk import Desk

from common.testing.apps import Serving


async def test_there_is_a_limit_to_projects(serve: Serving) -> None:
    async with serve(PROJECTS_PER_USER_MAX="2") as client:
        desk = Desk(client)
        first, _ = await desk.project(), await desk.project()
        answer = await desk.call("POST", "/api/v1/projects", sends={"name": "x"})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (403, "QUOTA_EXCEEDED")
        assert error["details"] == [{"limit": 2, "used": 2}]
        await desk.call("DELETE", first)
        third = await desk.project()
        full = await desk.call("POST", f"{first}/restore")
        assert (full.status_code, full.json()["error"]["code"]) == (403, "QUOTA_EXCEEDED")
        assert full.json()["error"]["details"] == [{"limit": 2, "used": 2}]
        await desk.call("DELETE", third)
        assert (await desk.call("POST", f"{first}/restore")).status_code == 200


async def test_there_is_a_limit_to_files(serve: Serving) -> None:
    async with serve(FILES_PER_PROJECT_MAX="3") as client:
        desk = Desk(client)
        project = await desk.project()
        steps = [{"op": "create", "path": f"f{n}", "content": "x"} for n in range(4)]
        refused = await desk.batch(project, *steps)
        assert refused.json()["error"]["code"] == "QUOTA_EXCEEDED"
        assert await desk.tree(project) == {}
        assert (await desk.batch(project, *steps[:3])).status_code == 200


async def test_there_is_a_limit_to_the_bytes_of_a_batch(serve: Serving) -> None:
    async with serve(BATCH_BYTES_MAX="1000") as client:
        desk = Desk(client)
        project = await desk.project()
        step = {"op": "create", "path": "f", "content": "x" * 1000}
        refused = await desk.batch(project, step)
        assert refused.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"


async def test_there_is_a_limit_to_a_body(serve: Serving) -> None:
    async with serve(BODY_BYTES_MAX="1000") as client:
        desk = Desk(client)
        sends = {"name": "x", "description": "y" * 2000}
        refused = await desk.call("POST", "/api/v1/projects", sends=sends)
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_there_is_a_limit_to_what_is_said_of_a_project(serve: Serving) -> None:
    async with serve(PROJECT_BYTES_MAX="2000") as client:
        desk = Desk(client)
        project = await desk.project(settings={"a": "x" * 1000})
        for method, path, sends in (
            ("POST", "/api/v1/projects", {"name": "x", "settings": {"a": "x" * 2000}}),
            ("PUT", project, {"name": "x", "settings": {"a": "x" * 2000}}),
            ("PATCH", project, {"settings": {"b": "x" * 1000}}),
        ):
            refused = await desk.call(method, path, sends=sends)
            assert refused.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
        kept = (await desk.call("GET", project)).json()["data"]["settings"]
        assert kept == {"a": "x" * 1000}
