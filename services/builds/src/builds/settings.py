"""What the builds service and its workers are told by their environment."""

import os

import common.settings

_MIB = 1 << 20
# a build's compiler and bundler run at the same time
_PROCESSORS_EACH = 2


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """Every service's settings, and the limits of a build."""

    play_secret: str
    # where games are played, which is not where the API is
    play_origin: str = "http://play.localhost:8080"
    # the pages that may have a game in a frame
    allowed_origins: str = ""
    toolchain_dir: str = "deploy/toolchain"
    build_cache_dir: str = ".run/cache/builds"
    build_cache_bytes_max: int = 2048 * _MIB

    # --- what is asked of the service
    wait_s_max: int = 30
    log_page_max: int = 1000
    log_poll_s: float = 0.5
    log_heartbeat_s: float = 10.0
    artifact_url_lifetime_s: int = 300
    play_key_lifetime_s: int = 43_200
    pin_timeout_s: float = 5.0

    # --- the queue
    # a container may have less of its machine than it sees of it: no more unless somebody says so
    builds_at_once: int = 2 if (os.process_cpu_count() or 1) >= 2 * _PROCESSORS_EACH else 1
    attempts_max: int = 2
    job_wait_s: float = 5.0
    job_progress_s: float = 10.0
    journal_s: float = 0.15
    lease_beat_s: float = 1.0
    lease_lost_s: float = 15.0
    requeue_after_s: float = 120.0
    janitor_every_s: float = 5.0
    handing_back_s: float = 8.0
    report_for_s: float = 600.0
    orphans_every_s: float = 3600.0
    orphans_after_s: float = 86_400.0

    # --- one build
    build_s_max: float = 300.0
    check_s_max: float = 90.0
    bundle_s_max: float = 90.0
    fetch_timeout_s: float = 15.0
    fetch_attempts_max: int = 4
    # beside the time that a build may take: the work is done, and waits for the store
    publish_for_s: float = 1800.0
    retry_pause_s: float = 0.5
    retry_pause_s_max: float = 8.0
    files_max: int = 20_000
    folders_max: int = 20_000
    path_depth_max: int = 64
    source_bytes_max: int = 512 * _MIB
    # of the page and of each configuration, which the worker reads itself
    read_bytes_max: int = 1 * _MIB
    # Linux takes 128 KiB
    argument_bytes_max: int = 100_000
    blobs_per_call_max: int = 64
    blob_bytes_per_call_max: int = 32 * _MIB
    transfers_at_once: int = 8
    diagnostics_max: int = 200
    log_lines_max: int = 5000
    log_line_chars_max: int = 4000
    log_bytes_max: int = 4 * _MIB
    message_chars_max: int = 4000

    # --- packages
    # where packages are had from, and from nowhere else; without it builds that need any fail
    npm_registry_url: str = ""
    packages_cache_bytes_max: int = 2048 * _MIB
    packages_max: int = 500
    package_packed_bytes_max: int = 64 * _MIB
    package_bytes_max: int = 256 * _MIB
    package_files_max: int = 20_000
    packages_bytes_max: int = 768 * _MIB
    lock_bytes_max: int = 8 * _MIB
    vendor_cache_bytes_max: int = 256 * _MIB

    # --- what a type check remembers for the next one
    state_bytes_max: int = 16 * _MIB
    states_bytes_max: int = 512 * _MIB

    # --- the sandbox
    # bubblewrap, container, kubernetes; none, which is none
    sandbox: str = "bubblewrap"
    # the words before "run": podman --runtime runc, docker --host unix:///run/user/1000/docker.sock
    sandbox_engine: str = "podman"
    sandbox_image: str = "localhost/worldloom-sandbox:latest"
    sandbox_filter: str = "deploy/sandbox/seccomp.json"
    sandbox_api: str = "https://kubernetes.default.svc"
    sandbox_account: str = "/var/run/secrets/kubernetes.io/serviceaccount"
    sandbox_namespace: str = "worldloom-sandbox"
    sandbox_runtime_class: str = "gvisor"
    sandbox_start_s: float = 60.0
    sandbox_user: int = 10_101
    sandbox_memory_bytes: int = 768 * _MIB
    sandbox_processes: int = 128
    sandbox_cpus: float = 2.0
    sandbox_cpu_s: float = 120.0
    # each in the scratch folder and in that of the output
    sandbox_files: int = 20_000
    sandbox_scratch_bytes: int = 64 * _MIB
    sandbox_output_bytes: int = 256 * _MIB
    sandbox_log_bytes: int = 1 * _MIB
