"""What of a project's tsconfig.json is heeded."""

import pytest

from builds.pipeline import tsconfig
from builds.types import BuildError

_THEIRS = {
    "extends": "/proc/1/environ",
    "files": ["/etc/passwd"],
    "references": [{"path": "../other"}],
    "compilerOptions": {
        "strict": False,
        "skipLibCheck": False,
        "outDir": "/elsewhere/out",
        "typeRoots": ["/"],
        "plugins": [{"name": "evil"}],
        "tsBuildInfoFile": "/elsewhere/x",
        "paths": {"@/*": ["./src/*", "../../secret/*", "/etc/*"], "up": ["../x"]},
    },
    "include": ["src", "../..", "/etc", 7],
    "exclude": ["./src/old"],
}


def test_comments_and_last_commas_are_read():
    text = '{ // one\n "a": "//no", /* two */ "b": [1, 2, ], }'
    assert tsconfig.read(text) == {"a": "//no", "b": [1, 2]}


_ENDLESS = ["/*" * 200_000, '"\\"' * 200_000, '{"a": "' + "\\" * 400_000, ", " * 200_000]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": }', "[" * 100_000, *_ENDLESS])
def test_what_cannot_be_read_is_the_projects_fault(text):
    with pytest.raises(BuildError) as raised:
        tsconfig.read(text)
    assert raised.value.code == "CONFIG_INVALID"


def test_nothing_that_reaches_out_is_heeded():
    made = tsconfig.for_the_checker(_THEIRS, "/c/files.d.ts")
    assert set(made) == {"compilerOptions", "include", "exclude"}
    assert made["include"] == ["/p/src", "/c/files.d.ts"]
    assert made["exclude"] == ["/p/src/old", "/p/node_modules", "/p/assets", "/p/public"]
    options = made["compilerOptions"]
    assert not {"outDir", "typeRoots", "plugins", "tsBuildInfoFile"} & set(options)
    assert options["paths"] == {"@/*": ["/p/src/*"]}


def test_the_project_is_as_strict_as_it_likes_but_libraries_are_not_checked():
    options = tsconfig.for_the_checker(_THEIRS, "x")["compilerOptions"]
    assert options["strict"] is False
    assert options["skipLibCheck"] is True
    assert options["noEmit"] is True


def test_odd_types_are_passed_over():
    odd = {"compilerOptions": 3, "include": "src", "exclude": {}}
    assert tsconfig.for_the_checker(odd, "x")["include"] == ["/p/**/*", "x"]
    assert tsconfig.for_the_bundler({"compilerOptions": {"paths": [1]}}) == {
        "compilerOptions": {"paths": {}}
    }
