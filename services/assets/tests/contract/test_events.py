"""The events of assets, at both ends."""

import msgspec

from assets.library.events import SUBSCRIPTIONS
from common.contracts import assets
from common.contracts.projects import AccessChanged

ANNOUNCED = {
    event.subject: event
    for event in (
        assets.AssetCreated,
        assets.AssetUpdated,
        assets.AssetVersionAdded,
        assets.AssetDeleted,
        assets.AssetRestored,
    )
}


async def test_whatever_is_announced_is_in_the_contract(desk):
    project = await desk.project()
    asset = (await desk.upload(desk.owner, project, desk.png())).json()["data"]
    path = f"/api/v1/assets/{asset['id']}"
    await desk.call("PATCH", path, desk.owner, json={"name": "other.png"})
    await desk.version(desk.owner, asset["id"], desk.png(filler=b"other"))
    await desk.call("DELETE", path, desk.owner)
    await desk.call("POST", f"{path}/restore", desk.owner)
    events = await desk.events(project)
    assert [subject for subject, _ in events] == list(ANNOUNCED)
    for subject, data in events:
        decoded = msgspec.convert(data, ANNOUNCED[subject])
        assert msgspec.to_builtins(decoded) == data


def test_subjects_name_their_owner():
    assert all(subject.startswith("assets.asset.") for subject in ANNOUNCED)
    assert [s.event for s in SUBSCRIPTIONS] == [AccessChanged]
