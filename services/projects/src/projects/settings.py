"""What the projects service is told by its environment."""

import common.settings


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """Every service's settings, and this one's limits."""

    # who has the documents that are open live
    collab_url: str = ""
    projects_per_user_max: int = 500
    project_bytes_max: int = 65_536
    checkpoints_per_project_max: int = 1_000
    members_per_project_max: int = 200
    # that nobody has accepted yet, and for how long they are good
    invitations_per_project_max: int = 100
    invitation_lifetime_s: int = 604_800
    share_links_per_project_max: int = 50
    files_per_project_max: int = 20_000
    file_bytes_max: int = 26_214_400
    # of all content that a project has or had, each once
    storage_bytes_max: int = 5_368_709_120
    # what was typed and acknowledged before it was known that there is no room
    typed_beyond_bytes_max: int = 67_108_864
    # connections for what is noted beside a transaction, and for collab, whom others wait for
    aside_pool_size: int = 4
    # larger content is the object store's
    inline_bytes_max: int = 1_048_576
    # how long content that no project has is kept, and how it is looked for
    loose_s: float = 86_400.0
    sweep_every_s: float = 300.0
    sweep_contents_max: int = 100
    # of jobs, invitations and links that are long over, in one statement
    sweep_rows_max: int = 1_000
    # archives: where they lie meanwhile ("" is the system's own place), and how many at once
    archive_folder: str = ""
    archive_part_bytes: int = 8_388_608
    archive_wait_s: float = 30.0
    archives_open_max: int = 16
    exports_at_once: int = 2
    imports_at_once: int = 2
    # how large they may be, and how much may come out of them
    export_bytes_max: int = 2_147_483_648
    import_bytes_max: int = 536_870_912
    import_content_bytes_max: int = 2_147_483_648
    import_entries_max: int = 50_000
    import_ratio_max: int = 200
    batch_operations_max: int = 500
    batch_bytes_max: int = 33_554_432
    batch_moves_max: int = 10_000
    write_attempts_max: int = 8
    # trees of more files, and past ones of more bytes, are kept in the cache for a while
    tree_cached_min: int = 1_000
    tree_cached_bytes_min: int = 131_072
    tree_kept_s: int = 3_600
    blobs_per_call_max: int = 64
    # after so long what is looked for in a project's texts is looked for in another call
    mentions_s_max: float = 1.0
    # long work: how much at once in a process, and of one user; how soon others take over
    jobs_at_once: int = 2
    jobs_per_user_max: int = 20
    jobs_kept_days: int = 7
    job_attempts_max: int = 3
    job_lease_s: float = 15.0
    job_beat_s: float = 1.0
    job_progress_s: float = 0.25
    job_poll_s: float = 2.0
    job_pause_s: float = 2.0
