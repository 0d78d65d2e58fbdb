"""What the registry service is told by its environment."""

import common.settings


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """Every service's settings, and this one's limits."""

    # where the templates are that `python -m registry.seed` publishes
    examples_dir: str = ""
    template_files_max: int = 2_000
    template_bytes_max: int = 33_554_432
    thumbnail_cache_s: int = 300
    source_cache_s: int = 3600
