"""Which engines are shared, which scripts are found, and what is remembered for whom."""

import pytest

from builds.packages.types import Package
from builds.pipeline import page, scripts
from builds.pipeline.plan import Plan
from builds.pipeline.state import States
from builds.types import BuildError
from builds.vendor.chunks import Order
from builds.vendor.engines import Import, locked, wanted
from common.ids import uuid7


def _package(path, integrity="0", *needs):
    return Package(path, path.rpartition("node_modules/")[2], "1.0.0", integrity, needs)


def test_an_engine_of_two_versions_is_not_shared():
    one = [_package("node_modules/three"), _package("node_modules/phaser")]
    two = [*one, _package("node_modules/x/node_modules/three")]
    assert locked(one) == ["phaser", "three"]
    assert locked(two) == ["phaser"]


def _import(path, kind="import-statement", *, external=True):
    return Import(path, kind, external)


def test_what_is_imported_of_an_engine_is_asked_for():
    found = wanted(
        [
            _import("three"),
            _import("three/addons/b.js", "dynamic-import"),
            _import("three"),
            _import("threesome"),
            _import("./chunk.js", external=False),
        ]
    )
    assert found == {"three": ["three", "three/addons/b.js"]}


@pytest.mark.parametrize(
    "asked",
    [
        [_import("three", "require-call")],
        [_import("three/a=b")],
        [_import("three/a.css", "import-rule")],
        [_import(f"three/{n}") for n in range(51)],
    ],
)
def test_what_no_map_can_give_is_not_shared(asked):
    assert wanted(asked) is None


def test_a_chunk_is_kept_under_all_that_decides_about_it():
    packages = [
        _package("node_modules/three", "1", "node_modules/a"),
        _package("node_modules/a", "2"),
        _package("node_modules/b", "3"),
    ]
    order = Order("three", ["three"], packages, "bundler")
    other = [
        Order("three", ["three", "three/x"], packages, "bundler"),
        Order("three", ["three"], packages, "another"),
        Order("three", ["three"], packages, "bundler", "anew"),
        Order("three", ["three"], [packages[0], _package("node_modules/a", "4")], "bundler"),
    ]
    assert len({o.key for o in [order, *other]}) == 5
    # what the engine does not need decides nothing
    assert Order("three", ["three"], packages[:2], "bundler").key == order.key


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p></p><script src=a.js></script>", "<p></p>{}<script src=a.js></script>"),
        ("<head></head><body></body>", "<head>{}</head><body></body>"),
        ("<body></body>", "<body>{}</body>"),
        ("", "{}"),
    ],
)
def test_a_map_comes_before_whatever_imports(before, after):
    made = page.mapped(before, {"three": "vendor/t.js"})
    listed = '<script type="importmap">{"imports":{"three":"./vendor/t.js"}}</script>'
    loads = '<link rel="modulepreload" href="vendor/t.js" />'
    assert made == after.format(listed + loads)
    assert page.has_map(made)
    assert page.mapped(before, {}) == before


def _found(tmp_path, files, workers=()):
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    plan = Plan("index.html", "", [], True, {}, sorted(files), list(workers))  # noqa: FBT003 - its parts
    return scripts.found(plan, tmp_path, tmp_path / "changed", 10_000, 10)


@pytest.mark.parametrize(
    "code",
    [
        "new Worker(new URL('./w.ts', import.meta.url))",
        'new SharedWorker(new URL("./w.ts",import.meta.url,),{type:"module"})',
        "x.addModule(\n  new URL(\n    `../src/w.ts`,\n    import.meta.url\n  ))",
    ],
)
def test_a_script_is_found_where_its_address_is_made(tmp_path, code):
    found = _found(tmp_path, {"src/a.ts": code, "src/w.ts": ""})
    assert found.entries == {"src.w.worker": "src/w.ts"}
    changed = found.changed["src/a.ts"].read_text()
    assert "./src.w.worker.js" in changed
    assert changed.count("\n") == code.count("\n")
    assert found.diagnostics == []


@pytest.mark.parametrize(
    "code",
    [
        "new URL('./pic.png', import.meta.url)",
        "new URL('../assets/w.js', import.meta.url)",
        "new URL('../../../x.ts', base)",
        "new URL(`./${name}.ts`, import.meta.url)",
        "new URL('https://host/w.ts', import.meta.url)",
        "import.meta.url",
    ],
)
def test_an_address_of_something_else_is_left_alone(tmp_path, code):
    found = _found(tmp_path, {"src/a.ts": code, "assets/w.js": ""})
    assert (found.entries, found.changed, found.diagnostics) == ({}, {}, [])


def test_two_scripts_with_one_name_are_refused(tmp_path):
    with pytest.raises(BuildError) as raised:
        _found(tmp_path, {"a/b.ts": "", "a.b.ts": ""}, ["a/b.ts", "a.b.ts"])
    assert raised.value.code == "CONFIG_INVALID"


def test_a_project_finds_its_own_state_and_no_other(tmp_path):
    states = States(tmp_path / "states", 100)
    project, made, into = uuid7(), tmp_path / "made", tmp_path
    made.write_text("remembered")
    states.keep(project, "web", made)
    assert not states.copy(uuid7(), "web", into)
    assert not states.copy(project, "electron", into)
    assert states.copy(project, "web", into)
    assert (into / "tsbuildinfo").read_text() == "remembered"
    made.write_text("x" * 101)
    states.keep(project, "web", made)
    assert states.copy(project, "web", into)
    assert (into / "tsbuildinfo").read_text() == "remembered"
    states.trim(0)
    assert not states.copy(project, "web", into)
    assert list((tmp_path / "states").iterdir()) == []
