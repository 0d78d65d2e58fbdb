"""The peer: nginx, which serves the same files from a folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.processes import StartError, answers, running
from fleet import ports
from fleet.context import Context
from fleet.ports import LOOPBACK
from fleet.processes import Process

NAME = "nginx"
_PLACES = "/usr/local/sbin:/usr/sbin:/sbin"
# as the gateway: one worker, no access log; the headers are those that a cache needs
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr warn;
{user}
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  etag on;
  keepalive_requests 100000000;
  open_file_cache max=1000 inactive=600s;
  default_type application/octet-stream;
  client_body_temp_path {folder}/a;
  proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d;
  scgi_temp_path {folder}/e;
  server {{
    listen {host}:{port};
    root {folder}/files;
    add_header Cache-Control "public, max-age=31536000, immutable";
    add_header X-Content-Type-Options nosniff;
  }}
}}
"""


@contextmanager
def nginx(context: Context, files: dict[str, bytes]) -> Iterator[tuple[str, int]]:
    """Serve files by their path; return the address and the process that waits for the worker."""
    program = shutil.which("nginx", path=f"{context.settings.path}:{_PLACES}")
    if program is None:
        raise StartError("There is no nginx: scripts/bootstrap.sh --bench installs nginx-light.")
    folder = context.home.cache / "nginx"
    for path, content in files.items():
        target = folder / "files" / path.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    port = ports.free().gateway
    text = _CONFIGURATION.format(
        folder=folder,
        host=LOOPBACK,
        port=port,
        # the folder is its owner's alone
        user="user root;" if os.geteuid() == 0 else "",
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(text, encoding="utf-8")
    process = Process(
        name=NAME,
        command=(program, "-c", str(configuration), "-p", str(folder)),
        environment=context.environment(),
    )
    url, log = f"http://{LOOPBACK}:{port}", context.home.log(NAME)
    with running(process, log, Path(folder)) as child:
        answers(child, f"{url}/", log)
        yield url, child.pid
