"""What the page of a delivered game may do: all that a game needs, and no more."""

_POLICY = (
    "default-src 'self' data: blob:",
    "script-src 'self' blob: 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'",
    "style-src 'self' data: blob: 'unsafe-inline'",
    # a game may ask a server of its own; scripts and pictures come with it
    "connect-src 'self' data: blob: https: wss:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "frame-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
)


def policy() -> str:
    """The content policy of a game: its own files, in code, style and pictures alike."""
    return "; ".join(_POLICY)
