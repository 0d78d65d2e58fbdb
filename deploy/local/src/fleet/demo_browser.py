"""Plays the built game in a headless browser, as a player would."""

import msgspec
from playwright.async_api import Error, Page, async_playwright

from fleet.demo_api import DemoError

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WINDOW = {"width": 960, "height": 720}
MILLISECONDS_TO_WAIT = 10_000
MILLISECONDS_TO_HOLD_A_KEY = 250
FEWEST_COLOURS = 32
COLOURS = """() => {
  const canvas = document.querySelector("#game");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const words = new Uint32Array(data.buffer);
  const seen = new Set();
  for (let at = 0; at < words.length; at += 37) seen.add(words[at]);
  return seen.size;
}"""


class Sight(msgspec.Struct, frozen=True):
    """What was seen of the game."""

    colours: int
    lives: int
    moved: int
    missing: str
    picture: bytes


async def watch(play_url: str, chromium: str) -> Sight:
    """Open the game, see that it draws, start it, move the paddle."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, headless=True, args=list(ARGUMENTS)
        )
        try:
            page = await browser.new_page(viewport={"width": 960, "height": 720})
            return await seen(page, play_url)
        except Error as error:
            raise DemoError(f"The browser says: {error.message}") from error
        finally:
            await browser.close()


async def seen(page: Page, play_url: str) -> Sight:
    """Play for a moment on an open page."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(play_url)
    await fact_is(page, "ready", "true")
    await fact_is(page, "state", "title")
    colours = int(await page.evaluate(COLOURS))
    await page.keyboard.press("Space")
    await fact_is(page, "state", "playing")
    before = int(await fact(page, "paddleX"))
    await page.keyboard.press("ArrowRight", delay=MILLISECONDS_TO_HOLD_A_KEY)
    after = int(await fact(page, "paddleX"))
    if faults:
        raise DemoError(f"The game stumbled: {faults[0]}")
    return Sight(
        colours=colours,
        lives=int(await fact(page, "lives")),
        moved=after - before,
        missing=await fact(page, "missing"),
        picture=await page.screenshot(),
    )


async def fact_is(page: Page, name: str, value: str) -> None:
    """Wait until the game says this of itself."""
    await page.wait_for_function(
        "([name, value]) => document.body.dataset[name] === value",
        arg=[name, value],
        timeout=MILLISECONDS_TO_WAIT,
    )


async def fact(page: Page, name: str) -> str:
    """Return what the game says of itself."""
    return str(await page.evaluate("(name) => document.body.dataset[name]", name))
