"""The main job, as the demo plays it: from a new account to a played game."""

import shutil

from fleet import demo
from fleet.testing import Running


async def test_a_newcomer_makes_and_plays_a_game(fleet_up: Running) -> None:
    browser = shutil.which("chromium")
    assert browser, "the journey ends in a browser: install chromium"
    said: list[str] = []
    result = await demo.journey(fleet_up.gateway_url, lambda name, _: said.append(name), browser)
    assert result.play_url
    assert result.picture, "the browser saw nothing"
    assert len(said) == len(result.steps) > 8
