"""The gateway as a process of the local fleet."""

from fleet import gateway, play, services
from fleet.context import Context
from fleet.processes import Drain, Probe, Process
from fleet.secrets import SERVICES

NAME = "gateway"


def processes(context: Context) -> list[Process]:
    """Return Envoy, which is stopped first and started last."""
    values = gateway.values_for(
        context.ports,
        fleet_secret=context.secrets.fleet_secret,
        allowed_origins=services.origins(context),
        access_log=context.home.log("gateway-access"),
        play_origin=play.origin(context),
        play_port=play.port(context.settings),
    )
    path = gateway.render(values, context.home.config / NAME)
    admin = context.ports.envoy_admin
    return [
        Process(
            name=NAME,
            command=tuple(gateway.command(path, context.programs.envoy)),
            environment=context.environment(),
            needs=(*SERVICES, "s3"),
            probe=Probe(port=admin, path="/ready"),
            drain=Drain(port=admin, first=gateway.DRAIN_PATHS, wait_s=0.5, last=gateway.STOP_PATH),
        )
    ]
