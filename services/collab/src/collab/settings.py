"""What collab alone must be told, and its limits."""

from common import settings


class Settings(settings.Settings, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds."""

    socket_port: int = 18106
    # where the other processes of this service reach this one
    advertised_host: str = "127.0.0.1"
    node_beat_s: float = 2.0
    node_ttl_s: float = 10.0
    lease_idle_s: float = 10.0
    orphan_sweep_s: float = 10.0
    orphans_max: int = 50
    link_wait_s: float = 2.0
    link_beat_s: float = 2.0
    link_idle_s: float = 30.0
    # waiting for another process: beyond it single clients are sent away, beyond twice all
    link_buffer_bytes_max: int = 134_217_728
    link_frame_bytes_max: int = 268_435_456
    drain_spread_s: float = 1.0
    allowed_origins: str = ""
    """Comma separated. A request without ``Origin`` comes from no browser, and is let in."""

    token_issuer: str = "worldloom"  # noqa: S105 - a name, not a password
    token_audience: str = "worldloom"  # noqa: S105 - a name, not a password
    jwks_kept_s: float = 300.0
    jwks_refetch_s_min: float = 5.0
    auth_wait_s: float = 10.0
    ticket_session_s: float = 3600.0
    ticket_chars_max: int = 512
    heartbeat_s: float = 20.0
    close_wait_s: float = 2.0

    document_frame_bytes_max: int = 8_388_608
    room_frame_bytes_max: int = 65_536
    early_frames_max: int = 256
    frames_per_second: float = 200.0
    frames_burst: int = 1_000
    send_buffer_bytes_max: int = 16_777_216

    coalesce_s: float = 0.01
    write_back_s: float = 1.0
    write_back_s_max: float = 10.0
    hold_s_max: float = 5.0
    # less than who asks for one waits for the answer
    hold_wait_s: float = 1.5
    durable_wait_s: float = 2.0
    log_window_s: float = 0.02
    log_rows_max: int = 500
    log_bytes_max: int = 262_144
    log_retry_s: float = 0.25
    unacknowledged_bytes_max: int = 8_388_608
    unacknowledged_s_max: float = 30.0
    document_idle_s: float = 30.0
    document_bytes_max: int = 2_097_152
    document_state_bytes_max: int = 16_777_216
    # how many documents are worked on at once, and what of a processor each may take
    workshop_processes: int = 2
    workshop_cpu_s_max: float = 5.0
    workshop_wait_s_max: float = 60.0
    awareness_bytes_max: int = 16_384
    awareness_clients_max: int = 16

    cursor_window_s: float = 0.05
    presence_bytes_max: int = 4_096
    cursor_bytes_max: int = 2_048
    replay_frames_max: int = 4_096
    replay_events_max: int = 20_000
    replay_s_max: float = 5.0
    replays_max: int = 8
    chat_burst: int = 20
    chat_per_second: float = 1.0
    chat_close_s_max: float = 5.0
    room_sockets_max: int = 500
    room_tabs_max: int = 20
    follower_retry_s: float = 0.5
    follower_idle_s: float = 60.0
    # a stream on which nothing happens is heard of every 5 s
    events_silent_s_max: float = 10.0
    silent_ask_s: float = 30.0
