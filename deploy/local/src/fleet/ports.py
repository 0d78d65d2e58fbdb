"""Every port of the fleet, in one place."""

import random
import socket
from pathlib import Path

import msgspec

LOOPBACK = "127.0.0.1"
# below the range from which the kernel takes the ports of outgoing connections, so that a port
# found free is not lost to one of them before its server has bound it
FREE_RANGE = range(20_000, 32_000)


# not bound by anybody yet, perhaps, but meant for a server
_GIVEN: set[int] = set()


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are the fleet's own: no server's usual port is among them but the gateway's."""

    gateway: int = 8080
    envoy_admin: int = 18901
    auth: int = 18101
    projects: int = 18102
    assets: int = 18103
    builds: int = 18104
    collab: int = 18105
    collab_socket: int = 18106
    registry: int = 18107
    builds_worker: int = 18108
    mail: int = 18125
    mail_page: int = 18180
    postgres: int = 18432
    redis: int = 18379
    nats: int = 18422
    nats_monitor: int = 18822
    s3: int = 18333
    s3_grpc: int = 18334
    s3_master: int = 18335
    s3_master_grpc: int = 18336
    s3_volume: int = 18337
    s3_volume_grpc: int = 18338
    s3_filer: int = 18339
    s3_filer_grpc: int = 18340
    s3_admin: int = 18341
    s3_admin_grpc: int = 18342


def by_name(ports: Ports) -> dict[str, int]:
    """Return the ports under their names."""
    return {name: getattr(ports, name) for name in ports.__struct_fields__}


def free() -> Ports:
    """Pick a port that nobody listens on for every name; another one each time."""
    # the system's dice: those of a test run fall alike for every fleet that it starts
    candidates = random.SystemRandom().sample(FREE_RANGE, k=len(FREE_RANGE))
    names = Ports.__struct_fields__
    found = (port for port in candidates if port not in _GIVEN and is_free(port))
    picked = dict(zip(names, found, strict=False))
    _GIVEN.update(picked.values())
    return Ports(**picked)


def is_free(port: int) -> bool:
    """Say whether a server could bind the port now."""
    with socket.socket() as probe:
        # as servers do: connections of a server that has just stopped do not count
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def kept(path: Path) -> Ports:
    """Read the ports of this home; where no file changes them they are the defaults."""
    if not path.exists():
        return Ports()
    return msgspec.json.decode(path.read_bytes(), type=Ports)


def keep(path: Path, ports: Ports) -> None:
    """Remember the ports for the next start of this home."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(ports)))
