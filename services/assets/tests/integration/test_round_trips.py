"""How often one request waits for the database."""


async def test_what_is_asked_often_costs_one_turn(serving, desk, environment, turns):
    project = await desk.project(is_public=True)
    asset = (await desk.upload(desk.owner, project, desk.png(filler=b"turns"))).json()["data"]
    paths = [
        f"/api/v1/assets/{asset['id']}",
        f"/api/v1/assets/{asset['id']}/download",
        f"/api/v1/projects/{project}/assets",
        asset["url"].removeprefix("http://localhost:8080"),
        f"/internal/projects/{project}/assets",
        f"/internal/objects/assets/key?x-grant={desk.viewer}.{project}",
    ]
    address = turns.url(environment["DATABASE_URL"])
    # one connection, and nothing else that talks to the database in between
    quiet = {"POOL_SIZE": "1", "RELAY_POLL_S": "3600", "NATS_URL": "nats://127.0.0.1:9"}
    quiet["JOBS_AT_ONCE"] = "0"
    async with serving(DATABASE_URL=address, **quiet) as client:
        desk.client = client
        for path in paths:
            await desk.call("GET", path, desk.viewer)  # statements are prepared
        turns.taken()
        for path in paths:
            answer = await desk.call("GET", path, desk.viewer)
            assert answer.status_code in {200, 302}, path
            assert turns.taken() == 1, path


async def test_an_upload_asks_claims_its_bytes_and_writes_once(serving, desk, environment, turns):
    project = await desk.project()
    address = turns.url(environment["DATABASE_URL"])
    quiet = {"POOL_SIZE": "1", "RELAY_POLL_S": "3600", "NATS_URL": "nats://127.0.0.1:9"}
    quiet["JOBS_AT_ONCE"] = "0"
    async with serving(DATABASE_URL=address, **quiet) as client:
        desk.client = client
        await desk.upload(desk.editor, project, desk.png(), "a.png")
        turns.taken()
        answer = await desk.upload(desk.editor, project, desk.png(), "b.png")
        assert answer.status_code == 201
        assert turns.taken() == 3
