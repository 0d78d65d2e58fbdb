"""Scripts of other threads as the tools see them, whatever their files are called."""

from pathlib import Path
from typing import override
from uuid import uuid4

import pytest
from services.builds.tests.followers import Nobody

from builds.pipeline import bundle, check, plan
from builds.pipeline.context import Order, leave, rooms, workshop
from builds.sandbox.bubblewrap import Bubblewrap
from builds.settings import Settings
from builds.types import Manifest, Options

_TOOLS = Path(__file__).parents[4] / "deploy/toolchain"
_ODD = "src/m,source=/etc,destination=/p/z.ts"


class _Remembering(Bubblewrap):
    """The sandbox, and what it was asked for."""

    def __init__(self):
        super().__init__(10_101)
        self.jobs = []

    @override
    async def run(self, job, limits, heard):
        self.jobs.append(job)
        return await super().run(job, limits, heard)


@pytest.fixture
async def shop(tmp_path):
    """A worker's means, with a sandbox that remembers."""
    sandbox = _Remembering()
    await sandbox.prepare()
    sandbox.jobs.clear()
    settings = Settings(
        database_url="",
        fleet_secret="",
        nats_url="",
        play_secret="",
        toolchain_dir=str(_TOOLS),
        build_cache_dir=str(tmp_path),
    )
    made = workshop(settings, sandbox)
    yield made
    leave(made)


async def test_no_file_of_a_project_is_a_place_of_the_sandbox(shop):
    start = "console.log(new URL('./think.ts', import.meta.url));\n"
    files = {
        "src/main.ts": f"import './{_ODD[4:-3]}'; export const n: number = 'no'; {start}",
        _ODD: start.replace("./", "../../../"),
        "src/think.ts": "export {}; postMessage('thought');",
    }
    order = Order(uuid4(), uuid4(), uuid4(), "web", Options(), Manifest(1, [], []))
    async with rooms(shop, "room") as place:
        for path, content in files.items():
            (place.tree / path).parent.mkdir(parents=True, exist_ok=True)
            (place.tree / path).write_text(content)
        found = plan.of(place.tree, 1 << 20)
        (wrong,) = await check.types(order, found, shop, place, Nobody())
        made = await bundle.modules(order, found, shop, place, Nobody())
        assert made.is_whole, made.diagnostics
        text = (place.bundle / made.scripts["src/main.ts"]).read_text()
        assert (place.tree / _ODD).read_text() == files[_ODD]
    # the checker saw what the project says
    assert (wrong.file, wrong.line) == ("src/main.ts", 1)
    assert text.count("./src.think.worker.js") == 2
    targets = {mount.target for job in shop.sandbox.jobs for mount in job.mounts}
    assert targets == {"/t/ts", "/t/esbuild", "/p", "/c"}


_EXOTIC = "console.log('started');"
_NAMES = {
    '{"workers": ["--outbase=..ts"]}': "_-outbase_..worker.js",
    '{"workers": ["--watch=forever.ts"]}': "_-watch_forever.worker.js",
    '{"workers": ["src/a=b.ts"]}': "src.a_b.worker.js",
    '{"entry": "src/a=b.ts"}': "a_b-",
    '{"entry": "--watch=forever.ts"}': "_-watch_forever-",
}


@pytest.mark.parametrize("about", _NAMES)
async def test_a_file_that_is_called_like_an_option_is_bundled_like_others(desk, about):
    files = {
        "src/main.ts": "",
        "src/a=b.ts": _EXOTIC,
        "--watch=forever.ts": _EXOTIC,
        "--outbase=..ts": _EXOTIC,
        "project.json": about,
    }
    project = await desk.project(files, is_public=True)
    build = await desk.ended(await desk.start(project))
    assert build["status"] == "success", (build["errorCode"], build["errorMessage"])
    site = await desk.site(build)
    (name,) = [n for n in site if n.startswith(_NAMES[about]) and n.endswith(".js")]
    assert "started" in (await desk.played(build, name)).text
