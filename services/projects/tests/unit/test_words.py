"""Whole words and paths in texts."""

import pytest

from projects.mentions import words

NAME = "assets/ball.png"
ID = "01980f3a-7c00-7000-8000-000000000001"


def lines(text: str, needle: str) -> list[int]:
    """The lines of a text in which a needle stands."""
    return list(words.lines(text.encode(), needle.encode()))


@pytest.mark.parametrize(
    "text",
    [
        NAME,
        f'<img src="{NAME}">',
        f"url({NAME})",
        f"./{NAME}",
        f"../../{NAME}",
        f"/{NAME}",
        f"res://{NAME}",
        f"@/{NAME}",
        f"${{base}}/{NAME}",
        f"See {NAME}.",
        f"{NAME}?v=1",
        f"{NAME}#top",
        f"图片{NAME}在",
        f"„{NAME}“",
        f"x{NAME} and {NAME}",
        f"{NAME}.bak, {NAME}",
    ],
)
def test_a_path_is_found_where_it_is_whole(text: str) -> None:
    assert lines(text, NAME) == [1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ball.png",
        "assets/Ball.png",
        f"my{NAME}",
        f"my-{NAME}",
        f"_{NAME}",
        f".{NAME}",
        f"src/{NAME}",
        f"../src_2/{NAME}",
        f"{NAME}x",
        f"{NAME}-old",
        f"{NAME}_",
        f"{NAME}.bak",
        f"{NAME}/frame",
    ],
)
def test_a_part_of_a_longer_path_is_none(text: str) -> None:
    assert lines(text, NAME) == []


@pytest.mark.parametrize("text", [ID, f'"{ID}"', f"/api/v1/assets/{ID}/download", f"id_{ID}.png"])
def test_a_word_is_found_where_it_is_whole(text: str) -> None:
    assert lines(text, ID) == [1]


@pytest.mark.parametrize("text", [f"0{ID}", f"{ID}a", ID[:-1], ID.upper(), f"Z{ID}"])
def test_a_part_of_a_longer_word_is_none(text: str) -> None:
    assert lines(text, ID) == []


def test_every_line_is_told_and_counted_from_one() -> None:
    text = f"a\r\n{NAME}\n\n{NAME} {NAME}\n{NAME}x\n{NAME}"
    assert lines(text, NAME) == [2, 4, 4, 6]


def test_a_text_full_of_beginnings_is_looked_through_at_once() -> None:
    text = "assets/" * 50_000 + NAME
    # the last stands behind a folder of the same name
    assert lines(text, NAME) == []
    assert lines(f"{text} {NAME}", NAME) == [1]
