"""Redis: a cache with a user for each service."""

from fleet.context import Context
from fleet.ports import LOOPBACK
from fleet.processes import Probe, Process
from fleet.stores.rendering import render


def processes(context: Context) -> list[Process]:
    """Return the server; it has nothing to prepare."""
    source = context.home.repository / "deploy" / "redis"
    data = context.home.data / "redis"
    data.mkdir(exist_ok=True)
    passwords = {f"{name.upper()}_PASSWORD": word for name, word in context.secrets.redis.items()}
    users = render(source / "users.acl", context.home.config / "redis-users.acl", passwords)
    port = context.ports.redis
    options = ("--port", str(port), "--dir", str(data), "--aclfile", str(users))
    program = str(context.programs.redis_server)
    return [
        Process(
            name="redis",
            command=(program, str(source / "redis.conf"), *options),
            environment=context.environment(),
            probe=Probe(port=port),
        )
    ]


def url(context: Context, user: str) -> str:
    """Return the address of the cache for one user."""
    return f"redis://{user}:{context.secrets.redis[user]}@{LOOPBACK}:{context.ports.redis}/0"
