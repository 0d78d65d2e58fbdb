"""The events of auth: everything that can be announced is, and each fits its contract."""

from services.auth.tests.browser import Browser, whose
from services.auth.tests.desk import Desk, Person
from services.auth.tests.elsewhere import Elsewhere
from services.auth.tests.letterbox import Letterbox

from common.contracts import auth as contract
from common.testing import outboxes


async def test_whatever_is_announced_is_in_the_contract(
    desk: Desk, letterbox: Letterbox, elsewhere: Elsewhere, browser: Browser
) -> None:
    ann = await desk.person()
    given = await letterbox.token(ann.email, "Confirm your e-mail address")
    await desk.call("POST", "/verify", sends={"token": given})
    changes = {"currentPassword": ann.password, "password": "a whole new password"}
    await desk.call("POST", "/password/change", ann, sends=changes)
    await desk.call("PATCH", "/api/v1/users/me", ann, sends={"displayName": "Ann"})
    made = await desk.key(ann)
    await desk.call("DELETE", f"/api-keys/{made['id']}", ann)
    successor = (await desk.refresh(ann.refresh_token)).json()["data"]["refreshToken"]
    await desk.refresh(successor)
    await desk.refresh(ann.refresh_token)
    await _linked(desk, ann, elsewhere, browser)
    await _administered(desk, ann)
    await desk.call("DELETE", "/api/v1/users/me", ann)
    events = await desk.events(ann)
    kinds = outboxes.kinds_of(contract)
    assert outboxes.strays(events, kinds) == []
    assert {event.subject for event in events} == {kind.subject for kind in kinds}


async def _linked(desk: Desk, who: Person, elsewhere: Elsewhere, browser: Browser) -> None:
    """Let somebody have another way in for a while."""
    login = f"s-{desk.mark}"
    await elsewhere.corp.knows(login, email=who.email, email_verified=True)
    entered = whose(await elsewhere.log_in(browser, login))
    path = "/api/v1/users/me/identities"
    [identity] = (await desk.call("GET", path, entered)).json()["data"]
    await desk.call("DELETE", f"{path}/{identity['id']}", entered)


async def _administered(desk: Desk, who: Person) -> None:
    """Let an administrator do to somebody whatever can be done."""
    admin = await desk.person()
    await desk.run("UPDATE account SET role = 'admin' WHERE id = :id", id=admin.id)
    for changes in ({"role": "admin"}, {"disabled": True}, {"disabled": False}):
        await desk.call("PATCH", f"/api/v1/users/{who.id}", admin, sends=changes)


def test_subjects_name_their_owner() -> None:
    assert all(kind.subject.startswith("auth.") for kind in outboxes.kinds_of(contract))
