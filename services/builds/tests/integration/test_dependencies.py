"""Packages by their lock: from one registry, checked, unpacked, and never run."""

import base64
import hashlib

import pytest


async def _code(desk, build):
    (name,) = [n for n in await desk.site(build) if n.startswith("main-") and n.endswith(".js")]
    return (await desk.played(build, name)).text


async def test_packages_are_bundled_with_the_code_and_their_types_are_known(desk, registry):
    lib = registry.sell(
        "@game/math",
        {
            "index.js": "import { two } from 'inner'; export const twice = (n) => n * two;",
            "index.d.ts": "export declare function twice(n: number): number;",
        },
        types="index.d.ts",
        module="index.js",
        scripts={"postinstall": "exit 1"},
    )
    inner = registry.sell("inner", {"index.js": "export const two = 'inner-of-the-game';"})
    plain = registry.sell("plain", {"index.js": "module.exports = { name: 'plain-of-the-game' };"})
    typed = registry.sell("@types/plain", {"index.d.ts": "export declare const name: string;"})
    files = registry.project(
        {
            "@game/math": lib | {"dependencies": {"inner": "*"}},
            "inner": inner,
            "plain": plain,
            "@types/plain": typed | {"dev": True},
        },
        "import { twice } from '@game/math'; import { name } from 'plain';\n"
        "document.title = name + twice(2).toFixed();",
        dependencies={"@game/math": "^1.0.0", "plain": "1"},
        devDependencies={"@types/plain": "1"},
    )
    whole = await desk.project(files, is_public=True)
    build = await desk.ended(await desk.start(whole))
    assert build["status"] == "success", build
    steps = [s["name"] for s in build["steps"] if s["status"] == "success"]
    assert steps == ["fetch", "dependencies", "check", "bundle", "package", "publish"]
    code = await _code(desk, build)
    assert "plain-of-the-game" in code
    assert "inner-of-the-game" in code

    registry.asked.clear()
    wrong = files | {"src/main.ts": "import { twice } from '@game/math';\ntwice('x');"}
    build = await desk.built(wrong)
    assert build["errorCode"] == "TYPE_ERROR"
    (found,) = build["diagnostics"]
    assert (found["file"], found["line"], found["column"]) == ("src/main.ts", 2, 7)
    assert registry.asked == []


async def test_an_address_in_a_lock_is_not_followed(desk, registry):
    entry = registry.sell("honest", {"index.js": "export default 1;"})
    elsewhere = f"{registry.url}elsewhere.tgz"
    files = registry.project({"honest": entry | {"resolved": elsewhere}}, "import 'honest';")
    build = await desk.built(files)
    assert build["status"] == "success", build
    assert "/npm/elsewhere.tgz" not in registry.asked


def _corrupt(registry):
    entry = registry.sell("corrupt", {"index.js": "1"})
    registry.sell("corrupt", {"index.js": "2"})
    return {"corrupt": entry}


def _absent(_):
    digest = base64.b64encode(hashlib.sha512(b"absent").digest()).decode()
    return {"absent": {"version": "1.0.0", "integrity": f"sha512-{digest}"}}


def _linked(registry):
    body = registry.packed({"index.js": "1"}, link="/etc/passwd")
    return {"linked": registry.offer("linked", body)}


def _reaching(registry):
    return {"reaching": registry.offer("reaching", registry.packed({"../../../../x.js": "1"}))}


def _page(registry):
    return {"page": registry.offer("page", b"<html>sign in</html>")}


def _bomb(registry):
    return {"bomb": registry.offer("bomb", registry.packed({"index.js": b"\0" * (129 << 20)}))}


def _crowd(registry):
    files = dict.fromkeys((f"f{n}.js" for n in range(5001)), "")
    return {"crowd": registry.offer("crowd", registry.packed(files))}


def _redirected(registry):
    entry = registry.offer("sent", b"", status=302, location="http://localhost:1/x.tgz")
    return {"sent": entry}


def _failing(registry):
    return {"failing": registry.offer("failing", b"", status=503)}


@pytest.mark.parametrize(
    ("packages", "code"),
    [
        (_corrupt, "DEPENDENCY_CORRUPT"),
        (_absent, "DEPENDENCY_UNAVAILABLE"),
        (_failing, "DEPENDENCY_UNAVAILABLE"),
        (_linked, "DEPENDENCY_REFUSED"),
        (_reaching, "DEPENDENCY_REFUSED"),
        (_page, "DEPENDENCY_REFUSED"),
        (_bomb, "DEPENDENCY_REFUSED"),
        (_crowd, "DEPENDENCY_REFUSED"),
        (_redirected, "DEPENDENCY_REFUSED"),
    ],
)
async def test_a_package_that_is_not_what_it_should_be_ends_the_build(
    desk, registry, packages, code
):
    build = await desk.built(registry.project(packages(registry), "document.title = 'x';"))
    assert (build["status"], build["errorCode"]) == ("failed", code), build
    assert [s["name"] for s in build["steps"]] == ["fetch", "dependencies"]


async def test_a_redirect_within_the_registry_is_followed(desk, registry):
    entry = registry.sell("moved", {"index.js": "export default 1;"})
    registry.answers["/npm/there.tgz"] = registry.answers["/npm/moved/-/moved-1.0.0.tgz"]
    registry.offer("moved", b"", status=302, location="/npm/there.tgz")
    build = await desk.built(registry.project({"moved": entry}, "import 'moved';"))
    assert build["status"] == "success", build


async def test_dependencies_without_a_lock_are_not_guessed(desk, registry):
    files = registry.project({}, "", dependencies={"x": "1"})
    del files["package-lock.json"]
    build = await desk.built(files)
    assert build["errorCode"] == "DEPENDENCY_UNLOCKED"
    (found,) = build["diagnostics"]
    assert found["file"] == "package-lock.json"
    assert registry.asked is not None
