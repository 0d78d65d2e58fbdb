"""Secrets are taken out of a log before it is kept: the worker's own, and what looks like one.

A line is masked whole, so that nothing shows where a tool's output happened to be cut.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

import msgspec

from common.settings import Settings, StorageSettings

HIDDEN = "***"
# no secret that is looked for is longer: what is kept of a cut line ends so far before the cut
SECRET_CHARS_MAX = 4096
# a shorter one would take half of every log with it
_SECRET_CHARS_MIN = 6
_NAMES = re.compile(r"(?:secret|password|_key)$")

# each looks at a character a few times at most, whatever a line is made of
_SHAPES = (
    # who may read an address, or enter by it
    (
        r"(?i)([?&;](?:x-amz-(?:signature|credential|security-token)|x-grant|signature|sig|key|"
        r"token|access_token|ticket|secret|password)=)[^&;#\s\"'<>\\]+"
    ),
    r"(?i)\b(bearer\s+)[\w.~+/-]{16,}=*",
    r"(?i)\b((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:[a-z]+\s+)?)[\w.~+/-]{8,}=*",
    r"(?i)(\b(?:x-api-key|x-fleet-secret)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;]+",
    r"(?<![\w-])()eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?",
    r"(?<![A-Za-z0-9])()wl_[0-9A-Za-z-]+_[\w-]{8,}",
    r"(?<![A-Za-z0-9])()npm_[0-9A-Za-z]{20,}",
    r"(?i)((?<![a-z0-9])_(?:authtoken|auth|password)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;]+",
    # the password of an address, and the user with it
    r"(://)[^\s/@\"'<>]+(?=@)",
)


class Mask:
    """Takes secrets out of a line."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {s for secret in secrets for s in (secret, quote(secret, safe=""))}
        # the longest first: an address before the password in it
        words = sorted((s for s in known if len(s) >= _SECRET_CHARS_MIN), key=len, reverse=True)
        self._own = re.compile("|".join(map(re.escape, words))) if words else None
        self._shapes = [re.compile(shape) for shape in _SHAPES]

    def __call__(self, line: str) -> str:
        """Return the line without its secrets."""
        if self._own is not None:
            line = self._own.sub(HIDDEN, line)
        for shape in self._shapes:
            line = shape.sub(rf"\1{HIDDEN}", line)
        return line


def of(*settings: Settings | StorageSettings) -> Mask:
    """A mask for everything secret that a process was told by its environment."""
    told = [pair for each in settings for pair in msgspec.structs.asdict(each).items()]
    texts = [(name, value) for name, value in told if isinstance(value, str) and value]
    secrets = [value for name, value in texts if _NAMES.search(name)]
    for name, value in texts:
        if name.endswith("_url") and (password := urlsplit(value).password):
            secrets += [value, password]
    return Mask(secrets)
