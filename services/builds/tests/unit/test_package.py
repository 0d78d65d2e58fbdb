"""The package: the same files make the same bytes, and nothing of the host is in them."""

import os
import subprocess
import sys
import zipfile
from typing import Any
from uuid import UUID

import msgspec
import pytest

from builds import places
from builds.mime import media_type
from builds.packagers import choice, electron, twins, zips
from builds.packagers.choice import PACKAGERS
from builds.pipeline import pack
from builds.pipeline.package import packed, pages
from builds.pipeline.plan import is_copied
from builds.types import Page

_TARGETS = list(PACKAGERS)
# packs again in a process of its own, with other surroundings
_AGAIN = """
import os, sys
from pathlib import Path
import msgspec
from builds.packagers import twins, zips
from builds.packagers.choice import PACKAGERS
from builds.packagers.types import Game
os.umask(0o077)
target, where, scratch, game = sys.argv[1:]
told = msgspec.json.decode(game, type=Game, dec_hook=lambda kind, text: kind(text))
packer = PACKAGERS[target]
zips.write(packer.pack(told, Path(scratch)), Path(where))
for sizes in sorted(twins.write(told.files, Path(scratch) / "twins").items()):
    print(sizes[0], {k: v.read_bytes()[:64].hex() for k, v in sizes[1].items()})
"""


def _elsewhere(target, game, folder):
    """Pack in another process: at another time of another zone, by another locale's user."""
    folder.mkdir()
    archive = folder / "made.zip"
    told = msgspec.json.encode(game, enc_hook=str).decode()
    env = {
        "PATH": os.environ["PATH"],
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "tr_TR.UTF-8",
        "PYTHONHASHSEED": "7",
        "HOME": str(folder),
        "SOURCE_DATE_EPOCH": "99",
    }
    words = [sys.executable, "-c", _AGAIN, target, str(archive), str(folder), told]
    done = subprocess.run(words, env=env, capture_output=True, check=False, cwd=folder)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stderr.decode()
    return archive.read_bytes(), done.stdout.decode()


@pytest.mark.parametrize("target", _TARGETS)
def test_time_place_order_and_surroundings_do_not_matter(target, game, tmp_path):
    one = game(tmp_path / "one")
    names = list(one.files)
    other = game(tmp_path / "elsewhere/two", names[::-1])
    for number, path in enumerate(other.files.values()):
        os.utime(path, (1, 1_000_000_000 + number))
        path.chmod(0o600)
    (tmp_path / "scratch").mkdir()
    zips.write(PACKAGERS[target].pack(one, tmp_path / "scratch"), tmp_path / "made.zip")
    here = (tmp_path / "made.zip").read_bytes()
    first, _ = _elsewhere(target, one, tmp_path / "first")
    second, _ = _elsewhere(target, other, tmp_path / "second")
    assert here == first == second
    assert str(tmp_path).encode() not in here


@pytest.mark.parametrize("target", _TARGETS)
def test_a_target_makes_one_artifact_and_a_site_that_is_played(target, game, rooms):
    made = game(rooms.site)
    done = packed(target, made.about, made.sealed, rooms)
    archive = rooms.root / f"{target}.zip"
    assert (done.artifact.name, done.artifact.platform) == (archive.name, target)
    assert done.artifact.size == archive.stat().st_size
    assert done.archive == archive
    assert {"index.html", "manifest.webmanifest", "sw.js"} <= done.pages.keys()
    assert done.pages.keys() <= done.site.keys()
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert names == sorted(names)
    assert not [n for n in names if n.endswith((".br", ".gz"))]


def test_a_packager_s_version_tells_the_target():
    versions = {target: choice.version(target) for target in PACKAGERS}
    assert len(set(versions.values())) == len(versions)
    assert versions["electron"].endswith(electron.VERSION)


def test_the_archive_says_nothing_of_the_host(tmp_path):
    (tmp_path / "b.png").write_bytes(b"b" * 100)
    zips.write({"index.html": b"page", "a/b.png": tmp_path / "b.png"}, tmp_path / "web.zip")
    with zipfile.ZipFile(tmp_path / "web.zip") as opened:
        entries = opened.infolist()
        assert [e.filename for e in entries] == ["a/b.png", "index.html"]
        assert {e.date_time for e in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert [e.compress_type for e in entries] == [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
        assert opened.read("a/b.png") == b"b" * 100


def test_every_page_has_its_size_its_hash_and_its_twins(game, tmp_path):
    site = game(tmp_path / "site").files
    made = twins.write(site, tmp_path / "twins")
    found = pages(site, made)
    assert list(found) == sorted(site)
    assert found["style.css"].encodings == {}
    code = found["main-AAAAAAAA.js"]
    assert code.encodings.keys() == {"br", "gzip"}
    assert 0 < max(code.encodings.values()) < code.size
    assert (tmp_path / "twins/main-AAAAAAAA.js.br").stat().st_size == code.encodings["br"]
    assert "encodings" not in msgspec.to_builtins(found["style.css"])


def test_the_keys_of_a_site_are_those_of_its_files_and_twins():
    site: dict[str, dict[str, Any]] = {
        "a.js": {"size": 9, "sha256": "x", "encodings": {"br": 1, "gzip": 2}},
        "b": {"size": 1},
    }
    build = UUID(int=1)
    own = [places.page(build, path) for path in ("a.js", "a.js.br", "a.js.gz", "b")]
    assert places.pages(build, site) == own
    site["c"] = {"size": 1, "at": 0}
    assert places.pages(build, site) == [*own, places.pack(build)]


def test_a_pack_has_small_files_and_their_twins_where_their_pages_say(tmp_path):
    contents = {"a.js": b"a" * 9, "a.js.br": b"br", "a.js.gz": b"gzip", "e": b"", "z": b"z" * 5}
    contents["large"] = b"l" * ((1 << 20) + 1)
    files = {path: tmp_path / path for path in contents}
    for path, content in contents.items():
        files[path].write_bytes(content)
    site = {
        "a.js": Page(9, "x", {"gzip": 4, "br": 2}),
        "e": Page(0, "x"),
        "large": Page(len(contents["large"]), "x"),
        "z": Page(5, "x"),
    }
    found, alone = pack.written(site, files, tmp_path / "pack")
    assert alone == {"large": files["large"]}
    assert found["large"] == site["large"]
    # as it comes back from a row
    code = msgspec.convert(msgspec.to_builtins(found["a.js"]), Page)
    begins = {"a.js": code.where(None), "a.js.br": code.where("br"), "z": found["z"].where(None)}
    begins |= {"a.js.gz": code.where("gzip"), "e": found["e"].at}
    packed_bytes = (tmp_path / "pack").read_bytes()
    for path, at in begins.items():
        assert at is not None
        assert packed_bytes[at : at + len(contents[path])] == contents[path]
    assert len(packed_bytes) == sum(len(contents[path]) for path in begins)


def test_a_pack_is_no_larger_than_what_is_sent_at_once(tmp_path):
    size = 1 << 20
    names = [f"{number:02}" for number in range(12)]
    files = {name: tmp_path / name for name in [*names, "zz"]}
    for name in names:
        files[name].write_bytes(name.encode() * (size // 2))
    files["zz"].write_bytes(b"small")
    site = {name: Page(file.stat().st_size, "x") for name, file in files.items()}
    found, alone = pack.written(site, files, tmp_path / "pack")
    assert list(found) == list(site)
    # the smallest is not left over for its name
    assert found["zz"].at == 0
    assert list(alone) == names[7:]
    assert (tmp_path / "pack").stat().st_size == 7 * size + len(b"small")


def test_a_file_of_a_twin_s_name_is_left_alone(game, tmp_path):
    made = game(tmp_path / "site")
    own = tmp_path / "site/main-AAAAAAAA.js.gz"
    own.write_bytes(b"own")
    found = twins.write({**made.files, own.name: own}, tmp_path / "twins")
    assert found["main-AAAAAAAA.js"].keys() == {"br"}


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
