"""Write the gateway's configuration for a cluster: ``python -m fleet.gateway_image <directory>``.

There a service is a headless service of its name, and what listens on a port listens on the same
port everywhere.
"""

import sys
from pathlib import Path

import msgspec

from common.settings import load
from fleet import gateway
from fleet.gateway_documents import Documents
from fleet.gateway_values import Address, GatewayValues, Upstreams
from fleet.home import repository

PORT, SOCKET_PORT, S3_PORT = 8000, 8001, 8333
LISTEN_PORT, ADMIN_PORT = 8080, 9901


class ImageSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when the image is made: a host's name is no value that Envoy looks up later."""

    play_origin: str = "http://play.localhost:8080"


def values() -> GatewayValues:
    """Return the values of a gateway in a cluster; the secret stays out of the file."""
    given = load(ImageSettings)
    docs = repository() / "docs"
    return GatewayValues(
        # the pod's
        name="%ENVIRONMENT(HOSTNAME)%",
        listen_host="0.0.0.0",  # noqa: S104 - it is what the cluster's traffic comes to
        listen_port=LISTEN_PORT,
        admin_port=ADMIN_PORT,
        upstreams=Upstreams(
            auth=[Address(PORT, "auth")],
            projects=[Address(PORT, "projects")],
            assets=[Address(PORT, "assets")],
            builds=[Address(PORT, "builds")],
            collab=[Address(PORT, "collab")],
            collab_sockets=[Address(SOCKET_PORT, "collab", health_port=PORT)],
            registry=[Address(PORT, "registry")],
            s3=[Address(S3_PORT, "s3")],
        ),
        fleet_secret="%ENVIRONMENT(FLEET_SECRET)%",  # noqa: S106 - the variable that holds it
        play_origin=given.play_origin,
        documents=Documents(openapi=docs / "openapi.json", asyncapi=docs / "asyncapi.json"),
    )


def main() -> None:
    """Render into the directory that the argument names."""
    sys.stdout.write(f"{gateway.render(values(), Path(sys.argv[1]))}\n")


if __name__ == "__main__":
    main()
