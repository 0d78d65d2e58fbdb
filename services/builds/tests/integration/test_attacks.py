"""Projects that mean harm, built like any other: each ends with a code of its own."""

import pytest

_PAGE = "<script type=module src=src/main.ts></script>"
_ENV = 'import e from "{path}" with {{ type: "text" }}; console.log(e);'
_LONG = f'{{"compilerOptions": {{"paths": {{"x": ["{"y" * 100_000}"]}}}}}}'
_READS = [
    "/proc/1/environ",
    "/proc/self/environ",
    "../../../../proc/1/environ",
    "/etc/passwd",
    "/t/busybox",
]


async def _build(desk, files):
    build = await desk.built({"index.html": _PAGE, "src/main.ts": ""} | files)
    text = await desk.call("GET", f"/api/v1/builds/{build['id']}/logs", accept="text/plain")
    env = desk.company.builds_env
    told = text.text + str(build["diagnostics"]) + str(build["errorMessage"])
    for name in ("FLEET_SECRET", "PLAY_SECRET", "S3_SECRET_KEY", "NATS_PASSWORD"):
        assert env[name] not in told, name
    return build


@pytest.mark.parametrize("path", _READS)
async def test_no_file_but_the_projects_goes_into_a_bundle(desk, path):
    declared = {"src/any.d.ts": "declare module '*' { const t: string; export default t; }"}
    ignored = {"src/main.ts": "// @ts-nocheck\n" + _ENV.format(path=path)}
    build = await _build(desk, declared | ignored)
    assert build["status"] == "failed"
    assert build["errorCode"] in {"OUTSIDE_PROJECT", "BUNDLE_ERROR", "TYPE_ERROR"}


async def test_a_style_cannot_take_in_what_a_module_cannot(desk):
    build = await _build(
        desk,
        {
            "src/main.ts": '// @ts-nocheck\nimport "./a.css";',
            "src/a.css": 'a { background: url("/proc/1/environ") } @import "/etc/passwd";',
        },
    )
    assert build["status"] == "failed"


async def test_a_configuration_cannot_reach_out(desk):
    harmful = (
        '{"extends": "/proc/1/environ", "files": ["/etc/passwd"], "compilerOptions":'
        ' {"outDir": "/o", "plugins": [{"name": "x"}], "tsBuildInfoFile": "/o/x"}}'
    )
    scripts = '{"scripts": {"postinstall": "touch /o/x", "build": "touch /o/y"}}'
    build = await _build(desk, {"tsconfig.json": harmful, "package.json": scripts})
    assert build["status"] == "success"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"index.html": "<script type=module src=nope.ts></script>"}, "ENTRY_MISSING"),
        ({"index.html": "<p>", "src/main.ts": "", "project.json": "{"}, "CONFIG_INVALID"),
        ({"project.json": '{"entry": "x.ts"}', "index.html": "<p>"}, "ENTRY_MISSING"),
        ({"tsconfig.json": "{"}, "CONFIG_INVALID"),
        ({"src/main.ts": "let = ;"}, "TYPE_ERROR"),
        ({"src/main.ts": "// @ts-nocheck\nimport './nope'"}, "BUNDLE_ERROR"),
        ({"src/main.ts": "import './main'; import '../../x'"}, "TYPE_ERROR"),
        ({"project.json": '{"entry": "a\\u0000.ts"}', "index.html": "<p>"}, "ENTRY_MISSING"),
        ({"index.html": "<script type=module src='a\0.ts'></script>"}, "ENTRY_MISSING"),
        ({"src/main.ts": f"import {'x' * 100_000!r}"}, "TYPE_ERROR"),
        ({"src/main.ts": "import 'a\0b'"}, "TYPE_ERROR"),
        ({"tsconfig.json": "/* " * 100_000}, "CONFIG_INVALID"),
        ({"tsconfig.json": _LONG}, "CONFIG_INVALID"),
        ({"tsconfig.json": " " * 1_048_577}, "RESOURCE_LIMIT"),
        ({"index.html": " " * 1_048_577}, "RESOURCE_LIMIT"),
    ],
)
async def test_a_broken_project_is_told_how(desk, files, code):
    build = await _build(desk, files)
    assert (build["status"], build["errorCode"]) == ("failed", code)
    assert len(build["errorMessage"]) <= 4000


@pytest.mark.parametrize("config", ['{"compilerOptions": null}', '{"compilerOptions": [1]}'])
async def test_a_configuration_of_nothing_is_none(desk, config):
    build = await _build(desk, {"tsconfig.json": config})
    assert build["status"] == "success"


async def test_a_page_without_an_end_is_taken_as_it_is(desk):
    build = await _build(desk, {"index.html": _PAGE + "<!-- <a " * 20_000})
    assert build["status"] == "success"


async def test_a_circle_of_modules_is_no_fault(desk):
    circle = {
        "src/main.ts": "import { b } from './b'; export const a = 1; console.log(b);",
        "src/b.ts": "import { a } from './main'; export const b = () => a;",
    }
    assert (await _build(desk, circle))["status"] == "success"


async def test_a_flood_of_errors_is_cut(desk):
    lines = "".join(f"export const v{i}: number = 'x';\n" for i in range(8000))
    build = await _build(desk, {"src/main.ts": lines})
    assert build["errorCode"] == "TYPE_ERROR"
    assert len(build["diagnostics"]) == 200
    page = await desk.call("GET", f"/api/v1/builds/{build['id']}/logs?from=4999&limit=100")
    assert any("cut here" in line["text"] for line in page.json()["data"]["lines"])


async def test_nesting_without_end_hurts_nobody(desk):
    bomb = {"src/main.ts": "export const x = " + "[" * 200_000 + "]" * 200_000}
    build = await _build(desk, bomb)
    assert build["status"] in {"failed", "timed_out"}
    assert (await _build(desk, {}))["status"] == "success"
