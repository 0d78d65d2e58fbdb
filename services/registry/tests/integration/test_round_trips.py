"""What a read costs: turns between the service and its database."""


async def test_what_is_asked_often_costs_one_turn(serving, desk, environment, turns):
    slug = desk.write("start", {"b.png": desk.pixel}, thumbnail="b.png")
    await desk.seed()
    async with serving(
        DATABASE_URL=turns.url(environment["DATABASE_URL"]), POOL_SIZE="1", RELAY_POLL_S="3600"
    ) as client:
        for path in ("", "?q=start&sort=-updatedAt", f"/{slug}", f"/{slug}/thumbnail"):
            await client.get(f"/api/v1/templates{path}")
            # the relay and the listener may take a turn of their own meanwhile, and never fewer
            costs = [await _cost(client, turns, path) for _ in range(5)]
            assert min(costs) == 1, path


async def _cost(client, turns, path):
    """The turns that pass while a route is asked."""
    turns.taken()
    answer = await client.get(f"/api/v1/templates{path}")
    assert answer.status_code == 200
    return turns.taken()
