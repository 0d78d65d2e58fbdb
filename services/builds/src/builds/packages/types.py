"""What a lock says of a package, and how much of packages a build may have."""

from msgspec import Struct


class Package(Struct, frozen=True):
    """A package of the registry at its place below the project: ``node_modules/three``."""

    path: str
    name: str
    version: str
    integrity: str
    needs: tuple[str, ...] = ()


class Measure(Struct, frozen=True, kw_only=True):
    """What one package may come to, packed and unpacked."""

    packed_bytes: int
    bytes: int
    files: int
