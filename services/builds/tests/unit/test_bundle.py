"""What is taken from the bundler, and what is not."""

import io
import tarfile

import msgspec
import pytest

from builds.pipeline.archives import unpack
from builds.pipeline.bundle import Metafile, refuse_outsiders
from builds.types import BuildError


def _meta(*inputs):
    return Metafile({name: msgspec.Raw(b"{}") for name in inputs}, {})


def _archive(path, *members):
    with tarfile.open(path, "w") as tar:
        for name, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = "/etc/passwd"
            info.size = 2 if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"hi") if info.size else None)
    return path


def test_the_projects_own_files_go_into_a_bundle():
    meta = _meta("src/main.ts", "(disabled):src/fs.js", "<define:X>", "node_modules/a/b.js")
    assert "src/main.ts" in refuse_outsiders(meta)


@pytest.mark.parametrize(
    "name",
    ["../../../proc/1/environ", "/etc/passwd", "src/../../x.ts", "(disabled):../../etc/shadow"],
)
def test_a_bundle_with_a_file_from_outside_is_refused(name):
    with pytest.raises(BuildError) as raised:
        refuse_outsiders(_meta("src/main.ts", name))
    assert raised.value.code == "OUTSIDE_PROJECT"


def test_files_are_unpacked_below_their_folder(tmp_path):
    archive = _archive(tmp_path / "a.tar", ("./assets", tarfile.DIRTYPE), ("./assets/x", b"0"))
    unpack(archive, tmp_path / "out", 10)
    assert (tmp_path / "out/assets/x").read_bytes() == b"hi"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../x", tarfile.REGTYPE),
        ("/x", tarfile.REGTYPE),
        ("x", tarfile.SYMTYPE),
        ("x", tarfile.LNKTYPE),
        ("x", tarfile.CHRTYPE),
        ("x", tarfile.FIFOTYPE),
    ],
)
def test_nothing_else_is_unpacked(tmp_path, name, kind):
    with pytest.raises(BuildError) as raised:
        unpack(_archive(tmp_path / "a.tar", (name, kind)), tmp_path / "out", 10)
    assert raised.value.code == "OUTSIDE_PROJECT"
    assert not (tmp_path / "x").exists()


def test_there_is_an_end_to_files(tmp_path):
    archive = _archive(tmp_path / "a.tar", *[(f"f{i}", b"0") for i in range(5)])
    with pytest.raises(BuildError) as raised:
        unpack(archive, tmp_path / "out", 3)
    assert raised.value.code == "RESOURCE_LIMIT"
