"""What the assets service is told by its environment."""

import common.settings


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """Every service's settings, and this one's limits; the object store's are read beside them."""

    asset_bytes_max: int = 104_857_600
    # of all that a project's library has, and of what was in it until that is collected
    library_bytes_max: int = 10_737_418_240
    # connections for what is noted whether or not the transaction around it commits
    aside_pool_size: int = 8
    # of what comes in parts, or by and by; and how large a presigned part is at least
    large_bytes_max: int = 5_368_709_120
    part_bytes_min: int = 16_777_216
    # of one project, begun and neither an asset nor given up
    uploads_waiting_max: int = 200
    batch_bytes_max: int = 268_435_456
    batch_files_max: int = 50
    batch_at_once_max: int = 4
    field_bytes_max: int = 4_096
    spool_bytes_max: int = 262_144
    image_pixels_max: int = 67_108_864
    media_duration_s_max: int = 21_600
    studio_processes: int = 2
    studio_waiting_max: int = 32
    studio_memory_bytes: int = 1_073_741_824
    studio_cpu_s: int = 20
    studio_wall_s: float = 30.0
    # of what is made in the background, where nobody waits for it
    studio_long_cpu_s: int = 120
    studio_long_wall_s: float = 180.0
    models_dir: str = "deploy/models"
    variants_max: int = 200
    previews_at_once: int = 1
    preview_poll_s: float = 1.0
    preview_lease_s: float = 120.0
    preview_pause_s: float = 5.0
    preview_attempts_max: int = 3
    jobs_per_user_max: int = 20
    jobs_at_once: int = 1
    job_poll_s: float = 2.0
    job_lease_s: float = 300.0
    job_pause_s: float = 5.0
    job_attempts_max: int = 3
    jobs_kept_days: int = 7
    upload_lifetime_s: int = 3_600
    large_lifetime_s: int = 86_400
    # for so long an upload is its request's alone after the service died in the middle of it
    lease_s: float = 10.0
    upload_grace_s: int = 900
    download_lifetime_s: int = 300
    internal_lifetime_s: int = 900
    # how long what nothing needs is kept, also of a project that is gone, and how it is looked for
    collect_after_s: float = 86_400.0
    collect_purged_after_s: float = 900.0
    collect_every_s: float = 900.0
    collect_assets_max: int = 100
    # what an asset's deletion tells of who names it, and how long it looks
    references_max: int = 20
    references_s_max: float = 10.0
    search_timeout_s: float = 15.0
    sweep_every_s: float = 60.0
    sweep_uploads_max: int = 100
    # where public bytes are fetched from, if a network of caches stands in front of the gateway
    cdn_url: str = ""
    # what signs the addresses of private bytes; without one it is derived from the fleet's secret
    cdn_secret: str = ""
    # of what was delivered lately, and of text that is sent compressed
    delivery_memory_bytes: int = 67_108_864
    encoded_bytes_min: int = 1_024
    encoded_bytes_max: int = 16_777_216
    encodings_at_once: int = 1

    @property
    def public_url(self) -> str:
        """Where bytes by hash are fetched from."""
        return self.cdn_url or self.gateway_url
