"""NATS with JetStream: the events between the services and the queue of jobs."""

from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Probe, Process


def processes(context: Context) -> list[Process]:
    """Return the server, and what makes its streams and consumers."""
    source = context.home.repository / "deploy" / "nats"
    data = context.home.data / "nats"
    data.mkdir(exist_ok=True)
    ports = ("--port", str(context.ports.nats), "--http_port", str(context.ports.nats_monitor))
    options = ("--addr", LOOPBACK, *ports, "--store_dir", str(data))
    passwords = {
        f"NATS_{name.upper()}_PASSWORD": word for name, word in context.secrets.nats.items()
    }
    server = Process(
        name="nats",
        command=(
            str(context.programs.nats_server),
            "--config",
            str(source / "nats.conf"),
            *options,
        ),
        environment=context.environment(**passwords),
        probe=Probe(port=context.ports.nats_monitor, path="/healthz?js-enabled-only=true"),
    )
    streams = Process(
        name="nats-streams",
        command=(PYTHON, "-m", "fleet.bootstrap", "nats"),
        environment=context.environment(
            NATS_URL=url(context),
            NATS_ADMIN_PASSWORD=context.secrets.nats["admin"],
            STREAMS_PATH=str(source / "streams.yaml"),
        ),
        needs=("nats",),
        once=True,
    )
    return [server, streams]


def url(context: Context) -> str:
    """Return the server's address; user and password are given beside it."""
    return f"nats://{LOOPBACK}:{context.ports.nats}"
