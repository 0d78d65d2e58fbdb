"""What every file of the repository keeps to."""

import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT, relative, sources, text_of, tracked

pytestmark = pytest.mark.architecture
LINES_MAX = 300
# what services are put together from, the data path (statements, shared trips, outbox, relay),
# requests that may be repeated, objects that come in parts
COMMON_LINES_MAX = 1_500 + 600 + 300 + 120
# a code in capitals and digits, then a dash, then why
NOQA = re.compile(r"#\s*noqa\b(?P<rest>.*)", re.IGNORECASE)
NOQA_WITH_REASON = re.compile(r": ?[A-Z]+\d+(, ?[A-Z]+\d+)* +- \w.{4,}")
IGNORE = re.compile(r"#\s*type:\s*ignore(?P<rest>.*)")
IGNORE_WITH_REASON = re.compile(r"\[[a-z-]+(, ?[a-z-]+)*\] +# (?!noqa)\w.{4,}")
# put together here, so that this file does not name what it looks for
INDEX_HOSTS = tuple(
    ".".join(words)
    for words in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("index", "crates", "io"),
    )
)
WORKPLACES = tuple(f"/{name}/" for name in ("work", "farm", "home/user"))


def _python() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def test_no_module_is_longer_than_a_reader_s_patience() -> None:
    lengths = {relative(p): len((text_of(p) or "").splitlines()) for p in sources()}
    assert {name: length for name, length in lengths.items() if length > LINES_MAX} == {}


def _comments(path: Path) -> list[tuple[int, str]]:
    tokens = tokenize.generate_tokens(io.StringIO(text_of(path) or "").readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


def test_a_suppression_names_its_rule_and_its_reason() -> None:
    bare = [
        f"{relative(path)}:{line}: {comment}"
        for path in _python()
        for line, comment in _comments(path)
        if _is_bare(comment)
    ]
    assert bare == []


def _is_bare(comment: str) -> bool:
    noqa = NOQA.search(comment)
    if noqa and not NOQA_WITH_REASON.match(noqa["rest"]):
        return True
    ignore = IGNORE.search(comment)
    return bool(ignore and not IGNORE_WITH_REASON.match(ignore["rest"]))


@pytest.mark.parametrize(
    ("comment", "is_bare"),
    [
        ("# noqa", True),
        ("# noqa: ANN401", True),
        ("# noqa: ANN401 - whatever the service gives", False),
        ("# type: ignore", True),
        ("# type: ignore[arg-type]", True),
        ("# type: ignore[arg-type]  # known at run time", False),
        ("# says nothing of the kind", False),
    ],
)
def test_what_a_bare_suppression_is(comment: str, *, is_bare: bool) -> None:
    assert _is_bare(comment) is is_bare


def _places(words: tuple[str, ...]) -> list[str]:
    pattern = re.compile("|".join(map(re.escape, words)))
    return [
        f"{relative(path)}:{number}"
        for path in tracked()
        if (text := text_of(path)) is not None and pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_index() -> None:
    assert _places(INDEX_HOSTS) == []


def test_no_file_names_a_place_on_somebody_s_machine() -> None:
    here = relative(Path(__file__))
    assert [place for place in _places(WORKPLACES) if not place.startswith(here)] == []


def test_common_stays_small() -> None:
    folder = ROOT / "libs/common/src/common"
    counted = [
        path
        for path in folder.rglob("*.py")
        if not {"contracts", "testing"} & set(path.relative_to(folder).parts)
    ]
    assert sum(_code_lines(path) for path in counted) <= COMMON_LINES_MAX


def _code_lines(path: Path) -> int:
    """Lines with code on them: no blank ones, no comments, no docstrings."""
    skipped = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(text_of(path) or "").readline):
        is_docstring = begins and token.type == tokenize.STRING
        if token.type not in skipped and not is_docstring:
            lines.update(range(token.start[0], token.end[0] + 1))
        if token.type not in {tokenize.COMMENT, tokenize.NL}:
            begins = token.type in {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    return len(lines)
