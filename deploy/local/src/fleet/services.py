"""The six services, the build worker, and each one's environment."""

from fleet import npm, play
from fleet.catcher import process as catcher
from fleet.context import PYTHON, Context
from fleet.ports import LOOPBACK
from fleet.processes import Probe, Process
from fleet.secrets import SERVICES, STORING
from fleet.stores import nats, postgres, redis, s3

WORKER = "builds-worker"
TEMPLATES = "registry-templates"


def processes(context: Context) -> list[Process]:
    """Return each service after the migration of its schema, and the worker."""
    migrations = [migration(context, name) for name in SERVICES]
    running = [_service(context, name) for name in SERVICES]
    return [*migrations, _templates(context), *running, _worker(context)]


def migration(context: Context, name: str) -> Process:
    """Return what brings one service's schema up to date, with the service's own role."""
    return Process(
        name=f"{name}-schema",
        command=(PYTHON, "-m", "fleet.schema", name),
        environment=environment(context, name),
        needs=("postgres-roles",),
        once=True,
    )


def _templates(context: Context) -> Process:
    """Return what publishes the examples as templates, where they changed."""
    return Process(
        name=TEMPLATES,
        command=(PYTHON, "-m", "registry.seed"),
        environment=environment(context, "registry"),
        needs=("registry-schema",),
        once=True,
    )


def environment(context: Context, name: str) -> dict[str, str]:
    """Return the settings of one service: its own accounts and nobody else's."""
    return context.environment(
        **_common(context, name), **_storage(context, name), **_special(context, name)
    )


def gateway_url(context: Context) -> str:
    """Return the one address that clients see."""
    return f"http://localhost:{context.ports.gateway}"


def origins(context: Context) -> list[str]:
    """Return the pages that may call the gateway from a browser: its own, and the editors'."""
    own = [gateway_url(context), f"http://{LOOPBACK}:{context.ports.gateway}"]
    return [*own, *(given for given in context.settings.allowed_origins.split(",") if given)]


def _common(context: Context, name: str) -> dict[str, str]:
    ports, secrets = context.ports, context.secrets
    addresses = {
        f"{other.upper()}_URL": f"http://{LOOPBACK}:{getattr(ports, other)}" for other in SERVICES
    }
    return addresses | {
        "DATABASE_URL": postgres.url(context, name),
        "NATS_URL": nats.url(context),
        "NATS_USER": name,
        "NATS_PASSWORD": secrets.nats[name],
        "REDIS_URL": redis.url(context, name),
        "HOST": LOOPBACK,
        "PORT": str(getattr(ports, name)),
        "FLEET_SECRET": secrets.fleet_secret,
        "GATEWAY_URL": gateway_url(context),
        "LOG_LEVEL": context.settings.log_level,
    }


def _storage(context: Context, name: str) -> dict[str, str]:
    if name not in STORING:
        return {}
    key = context.secrets.s3[name]
    return {
        "S3_ENDPOINT_URL": s3.url(context),
        "S3_PUBLIC_URL": gateway_url(context),
        "S3_ACCESS_KEY": key.access,
        "S3_SECRET_KEY": key.secret,
        "S3_REGION": s3.REGION,
    }


def _special(context: Context, name: str) -> dict[str, str]:
    if name == "auth":
        return {
            "KEY_ENCRYPTION_KEY": context.secrets.key_encryption_key,
            "KEY_ENCRYPTION_KEYS_OTHER": context.secrets.key_encryption_keys_other,
            "OAUTH_REDIRECTS": context.settings.oauth_redirects,
        } | catcher.settings(context)
    if name == "collab":
        return {
            "SOCKET_PORT": str(context.ports.collab_socket),
            "ALLOWED_ORIGINS": ",".join(origins(context)),
        }
    if name == "assets":
        return {
            "CDN_SECRET": context.secrets.cdn_secret,
            "MODELS_DIR": str(context.home.repository / "deploy" / "models"),
        }
    if name == "builds":
        return {
            "PLAY_SECRET": context.secrets.play_secret,
            "PLAY_ORIGIN": play.origin(context),
            # the editors' pages, not the gateway's own
            "ALLOWED_ORIGINS": context.settings.allowed_origins,
            "TOOLCHAIN_DIR": str(context.home.repository / "deploy" / "toolchain"),
            "BUILD_CACHE_DIR": str(context.home.cache / "builds"),
            "SANDBOX": context.settings.sandbox,
            "SANDBOX_ENGINE": context.settings.sandbox_engine,
            "SANDBOX_FILTER": str(context.home.repository / "deploy" / "sandbox" / "seccomp.json"),
            "NPM_REGISTRY_URL": npm.registry(context.settings),
        }
    if name == "registry":
        return {"EXAMPLES_DIR": str(context.home.repository / "examples")}
    return {}


def _service(context: Context, name: str) -> Process:
    command = ("collab.main",) if name == "collab" else ("common.serve", f"{name}.main:create_app")
    buckets = ("s3-buckets",) if name in STORING else ()
    # a registry that is ready has its templates
    templates = (TEMPLATES,) if name == "registry" else ()
    return Process(
        name=name,
        command=(PYTHON, "-m", *command),
        environment=environment(context, name),
        needs=(f"{name}-schema", "nats-streams", "redis", *buckets, *templates),
        probe=Probe(port=getattr(context.ports, name), path="/health/ready"),
    )


def _worker(context: Context) -> Process:
    port = context.ports.builds_worker
    return Process(
        name=WORKER,
        command=(PYTHON, "-m", "builds.worker"),
        environment=environment(context, "builds") | {"PORT": str(port)},
        # it fetches a build's files and assets from the services
        needs=("builds", "projects", "assets"),
        probe=Probe(port=port, path="/health/ready"),
        stop_timeout_s=20,
    )
