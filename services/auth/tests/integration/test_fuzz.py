"""Whatever is sent, the answer is one that the OpenAPI document describes, and never a 500."""

import asyncio

from services.auth.tests.desk import Desk

from common.testing.apps import identity
from common.testing.processes import process
from fleet import describe
from tests import fuzzing

_EXAMPLES = 25


async def test_every_answer_is_in_the_document(desk: Desk, told: dict[str, str]) -> None:
    made = describe.document(desk.client.app)
    found: dict[str, list[str]] = {}
    async with process("auth.main:create_app", told) as service:
        for name, operation in fuzzing.operations(made):
            # somebody else each time: some operations end sessions and accounts
            who = await desk.person()
            headers = identity(
                service.secret,
                who.id,
                x_auth_session=who.session_id,
                x_auth_method="jwt",
                x_envoy_external_address="198.51.100.7",
            )
            faults = await asyncio.to_thread(
                fuzzing.faults, operation, service.url, headers, examples=_EXAMPLES
            )
            if faults:
                found[name] = sorted(set(faults))
    assert found == {}, "\n".join(
        f"{name}: {fault}" for name, faults in found.items() for fault in faults
    )
