"""The provider that editors use, unmodified, converges."""

import asyncio
from pathlib import Path

import msgspec

HERE = Path(__file__).parents[1] / "npm"


async def test_the_provider_of_npm_converges(desk, node):
    project = await desk.project()
    await desk.write(project, "src/main.ts", "let a = 1;\n")
    users = [desk.owner, desk.editor, desk.viewer]
    running = await asyncio.create_subprocess_exec(
        node,
        "converge.mjs",
        desk.url(f"/documents/{project}"),
        "src/main.ts",
        desk.collab.env["FLEET_SECRET"],
        *[desk.auth.token(user) for user in users],
        cwd=HERE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await asyncio.wait_for(running.communicate(), 60)
    finally:
        if running.returncode is None:
            running.kill()
    assert running.returncode == 0
    began, ended, present = [msgspec.json.decode(line) for line in output.splitlines()]
    assert began == {"began": "let a = 1;\n"}
    assert ended["ended"].startswith("offline ")
    assert ended["ended"].endswith(" online")
    assert {user.get("id") for user in present["users"]} >= {str(desk.owner), str(desk.editor)}
    late = await desk.open(project, "src/main.ts", desk.owner)
    assert str(late.text) == ended["ended"]
