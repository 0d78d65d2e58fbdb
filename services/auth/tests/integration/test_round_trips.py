"""How often one request waits for the database."""

from services.auth.tests.desk import Desk, Person

from common.testing.apps import Serving
from fleet.counting import Turns


async def test_what_is_asked_often_costs_one_turn(
    serve: Serving, desk: Desk, told: dict[str, str], turns: Turns
) -> None:
    ann = await desk.person()
    key = (await desk.key(ann))["key"]
    address = turns.url(told["DATABASE_URL"])
    # one connection, and nothing else that talks to the database in between
    quiet = {
        "POOL_SIZE": "1",
        "RELAY_POLL_S": "3600",
        "MAIL_POLL_S": "3600",
        "AUDIT_SEAL_EVERY_S": "3600",
        "NATS_URL": "nats://127.0.0.1:9",
    }
    async with serve(DATABASE_URL=address, **quiet) as client:
        desk.client = client
        await _round(desk, ann, key, turns, ann.refresh_token)  # statements are prepared
        rounds = [
            await _round(desk, ann, key, turns, (await desk.login(ann)).refresh_token)
            for _ in range(3)
        ]
    # what begins with the service takes turns meanwhile, and never fewer
    taken = {name: min(one[name] for one in rounds) for name in rounds[0]}
    # at a login: who it is, and then the session with its token and its event
    assert taken == {"refresh": 1, "key": 1, "me": 1, "ticket": 1, "redeem": 1, "login": 2}


async def _round(desk: Desk, ann: Person, key: str, turns: Turns, token: str) -> dict[str, int]:
    """Ask everything once, and count."""
    taken: dict[str, int] = {}
    turns.taken()
    await desk.refresh(token)
    taken["refresh"] = turns.taken()
    await desk.authorized(key)
    taken["key"] = turns.taken()
    await desk.call("GET", "/me", ann)
    taken["me"] = turns.taken()
    ticket = (await desk.call("POST", "/ws-ticket", ann)).json()["data"]["ticket"]
    taken["ticket"] = turns.taken()
    await desk.call("POST", "/internal/ws-tickets/redeem", sends={"ticket": ticket})
    taken["redeem"] = turns.taken()
    await desk.login(ann)
    taken["login"] = turns.taken()
    return taken
