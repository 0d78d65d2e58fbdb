"""Packages by their lock: from one registry, checked, unpacked, and never run."""

import base64
import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import msgspec
import pytest

_PAGE = '<!doctype html><body><script type="module" src="src/main.ts"></script></body>'


class Shop:
    """A registry of packages that a test made up."""

    def __init__(self):
        self.answers = {}
        self.asked = []
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

    def offer(self, name, body, *, version="1.0.0", status=200, **headers):
        """Offer bytes; return what a lock says of them."""
        path = f"/npm/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        self.answers[path] = (status, headers, body)
        digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
        return {"version": version, "integrity": f"sha512-{digest}"}


def packed(files, link=""):
    """A tarball as npm makes them."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
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
        PACKAGE_BYTES_MAX=str(32 << 20),
        PACKAGE_FILES_MAX="5000",
    )
    yield shop
    company.stop("worker")
    shop.close()


async def _code(desk, build):
    site = await desk.db._pool.fetchval("SELECT site FROM build WHERE id = $1", build["id"])  # noqa: SLF001
    (name,) = [n for n in msgspec.json.decode(site) if n.startswith("main-") and n.endswith(".js")]
    key = f"/play/{build['id']}/{name}"
    played = build["playUrl"].partition("?")[2]
    answer = await desk.call("GET", f"{key}?{played}", desk.stranger)
    if answer.status_code == httpx.codes.FOUND:
        answer = await desk.client.get(answer.headers["location"])
    return answer.text


async def test_packages_are_bundled_with_the_code_and_their_types_are_known(desk, registry):
    lib = registry.sell(
        "@game/math",
        {
            "index.js": "import { two } from 'inner'; export const twice = (n) => n * two;",
            "index.d.ts": "export declare function twice(n: number): number;",
        },
        types="index.d.ts",
        module="index.js",
        scripts={"postinstall": "exit 1"},
    )
    inner = registry.sell("inner", {"index.js": "export const two = 'inner-of-the-game';"})
    plain = registry.sell("plain", {"index.js": "module.exports = { name: 'plain-of-the-game' };"})
    typed = registry.sell("@types/plain", {"index.d.ts": "export declare const name: string;"})
    files = project(
        {
            "@game/math": lib | {"dependencies": {"inner": "*"}},
            "inner": inner,
            "plain": plain,
            "@types/plain": typed | {"dev": True},
        },
        "import { twice } from '@game/math'; import { name } from 'plain';\n"
        "document.title = name + twice(2).toFixed();",
        dependencies={"@game/math": "^1.0.0", "plain": "1"},
        devDependencies={"@types/plain": "1"},
    )
    whole = await desk.project(files, is_public=True)
    build = await desk.ended(await desk.start(whole))
    assert build["status"] == "success", build
    steps = [s["name"] for s in build["steps"] if s["status"] == "success"]
    assert steps == ["fetch", "dependencies", "check", "bundle", "package", "publish"]
    code = await _code(desk, build)
    assert "plain-of-the-game" in code
    assert "inner-of-the-game" in code

    registry.asked.clear()
    wrong = files | {"src/main.ts": "import { twice } from '@game/math';\ntwice('x');"}
    build = await desk.built(wrong)
    assert build["errorCode"] == "TYPE_ERROR"
    (found,) = build["diagnostics"]
    assert (found["file"], found["line"], found["column"]) == ("src/main.ts", 2, 7)
    assert registry.asked == []


async def test_an_address_in_a_lock_is_not_followed(desk, registry):
    entry = registry.sell("honest", {"index.js": "export default 1;"})
    elsewhere = f"{registry.url}elsewhere.tgz"
    files = project({"honest": entry | {"resolved": elsewhere}}, "import 'honest';")
    build = await desk.built(files)
    assert build["status"] == "success", build
    assert "/npm/elsewhere.tgz" not in registry.asked


def _corrupt(registry):
    entry = registry.sell("corrupt", {"index.js": "1"})
    registry.sell("corrupt", {"index.js": "2"})
    return {"corrupt": entry}


def _absent(_):
    digest = base64.b64encode(hashlib.sha512(b"absent").digest()).decode()
    return {"absent": {"version": "1.0.0", "integrity": f"sha512-{digest}"}}


def _linked(registry):
    body = packed({"index.js": "1"}, link="/etc/passwd")
    return {"linked": registry.offer("linked", body)}


def _reaching(registry):
    return {"reaching": registry.offer("reaching", packed({"../../../../x.js": "1"}))}


def _page(registry):
    return {"page": registry.offer("page", b"<html>sign in</html>")}


def _bomb(registry):
    return {"bomb": registry.offer("bomb", packed({"index.js": b"\0" * (33 << 20)}))}


def _crowd(registry):
    files = dict.fromkeys((f"f{n}.js" for n in range(5001)), "")
    return {"crowd": registry.offer("crowd", packed(files))}


def _redirected(registry):
    entry = registry.offer("sent", b"", status=302, location="http://localhost:1/x.tgz")
    return {"sent": entry}


def _failing(registry):
    return {"failing": registry.offer("failing", b"", status=503)}


@pytest.mark.parametrize(
    ("packages", "code"),
    [
        (_corrupt, "DEPENDENCY_CORRUPT"),
        (_absent, "DEPENDENCY_UNAVAILABLE"),
        (_failing, "DEPENDENCY_UNAVAILABLE"),
        (_linked, "DEPENDENCY_REFUSED"),
        (_reaching, "DEPENDENCY_REFUSED"),
        (_page, "DEPENDENCY_REFUSED"),
        (_bomb, "DEPENDENCY_REFUSED"),
        (_crowd, "DEPENDENCY_REFUSED"),
        (_redirected, "DEPENDENCY_REFUSED"),
    ],
)
async def test_a_package_that_is_not_what_it_should_be_ends_the_build(
    desk, registry, packages, code
):
    build = await desk.built(project(packages(registry), "document.title = 'x';"))
    assert (build["status"], build["errorCode"]) == ("failed", code), build
    assert [s["name"] for s in build["steps"]] == ["fetch", "dependencies"]


async def test_a_redirect_within_the_registry_is_followed(desk, registry):
    entry = registry.sell("moved", {"index.js": "export default 1;"})
    registry.answers["/npm/there.tgz"] = registry.answers["/npm/moved/-/moved-1.0.0.tgz"]
    registry.offer("moved", b"", status=302, location="/npm/there.tgz")
    build = await desk.built(project({"moved": entry}, "import 'moved';"))
    assert build["status"] == "success", build


async def test_dependencies_without_a_lock_are_not_guessed(desk, registry):
    files = project({}, "", dependencies={"x": "1"})
    del files["package-lock.json"]
    build = await desk.built(files)
    assert build["errorCode"] == "DEPENDENCY_UNLOCKED"
    (found,) = build["diagnostics"]
    assert found["file"] == "package-lock.json"
    assert registry.asked is not None
