"""How often one request waits for the database."""

import asyncio

_GAME = {"index.html": "<script type=module src=src/main.ts></script>", "src/main.ts": "alert(1)"}


async def test_what_is_asked_often_costs_few_turns(desk, company, turns):
    project = await desk.project(_GAME, is_public=True)
    build = await desk.ended(await desk.start(project))
    base = f"/api/v1/builds/{build['id']}"
    body = {"projectId": project, "target": "web"}
    # one connection, and nothing else that talks to the database in between
    quiet = {"POOL_SIZE": "1", "RELAY_POLL_S": "3600", "NATS_URL": "nats://127.0.0.1:9"}
    company.stop("builds")
    try:
        url = turns.url(company.builds_env["DATABASE_URL"])
        # in a thread, because the way that counts is on this event loop
        await asyncio.to_thread(company.start, "builds", DATABASE_URL=url, **quiet)
        asked = [
            ("GET", base, None, 1),
            ("GET", f"{base}/artifacts/web.zip", None, 1),
            ("GET", f"{base}/logs", None, 1),
            ("GET", f"/play/{build['id']}/", None, 1),
            ("GET", f"/internal/objects/builds/x?x-grant={desk.owner}.{project}", None, 1),
            # who may, and then everything that is written, at once
            ("POST", "/api/v1/builds", body, 2),
        ]
        for method, path, json, _ in asked:
            await desk.call(method, path, json=json)  # statements are prepared
        for method, path, json, most in asked:
            taken = []
            for _ in range(3):
                turns.taken()
                answer = await desk.call(method, path, json=json)
                assert answer.status_code in {200, 201, 302}, answer.text
                taken.append(turns.taken())
            # what begins with the service takes turns meanwhile, and never fewer
            assert min(taken) == most, path
    finally:
        await asyncio.to_thread(company.stop, "builds")
        company.start("builds")
