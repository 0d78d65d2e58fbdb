"""What the fleet was troubled by."""

from datetime import UTC, datetime
from pathlib import Path

from fleet import logs
from fleet.home import Home


def test_troubles_are_what_is_worse_than_news_since_then_in_order(tmp_path: Path):
    home = Home(root=tmp_path, repository=tmp_path)
    home.logs.mkdir()
    early, late = "2026-01-01T00:00:01Z", "2026-01-01T00:00:03Z"
    home.log("b").write_text(
        f'{{"level":"error","event":"second","at":"{late}"}}\n'
        f'{{"level":"warning","event":"before","at":"2025-12-31T23:59:59Z"}}\n'
        f'{{"level":"info","event":"fine","at":"{late}"}}\nnot JSON\n[1]\n'
    )
    home.log("a").write_text(f'{{"level":"warning","event":"first","at":"{early}"}}\n')
    found = logs.troubles(home, datetime(2026, 1, 1, tzinfo=UTC))
    assert [line.split(" | ")[0] for line in found] == ["a", "b"]
    assert "first" in found[0]
    assert "second" in found[1]
