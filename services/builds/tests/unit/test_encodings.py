"""What a file is, by its name and by its first bytes."""

import gzip

import pytest

from builds import encodings
from builds.mime import media_type

_GZIP = gzip.compress(b"x")
_UNITY_BR = b"\x6b\x8d\x00UnityWeb Compressed Content (brotli)" + b"\x00" * 16


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a/b.MJS", "text/javascript; charset=utf-8"),
        ("old.cjs", "text/javascript; charset=utf-8"),
        ("main.js.map", "application/json"),
        ("manifest.webmanifest", "application/manifest+json"),
        ("src/main.ts", "text/plain; charset=utf-8"),
        ("shaders/a.glsl", "text/plain; charset=utf-8"),
        ("a.vert", "text/plain; charset=utf-8"),
        ("a.frag", "text/plain; charset=utf-8"),
        ("a.wgsl", "text/wgsl; charset=utf-8"),
        ("game.wasm", "application/wasm"),
        ("scene.bin", "application/octet-stream"),
        ("wall.basis", "application/octet-stream"),
        ("wall.ktx2", "image/ktx2"),
        ("hero.glb", "model/gltf-binary"),
        ("hero.gltf", "model/gltf+json"),
        ("font.fnt", "text/plain; charset=utf-8"),
        ("hero.atlas", "text/plain; charset=utf-8"),
        ("level.tmj", "application/json"),
        ("levels.tar.gz", "application/gzip"),
        ("x", "application/octet-stream"),
        ("x.exe", "application/octet-stream"),
    ],
)
def test_a_name_has_its_type(path, kind):
    assert media_type(path) == kind


@pytest.mark.parametrize(
    ("path", "head", "inner", "coding"),
    [
        ("Build/game.wasm.br", b"\x8b\x02", "game.wasm", "br"),
        ("Build/game.data.br", b"any", "game.data", "br"),
        ("Build/game.framework.js.gz", _GZIP, "game.framework.js", "gzip"),
        ("Build/game.symbols.json.gz", _GZIP, "game.symbols.json", "gzip"),
        ("Build/game.wasm.unityweb", _GZIP, "game.wasm", "gzip"),
        ("Build/game.js.unityweb", _UNITY_BR, "game.js", "br"),
        ("GAME.WASM.BR", b"any", "GAME.WASM", "br"),
        # said to be encoded, and not
        ("game.js.gz", b"let a = 1", "game.js", None),
        ("game.data.unityweb", b"raw", "game.data", None),
        # an archive that the game opens itself
        ("levels.tar.gz", _GZIP, "levels.tar.gz", None),
        ("levels.gz", _GZIP, "levels.gz", None),
        ("x.br", b"any", "x.br", None),
        ("game.wasm", _GZIP, "game.wasm", None),
        (".br", b"", ".br", None),
    ],
)
def test_an_encoded_file_is_known_by_its_name_and_its_bytes(path, head, inner, coding):
    assert encodings.inner(path) == inner
    assert encodings.coding(path, head) == coding
