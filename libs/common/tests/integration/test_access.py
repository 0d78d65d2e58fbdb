"""A replica of who may do what: the newest word counts, and what is not known is asked for."""

import asyncio
from uuid import UUID

import pytest
from libs.common.tests.house import House

from common import access
from common.access import Access
from common.errors import NotFoundError
from common.ids import uuid7


async def nobody_knows(_: UUID) -> Access | None:
    """The owner has never heard of it."""
    return None


async def unasked(_: UUID) -> Access | None:
    """Nobody is to be asked."""
    raise AssertionError


async def test_an_older_word_never_replaces_a_newer(house: House) -> None:
    project, ann = uuid7(), uuid7()
    said = [
        Access(project, version, version % 2 == 0, is_deleted=False, roles={str(ann): f"{version}"})
        for version in (3, 1, 5, 2, 5, 4)
    ]
    for one in said:
        await access.learn(house.listening, one)
    assert await access.role_on(house.listening, unasked, project, ann) == "5"
    await asyncio.gather(*[access.learn(house.listening, one) for one in said * 5])
    assert await access.role_on(house.listening, unasked, project, ann) == "5"


async def test_who_may_know_of_it(house: House) -> None:
    ann, stranger = uuid7(), uuid7()
    roles = {str(ann): "editor"}
    private, public, gone = uuid7(), uuid7(), uuid7()
    for one in (
        Access(private, 1, is_public=False, is_deleted=False, roles=roles),
        Access(public, 1, is_public=True, is_deleted=False, roles=roles),
        Access(gone, 1, is_public=True, is_deleted=True, roles=roles),
    ):
        await access.learn(house.listening, one)
    assert await access.role_on(house.listening, unasked, private, ann) == "editor"
    assert await access.role_on(house.listening, unasked, public, stranger) == "viewer"
    for project, user in ((private, stranger), (gone, ann), (gone, stranger)):
        with pytest.raises(NotFoundError):
            await access.role_on(house.listening, unasked, project, user)


async def test_what_was_never_heard_of_is_asked_for_once(house: House) -> None:
    project, ann = uuid7(), uuid7()
    asked: list[UUID] = []

    async def ask(project_id: UUID) -> Access | None:
        asked.append(project_id)
        return Access(project_id, 7, is_public=False, is_deleted=False, roles={str(ann): "owner"})

    for _ in range(3):
        assert await access.role_on(house.listening, ask, project, ann) == "owner"
    assert asked == [project]
    await access.learn(
        house.listening, Access(project, 6, is_public=True, is_deleted=False, roles={})
    )
    assert await access.role_on(house.listening, unasked, project, ann) == "owner"
    with pytest.raises(NotFoundError):
        await access.role_on(house.listening, nobody_knows, uuid7(), ann)
