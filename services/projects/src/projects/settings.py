"""What the projects service is told by its environment."""

import common.settings


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """Every service's settings, and this one's limits."""

    projects_per_user_max: int = 500
    project_bytes_max: int = 65_536
    members_per_project_max: int = 200
    files_per_project_max: int = 20_000
    file_bytes_max: int = 26_214_400
    batch_operations_max: int = 500
    batch_bytes_max: int = 33_554_432
    batch_moves_max: int = 10_000
    write_attempts_max: int = 8
    blobs_per_call_max: int = 64
