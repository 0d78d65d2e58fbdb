"""Where the fleet keeps what it makes, and where the repository is."""

import hashlib
import tempfile
from pathlib import Path

import msgspec

from fleet.settings import FleetSettings

HERE = Path(__file__).resolve()


class HomeError(Exception):
    """The place for the fleet's state cannot be used; the message says why."""


class Home(msgspec.Struct, frozen=True):
    """One directory with everything that a fleet writes: removing it removes the fleet."""

    root: Path
    repository: Path

    @property
    def data(self) -> Path:
        """The stores' files."""
        return self.root / "data"

    @property
    def config(self) -> Path:
        """Configuration rendered at each start."""
        return self.root / "config"

    @property
    def logs(self) -> Path:
        """A file for each process."""
        return self.root / "logs"

    @property
    def cache(self) -> Path:
        """What can be made again."""
        return self.root / "cache"

    @property
    def secrets(self) -> Path:
        """The passwords and keys, generated once."""
        return self.root / "secrets.json"

    @property
    def ports(self) -> Path:
        """The ports, where they are not the defaults."""
        return self.root / "ports.json"

    @property
    def state(self) -> Path:
        """What the runner says about its processes."""
        return self.root / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the runner as long as it lives."""
        return self.root / "lock"

    @property
    def requests(self) -> Path:
        """What the runner is asked to do while it runs."""
        return self.root / "requests"

    def socket(self, name: str) -> Path:
        """Return a socket's path, where paths are short: 107 characters are all it may have."""
        return Path(tempfile.gettempdir()) / f"worldloom-{self.tag}-{name}.sock"

    def log(self, name: str) -> Path:
        """Return the log of a process."""
        return self.logs / f"{name}.log"

    @property
    def tag(self) -> str:
        """A short name that is this home's alone, for what must lie outside of it."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:12]


def repository(start: Path = HERE) -> Path:
    """Return the repository that this file is part of."""
    for folder in start.parents:
        if (folder / "deploy" / "postgres" / "roles.sql").is_file():
            return folder
    raise HomeError(f"{start} is not inside the repository: install the workspace as editable.")


def find(settings: FleetSettings) -> Home:
    """Return the home: ``.run`` of the repository, or where WORLDLOOM_HOME says."""
    found = repository()
    root = Path(settings.worldloom_home).expanduser() if settings.worldloom_home else found / ".run"
    return Home(root=root.resolve(), repository=found)


def make(home: Home) -> None:
    """Create the directories; only the database's user needs to pass through the outer ones."""
    for folder in (home.root, home.data):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
    for folder in (home.config, home.logs, home.cache, home.requests):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
