"""What a process that was killed had on its benches goes when the next one starts."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import pytest

from assets.studio import benches


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def there(places: Path) -> list[Path]:
    return sorted(places.iterdir())


async def test_what_the_dead_have_left_goes_and_what_the_living_have_stays(places: Path) -> None:
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await dead.wait()
    # the second had the number of one that lives
    left = [places / f"studio-{dead.pid}-77-abc", places / f"studio-{os.getpid()}-77-abc"]
    kept = [places / "studio-x-abc", places / "other"]
    for folder in (*left, *kept):
        folder.mkdir()
        (folder / "source").write_bytes(b"x")
    async with benches.bench() as place:
        benches.clear()
        kept.append(place.source.parent)
        assert there(places) == sorted(kept)


async def test_a_bench_is_cleared_away_after_a_failure(places: Path) -> None:
    with (places / "file").open("w+b") as file:
        file.write(b"abc")
        with pytest.raises(LookupError):
            await _failing(file)
    assert there(places) == [places / "file"]


async def _failing(file) -> None:
    async with benches.bench(file) as place:
        assert place.source.read_bytes() == b"abc"
        raise LookupError
