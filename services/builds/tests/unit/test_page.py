"""The page: which modules it starts, and what stands in their place."""

import pytest

from builds.pipeline import page

_PAGE = """<!doctype html>
<html><head><title>T</title></head>
<body>
<!-- <script type="module" src="src/old.ts"></script> -->
<script src="lib/classic.js"></script>
<script
  type="module" src="./src/main.ts?v=1" defer></script>
<script type="module" src="https://elsewhere.test/x.js"></script>
</body></html>
"""


@pytest.mark.parametrize("tail", ["<!-- ", "<a ", '<a x="', "<![CDATA[", "</", "<script "])
def test_what_does_not_end_starts_nothing(tail):
    assert page.modules(_PAGE + tail * 20_000) == ["src/main.ts"]


def test_only_the_projects_own_modules_are_started():
    assert page.modules(_PAGE) == ["src/main.ts"]


def test_a_module_gives_way_to_its_bundle_and_all_else_stays():
    made = page.bundled(_PAGE, {"src/main.ts": "main-AB.js"}, ["main-CD.css"])
    assert '<script type="module" src="main-AB.js"></script>' in made
    assert '<link rel="stylesheet" href="main-CD.css" /></head>' in made
    assert '<script src="lib/classic.js"></script>' in made
    assert "src/old.ts" in made
    assert made.count("main-AB.js") == 1


def test_a_page_without_the_module_gets_it_at_its_end():
    made = page.bundled("<body><p>x</p></body>", {"src/main.ts": "m.js"}, [])
    assert made == '<body><p>x</p><script type="module" src="m.js"></script></body>'


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\f", "\v", "\x1c", "\r", "\r\n"])
def test_only_a_newline_ends_a_line_of_a_page(odd):
    before, after = (
        f"<head><title>a{odd}b</title>\n{odd}</head>\n<body>{odd}\n",
        "</script>\n</body>",
    )
    made = page.bundled(f'{before}<script type="module" src="a.ts">{after}', {"a.ts": "m.js"}, [])
    assert made == f'{before}<script type="module" src="m.js">{after}'


def test_a_page_that_is_hardly_one_still_starts_the_game():
    assert 'src="m.js"' in page.bundled("hello", {"a.ts": "m.js"}, [])


def test_a_name_cannot_leave_its_place_in_an_empty_page():
    assert "<script>" not in page.empty("<script>alert(1)</script>")


@pytest.mark.parametrize(
    "address", ["", "../x.ts", "https://a/b.ts", "//a/b.ts", "data:text/plain,x", "a/../../b"]
)
def test_other_addresses_are_not_the_projects(address):
    assert page.local(address) == ""


@pytest.mark.parametrize("address", ["src/a.ts", "./src/a.ts", "/src/a.ts", "src/a.ts?x#y"])
def test_one_file_has_many_addresses(address):
    assert page.local(address) == "src/a.ts"
