"""Scripts of other threads: how they are found in modules, and what becomes of these."""

import pytest

from builds.pipeline import esbuild, scripts
from builds.pipeline.plan import Plan
from builds.types import BuildError

_MOST = 1 << 20


def _start(path):
    return f'new Worker(new URL("{path}", import.meta.url));'


def _found(tmp_path, files, workers=(), diagnostics_max=200):
    tree = tmp_path / "tree"
    for path, content in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    plan = Plan("index.html", "", [], False, {}, sorted(files), list(workers))  # noqa: FBT003 - as it is
    return scripts.found(plan, tree, tmp_path / "changed", _MOST, diagnostics_max)


def test_a_module_says_the_scripts_name_and_all_its_other_bytes_are_the_same(tmp_path):
    text = b"// \xff\xe9 \r\n%b\n// \xe2\x82\n%b //\xc3"
    first, second = _start("./x.ts").encode(), _start("../y.js").encode()
    files = {"src/main.ts": text % (first, second), "src/x.ts": "", "y.js": ""}
    made = _found(tmp_path, files)
    said = text % (_start("./src.x.worker.js").encode(), _start("./y.worker.js").encode())
    assert made.changed["src/main.ts"].read_bytes() == said
    assert made.entries == {"src.x.worker": "src/x.ts", "y.worker": "y.js"}


def test_what_is_missing_has_its_place_as_editors_count(tmp_path):
    text = f"{_start('./a.ts')} '\N{GRINNING FACE}';{_start('./b.ts')}\n\n  {_start('./c.ts')}\n"
    made = _found(tmp_path, {"main.ts": text})
    places = [(d.line, d.column, d.message.split()[0]) for d in made.diagnostics]
    assert places == [(1, 21, "a.ts"), (1, 74, "b.ts"), (3, 23, "c.ts")]


def test_no_more_is_told_than_is_kept(tmp_path):
    text = f"{_start('./nope.ts')}\n" * 1000
    made = _found(tmp_path, {"a.ts": text, "b.ts": text}, diagnostics_max=7)
    assert [d.line for d in made.diagnostics] == list(range(1, 8))


def test_what_is_told_of_a_module_that_is_no_text_can_be_written_down(tmp_path):
    made = _found(tmp_path, {"main.ts": b'\xe9 new URL("./caf\xe9.ts", import.meta.url)'})
    (told,) = made.diagnostics
    assert told.column == 12
    assert told.message.encode().startswith("caf\N{REPLACEMENT CHARACTER}.ts".encode())


def test_spaces_without_an_end_are_gone_through_once(tmp_path):
    tails = ['new URL("./x.ts", import.meta.url', 'new URL("./x.ts"', "new URL(", "new "]
    files = {f"{n}.ts": f"import.meta.url;{tail}{' ' * 900_000}" for n, tail in enumerate(tails)}
    assert _found(tmp_path, files).entries == {}


@pytest.mark.parametrize("is_named", [True, False])
def test_there_is_an_end_to_scripts(tmp_path, is_named):
    files = {f"w{n}.ts": "" for n in range(65)}
    main = "" if is_named else "".join(_start(f"./{path}") for path in files)
    with pytest.raises(BuildError) as raised:
        _found(tmp_path, files | {"main.ts": main}, list(files) if is_named else ())
    assert raised.value.code == "CONFIG_INVALID"


def test_there_is_an_end_to_addresses(tmp_path):
    files = {f"{n}.ts": _start("./x.png") * 5_001 for n in range(2)}
    with pytest.raises(BuildError) as raised:
        _found(tmp_path, files)
    assert raised.value.code == "CONFIG_INVALID"


def test_the_tree_for_the_bundler_leaves_the_projects_own_as_it_was(tmp_path):
    cached, tree = tmp_path / "cached", tmp_path / "tree"
    cached.write_text(_start("./x.ts"))
    (tree / "src").mkdir(parents=True)
    (tree / "src/main.ts").hardlink_to(cached)
    (tree / "node_modules").mkdir()
    path = "src/m,source=/etc,destination=/p/z.ts"
    made = _found(tmp_path, {path: _start("../../../x.ts"), "src/x.ts": ""})
    (tmp_path / "changed/1").write_text("changed")
    changed = made.changed | {"src/main.ts": tmp_path / "changed/1"}
    other = scripts.laid_out(changed, tree, tmp_path / "bundled")
    assert (other / "src/main.ts").read_text() == "changed"
    assert "src.x.worker.js" in (other / path).read_text()
    assert (other / "src/x.ts").samefile(tree / "src/x.ts")
    assert (other / "node_modules").is_dir()
    assert (tree / "src/main.ts").read_text() == cached.read_text() == _start("./x.ts")
    assert (tree / path).read_text() == _start("../../../x.ts")


@pytest.mark.parametrize(
    ("path", "name", "word"),
    [
        ("src/main.ts", "", "./src/main.ts"),
        ("--watch=forever.ts", "", "_-watch_forever=./--watch=forever.ts"),
        ("-a.ts", "", "./-a.ts"),
        ("a=1/-b=c.ts", "", "_b_c=./a=1/-b=c.ts"),
        ("src/x.ts", "src.x.worker", "src.x.worker=./src/x.ts"),
        ("-x=y.ts", "-x=y.worker", "_x_y.worker=./-x=y.ts"),
    ],
)
def test_a_file_is_no_option_of_the_bundler(path, name, word):
    assert esbuild.entry_point(path, name) == word


def test_a_script_has_a_name_that_is_none_of_an_option(tmp_path):
    files = {"--outbase=..ts": "", "src/a=b.ts": "", "main.ts": _start("./src/a=b.ts")}
    made = _found(tmp_path, files, ["--outbase=..ts"])
    assert made.entries == {"_-outbase_..worker": "--outbase=..ts", "src.a_b.worker": "src/a=b.ts"}
    assert _start("./src.a_b.worker.js") in made.changed["main.ts"].read_text()
