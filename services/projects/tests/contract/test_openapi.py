"""The document that the service describes itself with."""

from services.projects.tests.desk import Desk

from common.testing.apps import Client
from fleet import describe
from tests import documents


def test_every_operation_says_who_may_and_how_often(client: Client) -> None:
    made = describe.document(client.app)
    assert made["paths"]
    assert documents.faults(made) == []


async def test_every_success_is_described(desk: Desk) -> None:
    made = describe.document(desk.client.app)
    project = await desk.project()
    await desk.put(project, "a", "1")
    answers = [
        await desk.call("GET", "/api/v1/projects"),
        await desk.call("GET", "/api/v1/projects?cursor="),
        await desk.call("POST", "/api/v1/projects", sends={"name": "x"}),
        await desk.call("GET", project),
        await desk.call("PUT", project, sends={"name": "x"}),
        await desk.call("PATCH", project, sends={"name": "x"}),
        await desk.call("GET", f"{project}/files"),
        await desk.call("GET", f"{project}/files/a"),
        await desk.put(project, "a", "2"),
        await desk.put(project, "b", "2"),
        await desk.call("POST", f"{project}/files/c", sends={"content": "x"}),
        await desk.call("DELETE", f"{project}/files/c"),
        await desk.batch(project, {"op": "delete", "path": "b"}),
        await desk.call("GET", f"{project}/tree"),
        await desk.call("GET", f"{project}/collaborators"),
        await desk.call("POST", f"{project}/fork"),
        copying := await desk.call("POST", f"{project}/duplicate"),
        await desk.call("GET", "/api/v1/projects/jobs"),
        await desk.call("GET", copying.headers["location"]),
        await desk.call("DELETE", project),
    ]
    assert all(answer.is_success for answer in answers)
    assert documents.strays(made, answers) == []
