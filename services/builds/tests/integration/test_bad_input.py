"""Projects with a mistake in them: each is told where it is, as both tools see it."""

import msgspec
import pytest

_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'
_NC = "// @ts-nocheck\n"
_FACE = "\N{GRINNING FACE}\xe9"


def _at(file, line, column, code, severity="error"):
    return (file, line, column, code, severity)


_NOWHERE = (None, None)
_CASES = {
    "what is no syntax": (
        {"src/main.ts": "const a = 1;\n  let = ;\n"},
        "TYPE_ERROR",
        [_at("src/main.ts", 2, 9, "TS1109"), _at("src/main.ts", 2, 9, "ESBUILD")],
    ),
    "a wrong type": (
        {"src/main.ts": "import './b';", "src/b.ts": "\nexport const a: number = 'x';"},
        "TYPE_ERROR",
        [_at("src/b.ts", 2, 14, "TS2322")],
    ),
    "an odd file name": (
        {"src/main.ts": "import './a (1)';", "src/a (1).ts": "export const a: number = 'x';"},
        "TYPE_ERROR",
        [_at("src/a (1).ts", 1, 14, "TS2322")],
    ),
    "a column behind characters of several bytes, for the checker": (
        {"src/main.ts": f"const s = '{_FACE}'; export const n: number = s;"},
        "TYPE_ERROR",
        [_at("src/main.ts", 1, 31, "TS2322")],
    ),
    "a column behind characters of several bytes, for the bundler": (
        {"src/main.ts": f"{_NC}const s = '{_FACE}'; import './nope';"},
        "BUNDLE_ERROR",
        [_at("src/main.ts", 2, 25, "ESBUILD")],
    ),
    "a module that is not there": (
        {"src/main.ts": f"{_NC}import './nope';"},
        "BUNDLE_ERROR",
        [_at("src/main.ts", 2, 8, "ESBUILD")],
    ),
    "a name that is not there": (
        {"src/main.ts": f"{_NC}import {{ b }} from './b'; b();", "src/b.ts": "export const c = 1;"},
        "BUNDLE_ERROR",
        [_at("src/main.ts", 2, 10, "ESBUILD")],
    ),
    "a package that nobody locked": (
        {"src/main.ts": f"{_NC}\nimport x from 'left-pad'; x();"},
        "BUNDLE_ERROR",
        [_at("src/main.ts", 3, 15, "ESBUILD")],
    ),
    "a path out of the project": (
        {"src/main.ts": f"{_NC}import '../../x';"},
        "BUNDLE_ERROR",
        [_at("src/main.ts", 2, 8, "ESBUILD")],
    ),
    "a path of the machine": (
        {"src/main.ts": f"{_NC}import '/etc/passwd';"},
        "BUNDLE_ERROR",
        [_at("src/main.ts", 2, 8, "ESBUILD")],
    ),
    "data that are none": (
        {"src/main.ts": f"{_NC}import x from './x.json'; x;", "src/x.json": "{\n  a"},
        "TYPE_ERROR",
        [
            _at("src/x.json", 2, 3, "TS1136"),
            _at("src/x.json", 2, 4, "TS1005"),
            _at("src/x.json", 2, 3, "ESBUILD"),
        ],
    ),
    "a style with a picture that is not there": (
        {"src/main.ts": f"{_NC}import './a.css';", "src/a.css": "a {\n  color: url(x.png) }"},
        "BUNDLE_ERROR",
        [_at("src/a.css", 2, 10, "ESBUILD")],
    ),
    "a page that starts nothing": (
        {"index.html": "<script type=module src=nope.ts></script>"},
        "ENTRY_MISSING",
        [_at("index.html", *_NOWHERE, "ENTRY_MISSING")],
    ),
    "a start that is not there": (
        {"index.html": "<p>", "project.json": '{"entry": "x.ts"}'},
        "ENTRY_MISSING",
        [_at("project.json", *_NOWHERE, "ENTRY_MISSING")],
    ),
    "a project.json that is none": (
        {"project.json": '{"entry": 5}'},
        "CONFIG_INVALID",
        [_at("project.json", *_NOWHERE, "CONFIG_INVALID")],
    ),
    "a tsconfig.json that is none": (
        {"tsconfig.json": "{"},
        "CONFIG_INVALID",
        [_at("tsconfig.json", *_NOWHERE, "CONFIG")],
    ),
    "an option that there is not": (
        {"src/main.ts": "", "tsconfig.json": '{"compilerOptions": {"target": "es1999"}}'},
        "TYPE_ERROR",
        [_at("tsconfig.json", *_NOWHERE, "TS6046")],
    ),
    "what is odd and no mistake": (
        {"src/main.ts": f"{_NC}export const o = {{ x: 1, x: 2 }};"},
        None,
        [_at("src/main.ts", 2, 26, "duplicate-object-key", "warning")],
    ),
    "modules in a circle": (
        {
            "src/main.ts": "import { b } from './b'; export const a = 1; console.log(b());",
            "src/b.ts": "import { a } from './main'; export const b = () => a;",
        },
        None,
        [],
    ),
}


@pytest.mark.parametrize("case", _CASES)
async def test_a_mistake_has_its_place(desk, case):
    files, code, places = _CASES[case]
    build = await desk.built({"index.html": _PAGE, "src/main.ts": ""} | files)
    assert build["errorCode"] == code, build
    assert build["status"] == ("failed" if code else "success")
    found = build["diagnostics"]
    keys = ("file", "line", "column", "code", "severity")
    assert [tuple(d[key] for key in keys) for d in found][: len(places)] == places
    assert all(d["message"] and "/p/" not in d["message"] for d in found)


async def test_a_hundred_thousand_files_are_too_many(desk, company):
    project = await desk.project({"src/main.ts": ""})
    company.stop("worker")
    try:
        build = await desk.start(project)
        pool = desk.db._pool  # noqa: SLF001 - nobody has that many files by any route
        row = "SELECT manifest::text FROM build WHERE id = $1"
        manifest = msgspec.json.decode(await pool.fetchval(row, build["id"]))
        (file,) = [f for f in manifest["files"] if f["path"] == "src/main.ts"]
        manifest["files"] += [file | {"path": f"src/f{n}.ts"} for n in range(100_000)]
        await pool.execute(
            "UPDATE build SET manifest = ($2::text)::jsonb WHERE id = $1",
            build["id"],
            msgspec.json.encode(manifest).decode(),
        )
    finally:
        company.start("worker")
    ended = await desk.ended(build)
    assert (ended["status"], ended["errorCode"]) == ("failed", "RESOURCE_LIMIT")
