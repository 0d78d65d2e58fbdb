"""Write the gateway's configuration for a cluster: ``python -m fleet.gateway_image <directory>``.

There a service is a headless service of its name, and what listens on a port listens on the same
port everywhere.
"""

import sys
from pathlib import Path

from fleet import gateway
from fleet.gateway_documents import Documents
from fleet.gateway_values import Address, GatewayValues, Upstreams
from fleet.home import repository

PORT, SOCKET_PORT, S3_PORT = 8000, 8001, 8333
LISTEN_PORT, ADMIN_PORT = 8080, 9901


def values() -> GatewayValues:
    """Return the values of a gateway in a cluster; the secret stays out of the file."""
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
        documents=Documents(openapi=docs / "openapi.json", asyncapi=docs / "asyncapi.json"),
    )


def main() -> None:
    """Render into the directory that the argument names."""
    sys.stdout.write(f"{gateway.render(values(), Path(sys.argv[1]))}\n")


if __name__ == "__main__":
    main()
