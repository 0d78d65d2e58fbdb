"""Sessions that are over: the list that gateways ask for, and the answers that wait for them."""

import asyncio
import time
from collections.abc import AsyncGenerator

import httpx
import pytest
from services.auth.tests.desk import Desk, Person, code

from common.testing.apps import Client, Serving

QUESTION = "/v3/discovery:extension_configs"
PATIENT = {"GATEWAY_SILENT_S": "1", "REVOCATION_SPREAD_S_MAX": "60", "REVOCATIONS_CACHED_S": "0"}


class Gateway:
    """One that asks as Envoy does, when it is told to."""

    def __init__(self, client: Client, name: str = "one") -> None:
        self.client = client
        self.name = name
        self.version = ""
        self.refused: set[str] = set()

    async def ask(self) -> int:
        """Ask once, and keep what is new."""
        headers = {"x-fleet-secret": self.client.secret, "x-internal-caller": self.name}
        # Envoy says a lot about itself
        node = {"id": "gateway", "extensions": [{"name": "a"}, {"name": "b"}]}
        sends = {"version_info": self.version, "node": node, "resource_names": ["revoked"]}
        answer = await self.client.post(QUESTION, headers=headers, json=sends)
        if answer.status_code == 200:
            self._keep(answer)
        return answer.status_code

    async def know(self) -> None:
        """Ask until there is no news: a minute that ends may bring some too."""
        while await self.ask() != 304:
            pass

    def _keep(self, answer: httpx.Response) -> None:
        body = answer.json()
        self.version = body["version_info"]
        matcher = body["resources"][0]["typed_config"]["matcher"]
        assert matcher["on_no_match"]["action"]["typed_config"]["action"] == "ALLOW"
        tree = matcher.get("matcher_tree", {"exact_match_map": {"map": {}}})
        refused = tree["exact_match_map"]["map"]
        assert {one["action"]["typed_config"]["action"] for one in refused.values()} <= {"DENY"}
        self.refused = set(refused)


@pytest.fixture
async def gateway(client: Client) -> Gateway:
    """A gateway that has the list as it is."""
    made = Gateway(client)
    await made.ask()
    return made


async def test_a_session_that_is_over_is_on_the_list(desk: Desk, gateway: Gateway) -> None:
    ann = await desk.person()
    other = await desk.login(ann)
    await gateway.ask()
    assert not gateway.refused & {ann.session_id, other.session_id}
    await desk.call("DELETE", f"/sessions/{other.session_id}", ann)
    assert await gateway.ask() == 200
    assert gateway.refused & {ann.session_id, other.session_id} == {other.session_id}


@pytest.mark.parametrize("scope", ["this", "all", "others"])
async def test_every_way_out_leads_to_the_list(desk: Desk, gateway: Gateway, scope: str) -> None:
    ann = await desk.person()
    mine, other = ann.session_id, (await desk.login(ann)).session_id
    await desk.call("POST", f"/logout?scope={scope}", ann)
    await gateway.ask()
    over = {"this": {mine}, "all": {mine, other}, "others": {other}}
    assert gateway.refused & {mine, other} == over[scope]


async def test_a_session_that_has_expired_is_ended_too(desk: Desk, gateway: Gateway) -> None:
    ann = await desk.person()
    other = await desk.login(ann)
    await desk.run(
        "UPDATE session SET expires_at = now() - interval '1 second' WHERE CAST(id AS text) = :id",
        id=other.session_id,
    )
    await desk.call("POST", "/logout?scope=all", ann)
    await gateway.ask()
    # its last access token was made just before
    assert other.session_id in gateway.refused


async def test_a_stolen_session_is_on_the_list(desk: Desk, gateway: Gateway) -> None:
    ann = await desk.person()
    second = (await desk.refresh(ann.refresh_token)).json()["data"]["refreshToken"]
    await desk.refresh(second)
    assert code(await desk.refresh(ann.refresh_token)) == (401, "REFRESH_TOKEN_REUSED")
    await gateway.ask()
    assert ann.session_id in gateway.refused


async def test_a_session_is_listed_for_as_long_as_its_tokens_would_last(
    desk: Desk, gateway: Gateway
) -> None:
    ann, bob = await desk.person(), await desk.person()
    for who, minutes in ((ann, 10), (bob, 20)):
        await desk.call("POST", "/logout", who)
        await _move(desk, who, minutes)
    await gateway.ask()
    assert ann.session_id in gateway.refused
    assert bob.session_id not in gateway.refused


async def _move(desk: Desk, who: Person, minutes: int) -> None:
    await desk.run(
        "UPDATE session SET revoked_at = revoked_at - make_interval(mins => :minutes)"
        " WHERE CAST(id AS text) = :id",
        minutes=minutes,
        id=who.session_id,
    )


async def test_a_list_that_is_known_is_not_told_again(desk: Desk, gateway: Gateway) -> None:
    await gateway.know()
    other = Gateway(desk.client, "other")
    other.version = gateway.version
    await other.know()
    ann = await desk.person()
    await desk.call("POST", "/logout", ann)
    assert await gateway.ask() == 200
    assert ann.session_id in gateway.refused


async def test_a_gateway_that_has_the_list_waits_for_another(serve: Serving) -> None:
    async with serve(REVOCATIONS_HOLD_S="1", REVOCATIONS_CACHED_S="0.02") as client:
        desk, gateway = Desk(client), Gateway(client)
        ann = await desk.person()
        await gateway.ask()
        # just after news nobody waits
        quiet_at = time.monotonic() + 1
        await gateway.know()
        await asyncio.sleep(quiet_at - time.monotonic())
        asking = asyncio.create_task(gateway.ask())
        assert (await asyncio.wait({asking}, timeout=0.3))[1] == {asking}
        await desk.call("POST", "/logout", ann)
        while await asking == 304:
            asking = asyncio.create_task(gateway.ask())
        assert ann.session_id in gateway.refused


@pytest.mark.parametrize("version", ["", "x", "1", "-1.0-0", "9" * 400])
async def test_a_version_that_was_never_given_is_none(gateway: Gateway, version: str) -> None:
    gateway.version = version
    assert await gateway.ask() == 200


async def test_the_list_is_for_the_fleet(client: Client) -> None:
    answer = await client.post(QUESTION, json={"version_info": ""})
    assert code(answer) == (401, "UNAUTHENTICATED")


async def test_of_questions_the_log_has_those_that_were_refused(
    serve: Serving, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serve(ACCESS_LOG="true") as client:
        gateway = Gateway(client)
        assert await gateway.ask() == 200
        await gateway.know()
        await client.post(QUESTION, json={})
    lines = [line for line in capfd.readouterr().out.splitlines() if QUESTION in line]
    assert ['"status":401' in line for line in lines] == [True]


async def test_the_list_stays_while_the_database_is_away(serve: Serving) -> None:
    async with serve() as client:
        desk, gateway = Desk(client), Gateway(client)
        ann = await desk.person()
        await desk.call("POST", "/logout", ann)
        await gateway.know()
        await client.db.close()
        assert await gateway.ask() == 304
        gateway.version, gateway.refused = "", set()
        assert await gateway.ask() == 200
        assert ann.session_id in gateway.refused


async def test_without_any_list_there_is_none_to_tell(serve: Serving) -> None:
    async with serve() as client:
        await client.db.close()
        assert await Gateway(client).ask() == 503


@pytest.fixture
async def patient(serve: Serving) -> AsyncGenerator[Desk]:
    """A service that waits for its gateways as long as it takes."""
    async with serve(**PATIENT) as client:
        yield Desk(client)


@pytest.mark.parametrize("way", ["DELETE", "logout", "reused"])
async def test_the_answer_waits_until_every_gateway_has_the_list(patient: Desk, way: str) -> None:
    one, two = Gateway(patient.client, "one"), Gateway(patient.client, "two")
    ann = await patient.person()
    other = await patient.login(ann)
    tokens = [other.refresh_token]
    for _ in range(2):
        tokens.append((await patient.refresh(tokens[-1])).json()["data"]["refreshToken"])
    await asyncio.gather(one.ask(), two.ask())
    version = two.version
    ending = asyncio.create_task(
        {
            "DELETE": lambda: patient.call("DELETE", f"/sessions/{other.session_id}", ann),
            "logout": lambda: patient.call("POST", "/logout", other),
            "reused": lambda: patient.refresh(tokens[0]),
        }[way]()
    )
    while other.session_id not in one.refused:
        await asyncio.gather(one.ask(), two.ask())
        two.version = version
    # one has it and says so; the other was told, and has not said that it has it
    for _ in range(20):
        await one.know()
        assert await two.ask() == 200
        two.version = version
        await asyncio.sleep(0.02)
    assert not ending.done()
    while not ending.done():
        await asyncio.gather(one.ask(), two.ask())
    assert (await ending).status_code == {"DELETE": 204, "logout": 204, "reused": 401}[way]


async def test_a_list_that_another_process_told_is_as_good(serve: Serving) -> None:
    told = PATIENT | {"GATEWAY_SILENT_S": "2"}
    async with serve(**told) as here, serve(**told) as there:
        desk, gateway = Desk(here), Gateway(here)
        ann = await desk.person()
        await gateway.ask()
        ending = asyncio.create_task(desk.call("POST", "/logout", ann))
        gateway.client = there
        while ann.session_id not in gateway.refused:
            await gateway.ask()
        await gateway.know()
        assert not ending.done()
        gateway.client = here
        while not ending.done():
            await gateway.know()
        assert (await ending).status_code == 204


async def test_a_gateway_that_has_gone_is_not_waited_for(patient: Desk) -> None:
    one, gone = Gateway(patient.client, "one"), Gateway(patient.client, "gone")
    ann = await patient.person()
    await asyncio.gather(one.ask(), gone.ask())
    ending = asyncio.create_task(patient.call("POST", "/logout", ann))
    while not ending.done():
        await one.ask()
        await asyncio.sleep(0.02)
    assert (await ending).status_code == 204


async def test_who_comes_first_waits_no_longer_than_it_may(serve: Serving) -> None:
    brief = PATIENT | {"GATEWAY_SILENT_S": "60", "REVOCATION_SPREAD_S_MAX": "0.2"}
    async with serve(**brief) as client:
        desk, gateway = Desk(client), Gateway(client)
        ann = await desk.person()
        await gateway.ask()
        assert (await desk.call("POST", "/logout", ann)).status_code == 204
        assert await gateway.ask() == 200
        assert ann.session_id in gateway.refused


async def test_the_fleet_may_ask_whether_a_session_goes_on(desk: Desk) -> None:
    ann = await desk.person()
    path = f"/internal/sessions/{ann.session_id}"
    assert (await desk.call("GET", path)).json() == {"isLive": True}
    await desk.call("POST", "/logout", ann)
    assert (await desk.call("GET", path)).json() == {"isLive": False}
    assert (await desk.call("GET", f"/internal/sessions/{ann.id}")).json() == {"isLive": False}
    assert code(await desk.client.get(path)) == (401, "UNAUTHENTICATED")
