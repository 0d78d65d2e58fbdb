"""What the assets service is told by its environment."""

import common.settings


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """Every service's settings, and this one's limits; the object store's are read beside them."""

    asset_bytes_max: int = 104_857_600
    # of all that a project's library has, and of what was in it until that is collected
    library_bytes_max: int = 10_737_418_240
    # connections for what is noted whether or not the transaction around it commits
    aside_pool_size: int = 8
    batch_bytes_max: int = 268_435_456
    batch_files_max: int = 50
    batch_at_once_max: int = 4
    field_bytes_max: int = 4_096
    spool_bytes_max: int = 262_144
    image_pixels_max: int = 67_108_864
    upload_lifetime_s: int = 3_600
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
