"""How much a lock may come to, and what of it the code asks for."""

import base64
import hashlib

import msgspec
import pytest

from builds.packages import lock
from builds.types import BuildError

_HASH = "sha512-" + base64.b64encode(hashlib.sha512(b"x").digest()).decode()
_ENTRY = {"version": "1.0.0", "integrity": _HASH}


def _wanted(packages, manifest, named=lambda _: set(), *, packages_max=500):
    locked = {"lockfileVersion": 3, "packages": {"": manifest} | packages}
    texts = msgspec.json.encode(manifest), msgspec.json.encode(locked)
    return lock.wanted(*texts, named, packages_max=packages_max)


def _nested(depth):
    places = ["/".join(["node_modules/a"] * n) for n in range(1, depth + 1)]
    return dict.fromkeys(places, _ENTRY | {"dependencies": {"a": "1"}})


_ONE = {"dependencies": {"a": "1"}}
_MANY = {f"p{n}": "1" for n in range(501)}


def test_packages_may_lie_in_packages():
    assert len(_wanted(_nested(32), _ONE)) == 32


@pytest.mark.parametrize(
    ("packages", "manifest"),
    [
        (_nested(33), _ONE),
        ({"node_modules/" + "a" * 3000: _ENTRY, "node_modules/a": _ENTRY}, _ONE),
        ({f"node_modules/a{n}": _ENTRY for n in range(20_001)}, _ONE),
        ({"node_modules/a": _ENTRY | {"peerDependencies": _MANY}}, _ONE),
        ({"node_modules/a": _ENTRY | {"optionalDependencies": {"b" * 215: "1"}}}, _ONE),
        ({}, {"devDependencies": {f"d{n}": "1" for n in range(1001)}}),
        ({}, {"devDependencies": {"d" * 215: "1"}}),
    ],
)
def test_a_lock_that_is_no_work_of_npm_is_refused_before_anything_is_sought_in_it(
    packages, manifest
):
    with pytest.raises(BuildError) as raised:
        _wanted(packages, manifest)
    assert raised.value.code == "DEPENDENCY_REFUSED"
    assert "more than" in str(raised.value) or "at most" in str(raised.value)


def test_there_is_an_end_to_what_all_packages_need_together():
    needs = {f"p{n}": "1" for n in range(450)}
    packages = {f"node_modules/p{n}": _ENTRY | {"peerDependencies": needs} for n in range(450)}
    with pytest.raises(BuildError, match="need more than 20000 others") as raised:
        _wanted(packages, {"dependencies": {"p1": "1"}})
    assert raised.value.code == "DEPENDENCY_REFUSED"


def test_no_more_packages_are_looked_at_than_a_build_may_have():
    # the last one has no hash, which is found out only of what is looked at to the end
    packages = {f"node_modules/p{n}": _ENTRY for n in range(3)} | {"node_modules/p3": {}}
    manifest = {"dependencies": {f"p{n}": "1" for n in range(4)}}
    with pytest.raises(BuildError, match="at most 3 packages") as raised:
        _wanted(packages, manifest, packages_max=3)
    assert raised.value.code == "RESOURCE_LIMIT"


def test_the_code_is_asked_once_for_all_that_is_for_development():
    asked: list[set[str]] = []

    def _asked(those):
        asked.append(those)
        return {"d7"}

    names = {f"d{n}": "1" for n in range(300)} | {"@types/x": "1"}
    packages = {f"node_modules/{name}": _ENTRY for name in names}
    found = _wanted(packages, {"devDependencies": names}, _asked)
    assert [p.name for p in found] == ["@types/x", "d7"]
    assert asked == [names.keys() - {"@types/x"}]


def test_what_stands_in_quotes_is_named():
    code = (
        b"""import 'a'; import b from "b/deep.js"; import("@s/c"); x('@s/d/e'), "'f'" + "no more'"""
    )
    assert lock.names_in(code) == {"a", "b", "@s/c", "@s/d", "f"}
    assert lock.names_in(b"'" + b"a" * 100_000 + b"@" + b"'@" * 1000) == set()
