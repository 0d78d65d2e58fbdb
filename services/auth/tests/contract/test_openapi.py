"""The document that the service describes itself with."""

from common.testing.apps import Client
from fleet import describe
from tests import documents


def test_every_operation_says_who_may_and_how_often(client: Client) -> None:
    made = describe.document(client.app)
    assert made["paths"]
    assert documents.faults(made) == []
