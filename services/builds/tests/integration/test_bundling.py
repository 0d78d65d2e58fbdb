"""Engines that are bundled once for all, scripts of other threads, and what a check remembers."""

import re
import struct
import zlib
from pathlib import Path

import msgspec
import pytest

from common.testing.waiting import until

_ENGINES = Path(__file__).parents[4] / "deploy/engines"
_ENGINE = {
    "build/three.js": "export class Scene {} export const REVISION = 'rev-of-the-engine';",
    "build/three.webgpu.js": "export * from './three.js'; export class Renderer {}",
    "addons/orbit.js": "import { Scene } from 'three'; export class Orbit extends Scene {}",
}
_EXPORTS = {
    ".": "./build/three.js",
    "./webgpu": "./build/three.webgpu.js",
    "./addons/*": "./addons/*",
}
_USE = (
    "// @ts-nocheck\nimport { Scene } from 'three';\n"
    "import { Orbit } from 'three/addons/orbit.js';\n"
    "console.log(new Orbit() instanceof Scene, 'code-of-the-game');"
)


def _engine(registry, version="1.0.0", **more):
    return registry.sell("three", _ENGINE | more, version=version, exports=_EXPORTS, type="module")


async def _public(desk, files):
    build = await desk.ended(await desk.start(await desk.project(files, is_public=True)))
    assert build["status"] == "success", (build["errorCode"], build["errorMessage"])
    return build


async def _map(desk, build):
    text = (await desk.played(build, "")).text
    found = re.search(r'<script type="importmap">(.*?)</script>', text)
    if found is None:
        return {}
    assert text.index("importmap") < text.index('type="module"')
    return msgspec.json.decode(found[1])["imports"]


async def _said(desk, build):
    path = f"/api/v1/builds/{build['id']}/logs"
    return (await desk.call("GET", path, accept="text/plain")).text


async def test_an_engine_is_bundled_once_and_found_by_the_pages_map(desk, registry):
    files = registry.project({"three": _engine(registry)}, _USE)
    first = await _public(desk, files)
    imports = await _map(desk, first)
    assert sorted(imports) == ["three", "three/addons/orbit.js"]
    site = await desk.site(first)
    assert all(path.removeprefix("./") in site for path in imports.values())
    (main,) = [n for n in site if n.startswith("main-") and n.endswith(".js")]
    assert "rev-of-the-engine" not in (await desk.played(first, main)).text
    # the engine is there once: its own module and its addon share it
    scripts = [n for n in site if n.startswith("vendor/")]
    texts = [(await desk.played(first, n)).text for n in scripts]
    assert sum("rev-of-the-engine" in text for text in texts) == 1
    assert "three is bundled once for all" in await _said(desk, first)

    second = await _public(desk, files | {"src/main.ts": _USE + "\nconsole.log('more');"})
    assert await _map(desk, second) == imports
    assert "three is here" in await _said(desk, second)


_REAL = {
    "three": (
        (
            "import * as T from 'three';\n"
            "import { OrbitControls } from 'three/addons/controls/OrbitControls.js';\n"
            "const c = new OrbitControls(new T.PerspectiveCamera()); console.log(c.target.x);"
        ),
        ["three", "three/addons/controls/OrbitControls.js"],
    ),
    "phaser": (
        (
            "import Phaser, { Scene } from 'phaser';\n"
            "class First extends Scene {}\nnew Phaser.Game({ scene: First });"
        ),
        ["phaser"],
    ),
    "pixi.js": (
        (
            "import { Application } from 'pixi.js';\n"
            "const app = new Application(); await app.init(); console.log(app.stage.x);"
        ),
        ["pixi.js"],
    ),
}


@pytest.mark.parametrize("engine", _REAL)
async def test_the_engines_as_they_are_published_are_shared(desk, registry, engine):
    code, imports = _REAL[engine]
    lock = msgspec.json.decode((_ENGINES / "package-lock.json").read_bytes())
    for path, entry in lock["packages"].items():
        if path:
            entry.update(registry.installed(_ENGINES / path, path, entry["version"]))
    build = await _public(
        desk,
        {
            "src/main.ts": code,
            "package.json": (_ENGINES / "package.json").read_text(),
            "package-lock.json": msgspec.json.encode(lock).decode(),
        },
    )
    found = await _map(desk, build)
    assert sorted(found) == imports
    site = await desk.site(build)
    assert all(path.removeprefix("./") in site for path in found.values())
    (main,) = [n for n in site if n.startswith("main-") and n.endswith(".js")]
    assert len((await desk.played(build, main)).content) < 1000


async def test_what_a_map_cannot_give_is_bundled_with_the_game(desk, registry):
    older = registry.sell("user", {"index.js": "exports.x = require('three');"})
    packages = {"three": _engine(registry, "1.0.1"), "user": older}
    required = registry.project(packages, _USE + "import { x } from 'user'; console.log(x);")
    assert await _map(desk, await _public(desk, required)) == {}
    own = registry.project({"three": _engine(registry, "1.0.1")}, _USE)
    own["index.html"] = (
        '<script type="importmap">{"imports": {}}</script>'
        "<script type=module src=src/main.ts></script>"
    )
    build = await _public(desk, own)
    assert not [n for n in await desk.site(build) if n.startswith("vendor/")]


async def test_a_project_cannot_put_anything_into_anothers_engine(desk, registry):
    entry = _engine(registry, "1.0.2")
    harmless = await _public(desk, registry.project({"three": entry}, _USE))
    harmful = registry.project({"three": entry}, _USE) | {
        "node_modules/three/build/three.js": "export const REVISION = 'harm';",
        "tsconfig.json": '{"compilerOptions": {"paths": {"./three.js": ["./src/harm.ts"]}}}',
        "src/harm.ts": "export const REVISION = 'harm';",
    }
    assert await _map(desk, await _public(desk, harmful)) == await _map(desk, harmless)


async def test_a_worker_is_a_bundle_of_its_own(desk, registry):
    start = "new Worker(new URL('./ai/think.ts', import.meta.url), { type: 'module' });\n"
    files = registry.project(
        {"three": _engine(registry, "1.0.3")},
        "// @ts-nocheck\nimport { REVISION } from 'three'; import { far } from './far';\n"
        f"console.log(REVISION, far); {start}",
    ) | {
        "src/far.ts": "export const far = 'shared-with-the-worker';",
        "src/ai/think.ts": (
            "// @ts-nocheck\nimport { far } from '../far'; import { REVISION } from 'three';\n"
            "new Worker(new URL('../other.ts', import.meta.url)); postMessage(far + REVISION);"
        ),
        "src/other.ts": "postMessage('the-other');",
        "src/named.ts": "postMessage('named');",
        "project.json": '{"name": "x", "workers": ["src/named.ts"]}',
    }
    build = await _public(desk, files)
    site = await desk.site(build)
    names = ["src.ai.think.worker.js", "src.named.worker.js", "src.other.worker.js"]
    assert [n for n in site if n.endswith(".worker.js")] == names
    (main,) = [n for n in site if n.startswith("main-") and n.endswith(".js")]
    assert "./src.ai.think.worker.js" in (await desk.played(build, main)).text
    worker = (await desk.played(build, names[0])).text
    assert "./src.other.worker.js" in worker
    assert "shared-with-the-worker" in worker
    assert "rev-of-the-engine" in worker
    assert not re.search(r"\bimport\b(?!\.meta)", worker)


@pytest.mark.parametrize("worker", ["src/nope.ts", "../x.ts", "https://host/x.js"])
async def test_a_named_worker_has_to_be_there(desk, worker):
    about = msgspec.json.encode({"workers": [worker]}).decode()
    build = await desk.built({"src/main.ts": "", "project.json": about})
    assert build["errorCode"] == "ENTRY_MISSING"


async def test_a_worker_that_is_not_there_is_warned_of(desk):
    code = "// @ts-nocheck\n  new Worker(new URL('./nope.ts', import.meta.url));"
    build = await desk.built({"src/main.ts": code})
    assert build["status"] == "success"
    (found,) = build["diagnostics"]
    assert (found["file"], found["line"], found["column"]) == ("src/main.ts", 2, 23)
    assert (found["code"], found["severity"]) == ("WORKER_MISSING", "warning")


async def test_a_check_that_remembers_finds_what_became_wrong(desk):
    uses = "import { f } from './a';\nexport const n: number = f();\n"
    project = await desk.project({"src/main.ts": uses, "src/a.ts": "export const f = () => 1;"})
    assert (await desk.ended(await desk.start(project)))["status"] == "success"
    await desk.write(project, {"src/a.ts": "export const f = () => 'x';"})
    build = await desk.ended(await desk.start(project))
    assert build["errorCode"] == "TYPE_ERROR"
    (found,) = build["diagnostics"]
    assert (found["file"], found["line"], found["column"]) == ("src/main.ts", 2, 14)
    await desk.write(project, {"src/a.ts": "export const f = () => 2;"})
    assert (await desk.ended(await desk.start(project)))["status"] == "success"


def _picture(side=64):
    """A PNG that nobody compressed."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes([9, 99, 199]) * side) * side
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


async def test_an_asset_is_taken_in_fewer_bytes_where_there_are_such(desk):
    project = await desk.project({"src/main.ts": ""}, is_public=True)
    content = _picture()
    await desk.upload(project, "a.png", content)
    path = f"/api/v1/projects/{project}/assets"
    (asset,) = (await desk.call("GET", path, service="assets")).json()["data"]
    asked = await desk.call(
        "PUT",
        f"/api/v1/assets/{asset['id']}/optimize",
        json={"preset": "lossless", "formats": ["png"]},
        service="assets",
    )

    async def made():
        job = await desk.call("GET", asked.headers["location"], service="assets")
        return job.json()["data"]["completedAt"]

    await until(made, within_s=60)
    build = await desk.ended(await desk.start(project))
    assert build["status"] == "success", build
    assert "optimise" in [s["name"] for s in build["steps"]]
    taken = (await desk.played(build, "assets/a.png")).content
    assert taken.startswith(b"\x89PNG")
    assert len(taken) < len(content)
    plain = await desk.ended(await desk.start(project, options={"minify": False}))
    assert (await desk.played(plain, "assets/a.png")).content == content
