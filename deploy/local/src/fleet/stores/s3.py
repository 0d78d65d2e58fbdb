"""SeaweedFS: an object store that speaks S3, in one process."""

from pathlib import Path

from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Probe, Process
from fleet.stores.rendering import render

REGION = "us-east-1"
SOCKETS = ("s3", "filer")


def processes(context: Context) -> list[Process]:
    """Return the store, and what makes its buckets."""
    source = context.home.repository / "deploy" / "s3"
    data = context.home.data / "s3"
    data.mkdir(exist_ok=True)
    identities = render(
        source / "identities.json", context.home.config / "s3-identities.json", _keys(context)
    )
    ports = context.ports
    server = Process(
        name="s3",
        command=(str(context.programs.weed), *_options(context, data, identities)),
        environment=context.environment(GOMEMLIMIT="400MiB"),
        probe=Probe(port=ports.s3, path="/healthz"),
        stop_timeout_s=15,
    )
    buckets = Process(
        name="s3-buckets",
        command=(PYTHON, "-m", "fleet.bootstrap", "s3"),
        environment=context.environment(
            S3_ENDPOINT_URL=url(context),
            S3_ACCESS_KEY=context.secrets.s3["admin"].access,
            S3_SECRET_KEY=context.secrets.s3["admin"].secret,
            S3_REGION=REGION,
            BUCKETS_PATH=str(source / "buckets.yaml"),
            ALLOWED_ORIGINS=context.settings.allowed_origins,
        ),
        needs=("s3",),
        once=True,
    )
    return [server, buckets]


def url(context: Context) -> str:
    """Return the address at which services reach the store."""
    return f"http://{LOOPBACK}:{context.ports.s3}"


def _keys(context: Context) -> dict[str, str]:
    keys = context.secrets.s3
    return {f"{name.upper()}_ACCESS_KEY": key.access for name, key in keys.items()} | {
        f"{name.upper()}_SECRET_KEY": key.secret for name, key in keys.items()
    }


def _options(context: Context, data: Path, identities: Path) -> tuple[str, ...]:
    ports = context.ports
    options = {
        "dir": data,
        "ip": LOOPBACK,
        "ip.bind": LOOPBACK,
        "master.telemetry": "false",
        "admin.ui": "false",
        "webdav": "false",
        "master.port": ports.s3_master,
        "master.port.grpc": ports.s3_master_grpc,
        "volume.port": ports.s3_volume,
        "volume.port.grpc": ports.s3_volume_grpc,
        "filer.port": ports.s3_filer,
        "filer.port.grpc": ports.s3_filer_grpc,
        "s3.port": ports.s3,
        "s3.port.grpc": ports.s3_grpc,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "admin.port": ports.s3_admin,
        "admin.port.grpc": ports.s3_admin_grpc,
        "s3.config": identities,
        "s3.iam": "false",
        "s3.localSocket": context.home.socket("s3"),
        "filer.localSocket": context.home.socket("filer"),
        "s3.allowDeleteBucketNotEmpty": "false",
        "s3.autoCreateBucket": "false",
    }
    words = tuple(f"-{name}={value}" for name, value in options.items())
    return ("-logtostderr=true", "-v=0", "mini", *words)
