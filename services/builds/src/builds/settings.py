"""What the builds service and its workers are told by their environment."""

import common.settings

_MIB = 1 << 20


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """Every service's settings, and the limits of a build."""

    play_secret: str
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
    builds_at_once: int = 2
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
    message_chars_max: int = 4000

    # --- the sandbox
    sandbox_user: int = 10_101
    sandbox_memory_bytes: int = 768 * _MIB
    sandbox_processes: int = 128
    sandbox_cpus: float = 2.0
    sandbox_scratch_bytes: int = 64 * _MIB
    sandbox_output_bytes: int = 256 * _MIB
    sandbox_log_bytes: int = 1 * _MIB
