"""What is added to a page, and where."""

import base64
import hashlib

import pytest

from builds.packagers import head


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<html><head><title>G</title></head>", "<html><head><title>G</title>+</head>"),
        ("<html><head><title>G</title><body>", "<html><head>+<title>G</title><body>"),
        ("<!doctype html><html lang=en><body>", "<!doctype html><html lang=en>+<body>"),
        ("<!DOCTYPE html>\n<canvas>", "<!DOCTYPE html>+\n<canvas>"),
        ("<canvas>", "+<canvas>"),
        ("", "+"),
    ],
)
def test_more_goes_into_the_head_and_never_before_the_doctype(page, expected):
    assert head.with_more(page, ["+"]) == expected


def test_what_the_bundler_made_is_sealed_and_nothing_else(tmp_path):
    for name in ("a.js", "b.css", "own.css"):
        (tmp_path / name).write_text(name)
    files = {name: tmp_path / name for name in ("a.js", "b.css", "own.css")}
    page = (
        '<link rel="stylesheet" href="b.css" />\n<link rel=stylesheet href="own.css">'
        '<script type="module" src="a.js"></script><script src="far.js"></script>'
    )
    text = head.sealed(page, files, frozenset({"a.js", "b.css", "far.js"}))
    digest = base64.b64encode(hashlib.sha384(b"a.js").digest()).decode()
    assert f'<script type="module" src="a.js" integrity="sha384-{digest}"></script>' in text
    assert text.count("integrity=") == 2
    assert '<link rel=stylesheet href="own.css">' in text
    assert head.sealed(text, files, frozenset({"a.js", "b.css"})) == text


def test_what_a_page_links_is_known():
    page = '<link rel="shortcut ICON" href="x.png"><link rel=manifest href=y>'
    assert head.relations(page) == {"shortcut", "icon", "manifest"}


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<html><head><meta charset=x><script>1</script>", "<html><head>+<meta charset=x>"),
        ("<html><head><title>G</title></head><body><img>", "<html><head><title>G</title>+</head>"),
        ("<!doctype html><script src=a>", "<!doctype html>+<script src=a>"),
    ],
)
def test_a_policy_stands_before_what_it_is_for(page, expected):
    text = head.with_policy(page, "object-src 'none'")
    start, _, rest = text.partition("<meta http-equiv")
    assert "object-src &#x27;none&#x27;" in rest
    assert (start + "+" + rest.partition(" />")[2]).startswith(expected)


def test_a_page_with_a_policy_keeps_its_own():
    page = '<head><meta http-equiv="Content-Security-Policy" content="x"></head>'
    assert head.with_policy(page, "y") == page
