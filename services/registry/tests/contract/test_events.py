"""The events of the registry, at both ends."""

import msgspec

from common.contracts.projects import AccessChanged
from common.contracts.registry import TemplatePublished
from registry.events import SUBSCRIPTIONS


async def test_whatever_is_announced_is_in_the_contract(desk):
    slug = desk.write("start")
    await desk.seed()
    template = await desk.shown(slug)
    [(subject, data)] = await desk.events(template["id"])
    assert subject == TemplatePublished.subject
    decoded = msgspec.convert(data, TemplatePublished)
    assert msgspec.to_builtins(decoded) == data
    assert (str(decoded.template_id), decoded.slug) == (template["id"], slug)


def test_what_is_listened_to():
    assert [s.event for s in SUBSCRIPTIONS] == [AccessChanged]
