"""What a lock settles, and what a package may be made of."""

import base64
import gzip
import hashlib
import io
import tarfile

import msgspec
import pytest

from builds.packages import lock, tarball
from builds.packages.cache import PackageCache, key
from builds.packages.types import Measure, Package
from builds.types import BuildError

_HASH = "sha512-" + base64.b64encode(hashlib.sha512(b"x").digest()).decode()
_MEASURE = Measure(packed_bytes=1 << 20, bytes=1 << 20, files=10)


def _locked(packages, *, version=3, **root):
    root.setdefault("dependencies", {"a": "^1.0.0"})
    return msgspec.json.encode({"lockfileVersion": version, "packages": {"": root} | packages})


def _entry(**more):
    return {"version": "1.0.0", "integrity": _HASH} | more


def _wanted(packages, manifest=None, named=(), packages_max=500, **root):
    manifest = manifest or {"dependencies": {"a": "^1.0.0"}}
    root = {k: v for k, v in manifest.items() if k != "optional"} | root
    return lock.wanted(
        msgspec.json.encode(manifest),
        _locked(packages, **root),
        lambda names: names & set(named),
        packages_max=packages_max,
    )


def _no_names(_):
    return set()


def test_a_package_is_taken_with_all_that_it_needs():
    found = _wanted(
        {
            "node_modules/a": _entry(dependencies={"b": "*", "@s/c": "*"}),
            "node_modules/b": _entry(version="2.0.0"),
            "node_modules/a/node_modules/b": _entry(),
            "node_modules/@s/c": _entry(peerDependencies={"b": "*"}),
            "node_modules/unwanted": _entry(dev=True),
        }
    )
    assert [p.path for p in found] == [
        "node_modules/@s/c",
        "node_modules/a",
        "node_modules/a/node_modules/b",
        "node_modules/b",
    ]
    assert found[1].needs == ("node_modules/@s/c", "node_modules/a/node_modules/b")


def test_of_what_is_for_development_types_are_taken_and_what_the_code_names():
    manifest = {"devDependencies": {"@types/a": "1", "engine": "1", "linter": "1"}}
    packages = {f"node_modules/{n}": _entry(dev=True) for n in ("@types/a", "engine", "linter")}
    found = _wanted(packages, manifest, named={"engine"})
    assert [p.name for p in found] == ["@types/a", "engine"]


def test_an_alias_is_the_package_that_it_stands_for():
    manifest = {"dependencies": {"a": "npm:@s/real@1"}}
    (found,) = _wanted({"node_modules/a": _entry(name="@s/real")}, manifest)
    assert (found.path, found.name) == ("node_modules/a", "@s/real")


def test_what_is_for_other_machines_or_packed_into_another_is_not_asked_for():
    found = _wanted(
        {
            "node_modules/a": _entry(optionalDependencies={"b": "1", "gone": "1"}),
            "node_modules/b": _entry(optional=True, os=["darwin"]),
            "node_modules/a/node_modules/c": _entry(inBundle=True),
        }
    )
    assert [p.path for p in found] == ["node_modules/a"]


@pytest.mark.parametrize("spec", ["^1", "~1.2.3", "latest", ">=1 <2", "npm:b@1", "1.x", "*"])
def test_any_range_may_be_locked(spec):
    assert _wanted({"node_modules/a": _entry()}, {"dependencies": {"a": spec}})


@pytest.mark.parametrize(
    "spec",
    [
        "git+ssh://git@host/x.git",
        "github:user/repo",
        "user/repo",
        "file:../x",
        "link:../x",
        "workspace:*",
        "https://host/x.tgz",
        "../x",
        "~/x",
    ],
)
def test_what_is_not_of_the_registry_is_refused(spec):
    with pytest.raises(BuildError) as raised:
        _wanted({"node_modules/a": _entry()}, {"dependencies": {"a": spec}})
    assert raised.value.code == "DEPENDENCY_REFUSED"


@pytest.mark.parametrize(
    "packages",
    [
        {"node_modules/a": {"resolved": "packages/a", "link": True}},
        {"node_modules/a": {"version": "1.0.0"}},
        {"node_modules/a": _entry(integrity="sha1-" + "a" * 27 + "=")},
        {"node_modules/a": _entry(integrity="sha512-abc")},
        {"node_modules/a": _entry(integrity="sha512-" + "a" * 12)},
        {"node_modules/a": _entry(resolved="git+https://host/a.git#0000")},
        {"node_modules/a": _entry(resolved="file:a.tgz")},
        {"node_modules/a": _entry(version="../../x")},
        {"node_modules/a": _entry(name="../x")},
        {"node_modules/a": _entry(name="x?y")},
        {
            "node_modules/a": _entry(dependencies={"../../../x": "1"}),
            "node_modules/a/node_modules/../../../x": _entry(),
        },
    ],
)
def test_a_lock_that_leads_elsewhere_is_refused(packages):
    with pytest.raises(BuildError) as raised:
        _wanted(packages)
    assert raised.value.code == "DEPENDENCY_REFUSED"
    assert raised.value.diagnostics[0].file == "package-lock.json"


@pytest.mark.parametrize(
    ("manifest", "locked"),
    [
        ({"dependencies": {"a": "^1.0.0"}}, None),
        ({"dependencies": {"a": "^1.0.0"}}, _locked({"node_modules/a": _entry()}, version=1)),
        ({"dependencies": {"a": "^2.0.0"}}, _locked({"node_modules/a": _entry()})),
        ({"dependencies": {"a": "^1.0.0"}}, _locked({})),
        (
            {"dependencies": {"a": "^1.0.0"}},
            _locked({"node_modules/a": _entry(dependencies={"b": "1"})}),
        ),
    ],
)
def test_what_is_not_settled_is_not_guessed(manifest, locked):
    with pytest.raises(BuildError) as raised:
        lock.wanted(msgspec.json.encode(manifest), locked, _no_names, packages_max=9)
    assert raised.value.code == "DEPENDENCY_UNLOCKED"


@pytest.mark.parametrize("text", [b"{", b'{"dependencies": []}', b"\xff", b"[" * 100_000])
def test_a_manifest_that_is_none_is_said_to_be_none(text):
    with pytest.raises(BuildError) as raised:
        lock.wanted(text, None, _no_names, packages_max=9)
    assert raised.value.code == "CONFIG_INVALID"


def test_a_project_without_packages_needs_no_lock():
    assert (
        lock.wanted(b'{"name": "x", "scripts": {"a": "b"}}', None, _no_names, packages_max=9) == []
    )
    assert lock.wanted(b'{"devDependencies": {"vite": "7"}}', None, _no_names, packages_max=9) == []


def test_what_a_package_needs_is_found_again():
    packages = _wanted(
        {
            "node_modules/a": _entry(dependencies={"b": "*"}),
            "node_modules/b": _entry(dependencies={"a": "*"}),
            "node_modules/other": _entry(),
        },
        {"dependencies": {"a": "1", "other": "1"}},
    )
    assert [p.name for p in lock.closure(packages, ["node_modules/a"])] == ["a", "b"]


def _member(name, content=b"hi", kind=tarfile.REGTYPE, **more):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    info.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
    for attribute, value in more.items():
        setattr(info, attribute, value)
    return info, content


def _packed(path, *members, form=tarfile.PAX_FORMAT):
    with tarfile.open(path, "w:gz", format=form) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return path


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_package_is_unpacked_without_its_first_folder(tmp_path, form):
    long = "deep/" * 20 + "file.js"
    archive = _packed(
        tmp_path / "a.tgz",
        _member("three", kind=tarfile.DIRTYPE),
        _member("three/package.json", b"{}"),
        _member(f"three/{long}", b"long" * 1000),
        _member("beside.txt"),
        form=form,
    )
    assert tarball.unpack(archive, tmp_path / "out", _MEASURE) == 24 * 4096
    assert (tmp_path / "out" / long).read_bytes() == b"long" * 1000
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["deep", "package.json"]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    "member",
    [
        _member("p/../../x"),
        _member("/p/x"),
        _member("p/" + "../" * 60 + "x"),
        _member("p/a\\..\\x"),
        _member("p/x", kind=tarfile.SYMTYPE),
        _member("p/x", kind=tarfile.LNKTYPE),
        _member("p/x", kind=tarfile.CHRTYPE),
        _member("p/x", kind=tarfile.FIFOTYPE),
        _member("p/x", b"x" * ((1 << 20) + 1)),
        _member("p/" + "n" * 300),
        _member("p/" + "d/" * 64 + "x"),
    ],
)
def test_a_package_that_means_harm_is_refused(tmp_path, form, member):
    archive = _packed(tmp_path / "a.tgz", _member("p/ok"), member, form=form)
    with pytest.raises(BuildError) as raised:
        tarball.unpack(archive, tmp_path / "out", _MEASURE)
    assert raised.value.code == "DEPENDENCY_REFUSED"
    assert not (tmp_path / "x").exists()


def test_a_file_cannot_become_a_folder(tmp_path):
    archive = _packed(tmp_path / "a.tgz", _member("p/a"), _member("p/a/b"))
    with pytest.raises(BuildError):
        tarball.unpack(archive, tmp_path / "out", _MEASURE)


def test_a_package_has_only_so_many_files(tmp_path):
    archive = _packed(tmp_path / "a.tgz", *[_member(f"p/{n}") for n in range(11)])
    with pytest.raises(BuildError):
        tarball.unpack(archive, tmp_path / "out", _MEASURE)


def test_files_and_folders_of_nothing_take_room(tmp_path):
    members = [_member(f"p/{n}/{'d/' * 40}x", b"") for n in range(7)]
    archive = _packed(tmp_path / "a.tgz", *members)
    measure = Measure(packed_bytes=1 << 20, bytes=1 << 20, files=20)
    with pytest.raises(BuildError, match="more files or bytes"):
        tarball.unpack(archive, tmp_path / "out", measure)
    larger = msgspec.structs.replace(measure, bytes=2 << 20)
    assert tarball.unpack(archive, tmp_path / "fits", larger) == 7 * 42 * 4096


def _raw(kind, size, content):
    info = tarfile.TarInfo("x")
    info.type = kind
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT) + content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no tar at all" * 100,
        _raw(tarfile.XHDTYPE, 1 << 30, b"\0" * 4096),
        _raw(tarfile.GNUTYPE_LONGNAME, 1 << 30, b"\0" * 4096),
        _raw(tarfile.REGTYPE, 4096, b"cut"),
        _raw(tarfile.XHDTYPE, 12, b"99 path=abc\n".ljust(512, b"\0")),
        _raw(tarfile.XHDTYPE, 11, b"11 size=-5\n".ljust(512, b"\0"))
        + _raw(tarfile.REGTYPE, 2, b"hi".ljust(512, b"\0")),
        _raw(tarfile.XGLTYPE, 0, b"") * 20,
    ],
)
def test_what_is_no_package_is_refused(tmp_path, content):
    archive = tmp_path / "a.tgz"
    archive.write_bytes(gzip.compress(content))
    with pytest.raises(BuildError) as raised:
        tarball.unpack(archive, tmp_path / "out", _MEASURE)
    assert raised.value.code == "DEPENDENCY_REFUSED"


def test_what_is_not_compressed_is_refused(tmp_path):
    archive = tmp_path / "a.tgz"
    archive.write_bytes(b"<html>")
    with pytest.raises(BuildError):
        tarball.unpack(archive, tmp_path / "out", _MEASURE)


def _kept(cache, path, content):
    package = Package(path, path.removeprefix("node_modules/"), "1.0.0", content.hex().ljust(128))
    made = cache.making()
    (made / "content").mkdir()
    (made / "content/index.js").write_bytes(content)
    cache.keep(package, made, len(content))
    return package


def test_a_tree_has_its_packages_at_their_places(tmp_path):
    cache = PackageCache(tmp_path / "npm")
    packages = [
        _kept(cache, "node_modules/@s/a", b"outer"),
        _kept(cache, "node_modules/@s/a/node_modules/b", b"inner"),
    ]
    with cache.tree(packages) as first, cache.tree(packages) as second:
        assert first == second
        assert (first / "@s/a/index.js").read_bytes() == b"outer"
        assert (first / "@s/a/node_modules/b/index.js").read_bytes() == b"inner"
    assert key(packages) == key(packages[::-1])


def test_what_is_held_is_not_trimmed_and_what_is_gone_is_said_to_be(tmp_path):
    cache = PackageCache(tmp_path / "npm")
    packages = [_kept(cache, "node_modules/a", b"content")]
    with cache.tree(packages) as tree:
        cache.trim(0)
        assert (tree / "a/index.js").read_bytes() == b"content"
    assert not cache.has(packages[0])
    with pytest.raises(FileNotFoundError), cache.tree(packages):
        pass
