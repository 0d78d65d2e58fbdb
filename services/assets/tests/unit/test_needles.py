"""How a text may name an asset."""

from uuid import UUID

from assets.references.service import needles

ID = UUID("01980f3a-7c00-7000-8000-000000000001")


def test_an_asset_is_named_by_id_by_path_and_by_hash() -> None:
    assert needles(ID, "ball.png", ["a" * 64, "b" * 64]) == [
        str(ID),
        "assets/ball.png",
        "a" * 64,
        "b" * 64,
    ]


def test_a_name_is_written_otherwise_in_a_url() -> None:
    found = needles(ID, "my ä.png", ())
    assert found[1:] == ["assets/my ä.png", "assets/my%20%C3%A4.png"]
