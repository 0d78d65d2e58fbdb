"""What goes away behind the gateway, and the gateway itself, without anybody being dropped."""

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override

import msgspec
import pytest
from joserfc.jwk import ECKey

from fleet.gateway import DRAIN_PATHS, STOP_PATH
from fleet.gateway_testing import Edge
from fleet.gateway_values import Address, Upstreams

pytestmark = pytest.mark.integration


@pytest.fixture
def keys_only(key: ECKey) -> Iterator[ThreadingHTTPServer]:
    """An auth service that publishes its key, and can be stopped."""
    body = msgspec.json.encode({"keys": [key.as_dict(private=False)]})

    class Keys(BaseHTTPRequestHandler):
        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_tokens_are_believed_while_auth_is_down(
    start: Callable[..., Edge],
    upstreams: Upstreams,
    bearer: dict[str, str],
    keys_only: ThreadingHTTPServer,
) -> None:
    alone = msgspec.structs.replace(upstreams, auth=[Address(keys_only.server_port)])
    edge = start(upstreams=alone, jwks_cache_s=0.5, revoked_first_s=0.5)
    assert edge.ask("GET", "/api/v1/projects", bearer).status == 200
    keys_only.shutdown()
    keys_only.server_close()
    # the keys have been wanted again by now, several times, and were not there
    until = time.monotonic() + 2
    while time.monotonic() < until:
        assert edge.ask("GET", "/api/v1/projects", bearer).status == 200
    assert edge.ask("POST", "/api/v1/auth/login").code() == "UNAVAILABLE"


def _told(edge: Edge, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", edge.values.admin_port, timeout=5)
    with contextlib.closing(connection):
        connection.request("POST", path)
        return connection.getresponse().status


def test_a_draining_gateway_finishes_what_it_has_begun(
    start: Callable[..., Edge], bearer: dict[str, str]
) -> None:
    edge = start()
    with ThreadPoolExecutor(8) as pool:
        slow = [
            pool.submit(edge.ask, "GET", f"/api/v1/projects?sleep=1&n={n}", bearer)
            for n in range(8)
        ]
        # all of them are on their way
        time.sleep(0.3)
        assert _told(edge, DRAIN_PATHS[0]) == 200
        # what stands in front sees this, and sends no more
        assert edge.ask("GET", "/health/ready").status == 503
        assert edge.ask("GET", "/api/v1/projects", bearer).status == 200
        assert _told(edge, DRAIN_PATHS[1]) == 200
        assert [request.result().status for request in slow] == [200] * 8
    assert _told(edge, STOP_PATH) == 200
