"""What project.json may say of a game, and what it is told where that cannot be."""

import msgspec
import pytest

from builds.packagers import icons, png
from builds.packagers.about import read
from builds.packagers.types import About, Icon
from builds.types import BuildError


def _read(tree, **said):
    (tree / "project.json").write_bytes(msgspec.json.encode(said))
    return read(tree)


def _picture(tree, path, pixels):
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    some = About("G", "g", "1.0.0", "", "app.worldloom.g")
    (tree / path).write_bytes(icons.standard(some, pixels))
    return path


def test_a_project_that_says_nothing_has_safe_names(tmp_path):
    expected = About("Game", "game", "1.0.0", "", "app.worldloom.game")
    assert read(tmp_path) == expected
    assert _read(tmp_path, static=["assets"], colour="red") == expected


@pytest.mark.parametrize(
    ("name", "slug", "app_id"),
    [
        ("Brickglow", "brickglow", "app.worldloom.brickglow"),
        ("  Äpfel   & Birnen ", "apfel-birnen", "app.worldloom.apfelbirnen"),
        ("3 Kings", "3-kings", "app.worldloom.game3kings"),
        ("New", "new", "app.worldloom.gamenew"),
        ("星", "game", "app.worldloom.game"),
    ],
)
def test_a_name_becomes_the_names_that_systems_want(tmp_path, name, slug, app_id):
    found = _read(tmp_path, name=name)
    assert (found.slug, found.app_id) == (slug, app_id)
    assert found.name == " ".join(name.split())


def test_all_that_may_be_said_is_heard(tmp_path):
    _picture(tmp_path, "assets/large.png", 512)
    _picture(tmp_path, "public/small.png", 64)
    found = _read(
        tmp_path,
        name="A",
        version="2.1",
        description="Two\nlines",
        appId="com.example.a1",
        orientation="portrait",
        icons=["public/small.png", {"src": "./assets/large.png", "sizes": "any"}],
        play={"isolated": True},
    )
    assert (found.version, found.description) == ("2.1.0", "Two lines")
    assert (found.app_id, found.orientation, found.is_isolated) == (
        "com.example.a1",
        "portrait",
        True,
    )
    assert found.icons == (Icon("public/small.png", 64), Icon("assets/large.png", 512))


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"name": 7}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"description": "x" * 1001}, "description"),
        ({"version": "one"}, "version"),
        ({"version": "1.2.3.4"}, "version"),
        ({"version": "1.99999.0"}, "version"),
        ({"version": "01.2.3"}, "version"),
        ({"appId": "game"}, "appId"),
        ({"appId": "com.example.my-game"}, "appId"),
        ({"appId": "com.example.new"}, "appId"),
        ({"appId": "com..game"}, "appId"),
        ({"orientation": "upside down"}, "orientation"),
        ({"icons": "assets/large.png"}, "icons"),
        ({"icons": ["assets/nothing.png"]}, "assets/nothing.png"),
        ({"icons": ["../large.png"]}, "../large.png"),
        ({"icons": ["assets/../../large.png"]}, "assets/../../large.png"),
        ({"icons": ["src/large.png"]}, "src/large.png"),
        ({"icons": ["assets/note.png"]}, "assets/note.png"),
        ({"icons": ["assets/small.png"]}, "512"),
        ({"icons": [f"assets/{i}.png" for i in range(17)]}, "16"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path, said, word):
    _picture(tmp_path, "assets/small.png", 64)
    (tmp_path / "assets/note.png").write_text("no picture")
    with pytest.raises(BuildError) as refused:
        _read(tmp_path, **said)
    assert refused.value.code == "CONFIG_INVALID"
    (found,) = refused.value.diagnostics
    assert (found.file, found.severity) == ("project.json", "error")
    assert word in found.message


def test_a_game_without_an_icon_gets_one_of_its_own():
    one = About("A", "a", "1.0.0", "", "com.example.a")
    other = About("B", "b", "1.0.0", "", "com.example.b")
    made = icons.standard(one, 192)
    assert png.size(made) == (192, 192)
    assert made == icons.standard(one, 192)
    assert made != icons.standard(other, 192)
    assert png.size(icons.splash(one)) == (2732, 2732)
    assert png.size(b"GIF89a") is None
