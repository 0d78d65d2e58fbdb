"""What is read of a folder, and what is refused."""

import pytest

from registry.settings import Settings
from registry.templates.folder import FolderError, bundle_of, bundles

SETTINGS = Settings(database_url="", fleet_secret="", nats_url="")
PAGE = {"index.html": b"<title>Here</title>"}


def paths(folder):
    return sorted(file.path for file in bundle_of(folder, SETTINGS).files)


def test_what_is_not_the_games_own_stays_out(tmp_path, write):
    others = {
        "make.py": b"",
        "drafts/old/a.ts": b"",
        "src/notes.draft": b"",
        "node_modules/x/index.js": b"",
        "src/node_modules/y.js": b"",
        ".git/config": b"",
        "tools/__pycache__/a.pyc": b"",
    }
    files = PAGE | {"src/main.ts": b"", ".editorconfig": b""}
    folder = write(tmp_path, "a", files | others, exclude=["make.py", "drafts/", "*.draft"])
    (folder / "secret").symlink_to("/etc/hostname")
    assert paths(folder) == [".editorconfig", "index.html", "src/main.ts"]


def test_text_and_bytes_are_told_apart(tmp_path, write):
    files = {"a.ts": "Ä".encode(), "b.png": b"\x89PNG", "c.txt": b"a\0b"}
    bundle = bundle_of(write(tmp_path, "a", files), SETTINGS)
    assert {f.path: f.encoding for f in bundle.files} == {
        "a.ts": "utf-8",
        "b.png": "base64",
        "c.txt": "base64",
    }


def test_the_digest_is_of_all_that_can_be_seen(tmp_path, write):
    first = bundle_of(write(tmp_path / "1", "a", PAGE), SETTINGS)
    excluding = write(tmp_path / "2", "a", PAGE | {"x.py": b""}, exclude=["x.py"])
    assert bundle_of(excluding, SETTINGS).digest == first.digest
    others = [
        write(tmp_path / "3", "a", PAGE, description="Another start."),
        write(tmp_path / "4", "a", {"index.html": b"<title>There</title>"}),
        write(tmp_path / "5", "a", {"page.html": PAGE["index.html"]}),
    ]
    digests = {bundle_of(folder, SETTINGS).digest for folder in others}
    assert len(digests | {first.digest}) == 4


def variable(**more):
    return {
        "name": "title",
        "description": "",
        "default": "Here",
        "maxLength": 20,
        "files": ["index.html"],
    } | more


@pytest.mark.parametrize(
    ("described", "fault"),
    [
        ({"id": "Big"}, "id"),
        ({"id": "a" * 36}, "id"),
        ({"version": "1.0"}, "version"),
        ({"nmae": "x"}, "nmae"),
        ({"thumbnail": "a.png"}, "not among its files"),
        ({"thumbnail": "index.html"}, "none of .gif"),
        ({"variables": [variable(default="")]}, "default"),
        ({"variables": [variable(default="Elsewhere")]}, "not in the text of index.html"),
        ({"variables": [variable(files=["nowhere.html"])]}, "not in the text of nowhere.html"),
        ({"variables": [variable(), variable()]}, "two variables title"),
        ({"exclude": ["*"]}, "no files"),
    ],
)
def test_a_template_with_a_fault_is_refused(tmp_path, write, described, fault):
    with pytest.raises(FolderError, match=fault):
        bundle_of(write(tmp_path, "a", PAGE, **described), SETTINGS)


def test_a_variable_that_fits_is_taken(tmp_path, write):
    bundle = bundle_of(write(tmp_path, "a", PAGE, variables=[variable()]), SETTINGS)
    assert [v.max_length for v in bundle.manifest.variables] == [20]


def test_every_fault_of_every_folder_is_told(tmp_path, write):
    write(tmp_path, "fine", PAGE)
    write(tmp_path, "twin", PAGE, id="fine")
    write(tmp_path, "hollow", {})
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "template.json").write_bytes(b"{\xff")
    (tmp_path / "no-template").mkdir()
    with pytest.raises(FolderError) as told:
        bundles(tmp_path, SETTINGS)
    assert [line.partition(":")[0] for line in str(told.value).splitlines()] == [
        "hollow",
        "torn",
        "twin",
    ]
    with pytest.raises(FolderError, match="no folder"):
        bundles(tmp_path / "nowhere", SETTINGS)


@pytest.mark.parametrize("limit", [{"template_files_max": 1}, {"template_bytes_max": 20}])
def test_a_folder_has_its_limits(tmp_path, write, limit):
    settings = Settings(database_url="", fleet_secret="", nats_url="", **limit)
    folder = write(tmp_path, "a", PAGE | {"src/main.ts": b"start();"})
    with pytest.raises(FolderError, match="more than"):
        bundle_of(folder, settings)
