"""The package: the same files make the same bytes."""

import os
import time
import zipfile

from builds.mime import media_type
from builds.pipeline.package import archive, pages
from builds.pipeline.plan import is_copied


def _site(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 100)
        os.utime(folder / name, (time.time(), hash(name) % 1_000_000_000))
    return folder


def test_order_time_and_place_do_not_matter(tmp_path):
    names = ["index.html", "assets/b.png", "assets/a.json", "main-AAAAAAAA.js"]
    one = _site(tmp_path / "one", names)
    two = _site(tmp_path / "elsewhere/two", names[::-1])
    first = archive(one, names, tmp_path / "web.zip")
    (tmp_path / "x").mkdir()
    second = archive(two, names[::-1], tmp_path / "x/web.zip")
    assert first == second
    assert (tmp_path / "web.zip").read_bytes() == (tmp_path / "x/web.zip").read_bytes()


def test_the_archive_holds_the_site_and_says_nothing_of_the_host(tmp_path):
    site = _site(tmp_path / "site", ["index.html", "a/b.png"])
    made = archive(site, list(pages(site)), tmp_path / "web.zip")
    with zipfile.ZipFile(tmp_path / "web.zip") as opened:
        entries = opened.infolist()
        assert [e.filename for e in entries] == ["a/b.png", "index.html"]
        assert {e.date_time for e in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert [e.compress_type for e in entries] == [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
        assert opened.read("a/b.png") == b"a/b.png" * 100
    assert made.size == (tmp_path / "web.zip").stat().st_size


def test_every_page_has_its_size_and_hash(tmp_path):
    found = pages(_site(tmp_path / "site", ["b", "a/c"]))
    assert list(found) == ["a/c", "b"]
    assert found["b"].size == 100


def test_code_settings_and_secrets_are_not_copied():
    used = {"src/levels.json", "lib/used.js"}
    kept = [
        "assets/ball.png",
        "assets/data.ts",
        "public/robots.txt",
        "style.css",
        "lib/classic.js",
        "data/levels.json",
    ]
    left = [
        "src/main.ts",
        "src/levels.json",
        "lib/used.js",
        "tsconfig.json",
        "tsconfig.app.json",
        "package.json",
        "project.json",
        ".env",
        "assets/.secret",
        "node_modules/a/index.js",
    ]
    assert [p for p in kept + left if is_copied(p, used)] == kept


def test_types_are_the_same_on_every_machine():
    assert media_type("a/b.WASM") == "application/wasm"
    assert media_type("x.js").startswith("text/javascript")
    assert media_type("noending") == "application/octet-stream"
