"""Which processes a fleet consists of."""

from fleet import edge, programs, services
from fleet import processes as made
from fleet.catcher import process as catcher
from fleet.context import Context
from fleet.home import Home
from fleet.ports import Ports
from fleet.processes import Process
from fleet.secrets import Secrets
from fleet.settings import FleetSettings
from fleet.stores import nats, postgres, redis, s3

STORES = ("postgres-roles", "redis", "nats-streams", "s3-buckets")


def context(home: Home, ports: Ports, secrets: Secrets, settings: FleetSettings) -> Context:
    """Bring together what the plan is made from."""
    return Context(
        home=home,
        ports=ports,
        secrets=secrets,
        programs=programs.find(settings),
        settings=settings,
    )


def processes(context: Context, only: tuple[str, ...] = ()) -> list[Process]:
    """Return the processes to run; ``stores`` stands for all of the stores."""
    every = [
        *postgres.processes(context),
        *redis.processes(context),
        *nats.processes(context),
        *s3.processes(context),
        *services.processes(context),
        *catcher.processes(context),
        *(edge.processes(context) if not only or edge.NAME in only else ()),
    ]
    names = tuple(name for given in only for name in (STORES if given == "stores" else (given,)))
    return made.chosen(every, names)
