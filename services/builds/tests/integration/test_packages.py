"""Packages, read by the tools that they are made for."""

import asyncio
import zipfile
from pathlib import Path

import msgspec

from builds.packagers import asar, cordova, electron, zips

_NPM = Path(__file__).parents[1] / "npm"


async def _run(node, script, *words):
    running = await asyncio.create_subprocess_exec(
        node,
        script,
        *map(str, words),
        cwd=_NPM,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, faults = await running.communicate()
    assert running.returncode == 0, faults.decode()
    return msgspec.json.decode(said.splitlines()[-1])


def _packed(packager, game, folder):
    """The package of a game, unpacked."""
    scratch = folder / "scratch"
    scratch.mkdir()
    zips.write(packager.pack(game(folder / "site"), scratch), folder / "package.zip")
    with zipfile.ZipFile(folder / "package.zip") as opened:
        opened.extractall(folder / "package")
    return folder / "package"


async def test_electron_s_own_package_reads_the_archive_and_agrees_on_every_hash(
    node, game, tmp_path
):
    package = _packed(electron, game, tmp_path)
    seen = await _run(node, "asar.cjs", package / "app.asar", tmp_path / "out")
    assert seen["wrong"] == []
    assert seen["isSameAsTheirs"]
    assert seen["listed"] == len(seen["files"])
    assert {"main.js", "package.json", "icon.png", "site/index.html"} <= set(seen["files"])
    assert seen["blocks"]["site/assets/empty.txt"] == 1
    assert seen["blocks"]["site/assets/blocks.bin"] == 2
    for path, source in game(tmp_path / "again").files.items():
        if path != "index.html":
            assert (tmp_path / "out/site" / path).read_bytes() == source.read_bytes()


async def test_a_file_of_whole_blocks_is_hashed_as_electron_s_own_package_does(
    node, game, tmp_path
):
    whole = game(tmp_path, ["index.html", "assets/whole.bin"])
    assert whole.files["assets/whole.bin"].stat().st_size == asar.BLOCK_BYTES
    asar.write(dict(whole.files), tmp_path / "x.asar")
    seen = await _run(node, "asar.cjs", tmp_path / "x.asar", tmp_path / "out")
    assert (seen["wrong"], seen["isSameAsTheirs"]) == ([], True)


async def test_the_application_shuts_the_game_in(node, game, tmp_path):
    package = _packed(electron, game, tmp_path)
    await _run(node, "asar.cjs", package / "app.asar", tmp_path / "app")
    asked = [
        ["game://site/"],
        ["game://site/main-AAAAAAAA.js", {"range": "bytes=2-9"}],
        ["game://site/assets/gr%C3%B6%C3%9Fe%20%26%20%3C1%3E.json"],
        ["game://site/style.css", {"range": "bytes=99-"}],
        ["game://site/..%2fpackage.json"],
        ["game://site/%2e%2e/main.js"],
        ["game://elsewhere/index.html"],
        ["game://site/nothing"],
        ["game://site/%zz"],
    ]
    seen = await _run(node, "electron.cjs", tmp_path / "app", msgspec.json.encode(asked).decode())
    assert seen["isSandboxed"]
    (window,) = seen["windows"]
    assert window["contextIsolation"]
    assert window["sandbox"]
    assert not window["nodeIntegration"]
    assert not window["webviewTag"]
    assert "preload" not in window
    assert seen["address"] == "game://site/"
    assert [a["status"] for a in seen["answers"]] == [200, 206, 200, 416, 404, 404, 404, 404, 404]
    page, part = seen["answers"][:2]
    assert "<canvas" in page["body"]
    assert page["headers"]["content-type"] == "text/html; charset=utf-8"
    assert "object-src 'none'" in page["headers"]["content-security-policy"]
    assert part["body"] == "cument.t"
    assert seen["away"] == {"isPrevented": True, "open": "deny"}
    assert seen["home"] == {"isPrevented": False, "open": "deny"}
    assert seen["webview"]["isPrevented"]
    assert seen["permitted"] == {"fullscreen": True, "media": False, "geolocation": False}


async def test_what_the_packages_run_is_parsed_by_node(node):
    templates = Path(electron.__file__).parent / "templates"
    for script in sorted(templates.glob("*.js")):
        running = await asyncio.create_subprocess_exec(node, "--check", script)
        assert await running.wait() == 0, script.name


async def test_cordova_s_own_packages_read_the_project_and_make_android_of_it(node, game, tmp_path):
    package = _packed(cordova, game, tmp_path)
    seen = await _run(node, "cordova.cjs", package)
    assert (seen["id"], seen["name"], seen["version"]) == (
        "com.example.ruhm",
        "Größe & <Ruhm>",
        "1.2.3",
    )
    assert seen["description"] == 'Said "so"'
    assert seen["orientation"] == "landscape"
    assert seen["icons"] == ["res/icon.png"]
    assert seen["splashes"] == ["res/splash.png"]
    assert 'android:screenOrientation="landscape"' in seen["manifest"]
    assert "com.example.ruhm" in seen["namespace"]
    assert "<canvas" in seen["page"]
    assert seen["bridge"]
    assert seen["made"] > 0
    assert seen["warnings"] == []
