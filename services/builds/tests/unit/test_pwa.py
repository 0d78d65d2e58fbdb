"""A site that is an application: its manifest, its worker, and what the game brings itself."""

import base64
import hashlib

import msgspec

from builds.packagers import pwa, web
from builds.packagers.types import Icon


def _text(content):
    return content.decode() if isinstance(content, bytes) else content.read_text()


def _lists(worker):
    first, second = worker.decode().splitlines()[:2]
    files = msgspec.json.decode(first.removeprefix("const FILES = ").removesuffix(";"))
    return files, msgspec.json.decode(second.removeprefix("const KEPT = ").removesuffix(";"))


def test_the_manifest_tells_of_the_game_by_relative_addresses(game, tmp_path):
    site = web.pack(game(tmp_path), tmp_path)
    told = msgspec.json.decode(_text(site[pwa.MANIFEST]))
    assert (told["name"], told["orientation"]) == ("Größe & <Ruhm>", "landscape")
    assert (told["start_url"], told["scope"]) == ("./", "./")
    assert [icon["sizes"] for icon in told["icons"]] == ["192x192", "512x512"]
    assert all(icon["src"] in site for icon in told["icons"])
    page = _text(site["index.html"])
    assert page.count('rel="manifest"') == 1
    assert page.count("integrity=") == 3
    assert page.index("Content-Security-Policy") < page.index("<link")


def test_the_worker_knows_each_file_by_its_hash_and_keeps_the_page_first(game, tmp_path):
    site = web.pack(game(tmp_path), tmp_path)
    files, kept = _lists(site[pwa.WORKER])
    assert files.keys() == site.keys() - {pwa.WORKER, "main-AAAAAAAA.js.map"}
    page = hashlib.sha256(_text(site["index.html"]).encode()).digest()
    assert files["index.html"] == base64.b64encode(page).decode()
    assert kept[0] == "index.html"
    assert set(kept) == set(files)


def test_what_is_large_is_kept_only_when_it_was_needed():
    site = {"index.html": b"page", "a.bin": b"x", "b.bin": bytes(pwa.KEPT_BYTES_MAX)}
    files, kept = _lists(pwa.worker(site))
    assert set(files) == {"index.html", "a.bin", "b.bin"}
    assert kept == ["index.html", "a.bin"]


def test_what_the_game_brings_itself_is_not_replaced(game, tmp_path):
    made = game(tmp_path, icons=(Icon("assets/icon.png", 512),))
    own = {}
    for name in (pwa.MANIFEST, pwa.WORKER, "assets/icon.png"):
        own[name] = tmp_path / name
        own[name].write_text(f"own {name}")
    made.files["index.html"].write_text(
        '<head><link rel="manifest" href="manifest.webmanifest"><link rel="icon" href="x"></head>'
    )
    made = msgspec.structs.replace(made, files={**made.files, **own})
    site = web.pack(made, tmp_path)
    assert {name: site[name] for name in own} == own
    assert not [path for path in site if path.startswith("pwa/")]
    page = _text(site["index.html"])
    assert page.count("<link") == 3
    assert 'rel="apple-touch-icon" href="assets/icon.png"' in page
    assert "<script" not in page
