"""The one registry that packages come from. What a lock says of addresses is not followed."""

import hashlib
import ssl
from pathlib import Path
from urllib.parse import quote

import httpx

from builds.packages.types import Package
from builds.types import BuildError
from common.errors import UnavailableError

_HOPS = 3
_FAULTS = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})


class Registry:
    """Connections to the registry at ``address``; without an address there is none."""

    def __init__(self, address: str, *, timeout_s: float) -> None:
        self._address = address.rstrip("/")
        # the system's authorities: a registry of one's own is vouched for by one's own
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            verify=ssl.create_default_context(),
            follow_redirects=False,
            # as it is stored: what is compressed on the way is not what was hashed
            headers={"accept-encoding": "identity"},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def tarball(self, package: Package, target: Path, bytes_max: int) -> None:
        """Bring a package; raises ``UnavailableError`` where asking again may help."""
        if not self._address:
            message = "This installation has no package registry, so packages cannot be had."
            raise BuildError("DEPENDENCY_UNAVAILABLE", message)
        address = self._of(package)
        try:
            for _ in range(_HOPS):
                address = await self._taken(package, address, target, bytes_max)
                if not address:
                    return
        except httpx.HTTPError as exc:
            raise UnavailableError from exc
        raise _absent(package)

    def _of(self, package: Package) -> str:
        base = package.name.rpartition("/")[2]
        version = quote(package.version.partition("+")[0])
        return f"{self._address}/{quote(package.name, safe='@/~')}/-/{quote(base)}-{version}.tgz"

    async def _taken(self, package: Package, address: str, target: Path, bytes_max: int) -> str:
        """Take what is at ``address``, or return where it is instead, on the same host."""
        async with self._client.stream("GET", address) as answer:
            if answer.has_redirect_location:
                there = answer.next_request.url if answer.next_request else httpx.URL()
                if _origin(there) != _origin(answer.url):
                    message = f"The registry sends to another host for {_named(package)}."
                    raise BuildError("DEPENDENCY_REFUSED", message)
                return str(there)
            if answer.status_code in _FAULTS or answer.is_server_error:
                raise UnavailableError
            if not answer.is_success:
                raise _absent(package)
            await _kept(answer, package, target, bytes_max)
        return ""


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _kept(answer: httpx.Response, package: Package, target: Path, bytes_max: int) -> None:
    digest = hashlib.sha512()
    size = 0
    with target.open("wb") as file:
        async for piece in answer.aiter_raw():
            size += len(piece)
            if size > bytes_max:
                message = f"{_named(package)} has more than {bytes_max} bytes."
                raise BuildError("DEPENDENCY_REFUSED", message)
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != package.integrity:
        message = f"{_named(package)} is not what the lock says it is."
        raise BuildError("DEPENDENCY_CORRUPT", message)


def _absent(package: Package) -> BuildError:
    message = f"The registry has no {_named(package)}."
    return BuildError("DEPENDENCY_UNAVAILABLE", message)


def _named(package: Package) -> str:
    return f"{package.name} {package.version}"
