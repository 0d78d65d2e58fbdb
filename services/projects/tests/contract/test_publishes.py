"""What the projects service announces, in its contract's words: every event, and nothing else."""

from uuid import UUID

from services.projects.tests.desk import Desk

from common.contracts import projects as contract
from common.testing import outboxes
from projects.members import repository as members


async def test_every_event_is_in_the_contract_and_the_contract_has_no_other(desk: Desk) -> None:
    project = await desk.project(isPublic=True)
    member = f"{project}/collaborators/{desk.editor}"
    await desk.put(project, "a", "1")
    await desk.put(project, "a", "2")
    await desk.batch(project, {"op": "move", "path": "a", "to": "b"})
    await desk.call("DELETE", f"{project}/files/b")
    project_id = UUID(project.rpartition("/")[2])
    await members.add(desk.client.db, project_id, desk.editor, "viewer", "ann", "Ann")
    await desk.call("PATCH", member, sends={"role": "editor"})
    await desk.call("DELETE", member)
    await desk.call("PATCH", project, sends={"isPublic": False})
    await desk.call("DELETE", project)
    await desk.call("POST", f"{project}/restore")
    kinds = outboxes.kinds_of(contract)
    assert all(kind.subject.startswith("projects.") for kind in kinds)
    announced = await desk.events(project)
    assert outboxes.strays(announced, kinds) == []
    # who is added is asked for at auth, and what a project starts with at the registry
    elsewhere = {contract.MemberAdded.subject, contract.TreeFilled.subject}
    said = {event.subject for event in announced} | elsewhere
    assert said == {kind.subject for kind in kinds}


def test_a_subject_says_who_what_and_which_version() -> None:
    for kind in outboxes.kinds_of(contract):
        service, noun, past, version = kind.subject.split(".")
        assert (service, version) == ("projects", "v1")
        assert noun.isidentifier()
        assert past.isidentifier()
