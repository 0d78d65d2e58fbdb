"""A registry of packages that tests make up, and a worker that asks it."""

import base64
import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override

import msgspec
import pytest

_READ = (".js", ".mjs", ".cjs", ".json", ".d.ts")
_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'


def packed(files, link=""):
    """A tarball as npm makes them."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=1) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(f"package/{path}")
            raw = content if isinstance(content, bytes) else content.encode()
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
        if link:
            info = tarfile.TarInfo("package/link.js")
            info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info)
    return made.getvalue()


def project(packages, code, **manifest):
    """A project that depends on packages, as npm would have locked it."""
    root = manifest or {"dependencies": {n: "1.0.0" for n in packages if "node_modules" not in n}}
    places = {(n if "node_modules" in n else f"node_modules/{n}"): e for n, e in packages.items()}
    lock = {"lockfileVersion": 3, "packages": {"": root} | places}
    return {
        "index.html": _PAGE,
        "src/main.ts": code,
        "package.json": msgspec.json.encode(root).decode(),
        "package-lock.json": msgspec.json.encode(lock).decode(),
    }


class Shop:
    """A registry of packages that a test made up."""

    def __init__(self):
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self._installed: dict[str, dict[str, str]] = {}
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                shop.asked.append(self.path)
                status, headers, body = shop.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, *_):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/npm/"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self):
        """End the registry."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def sell(self, name, files, *, version="1.0.0", **about):
        """Offer a package; return what a lock says of it."""
        about = {"name": name, "version": version} | about
        body = packed({"package.json": msgspec.json.encode(about), **files})
        return self.offer(name, body, version=version)

    packed = staticmethod(packed)
    project = staticmethod(project)

    def installed(self, folder, place, version):
        """Offer a package as npm has installed it; return what a lock says of it."""
        name = place.rpartition("node_modules/")[2]
        if name not in self._installed:
            # what only people read, or nobody at all, is left out: a test has no time for it
            files = {
                str(path.relative_to(folder)): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file() and path.name.endswith(_READ) and ".min." not in path.name
            }
            self._installed[name] = self.offer(name, packed(files), version=version)
        return self._installed[name]

    def offer(self, name, body, *, version="1.0.0", status=200, **headers):
        """Offer bytes; return what a lock says of them."""
        path = f"/npm/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        self.answers[path] = (status, headers, body)
        digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
        return {"version": version, "integrity": f"sha512-{digest}"}


@pytest.fixture(scope="module")
def registry(company):
    """A registry, and a worker that is told of it."""
    company.complete()
    shop = Shop()
    company.stop("worker")
    company.start(
        "worker",
        NPM_REGISTRY_URL=shop.url,
        FETCH_ATTEMPTS_MAX="2",
        PACKAGE_BYTES_MAX=str(128 << 20),
        PACKAGE_FILES_MAX="5000",
    )
    yield shop
    company.stop("worker")
    shop.close()
