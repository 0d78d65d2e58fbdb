"""What delivery keeps in this process, as long as that lives."""

from litestar import Litestar
from litestar.types import Scope

from assets.delivery.encoding import Encoder
from assets.delivery.shelf import Shelf
from assets.settings import Settings


class Stock:
    """The bytes in memory, and what makes compressed copies; ``app.state.stock``."""

    def __init__(self, settings: Settings) -> None:
        self.shelf = Shelf(settings.delivery_memory_bytes)
        self.encoder = Encoder(settings.encodings_at_once)

    async def open(self, app: Litestar) -> None:
        """Let routes find it."""
        app.state.stock = self

    async def close(self) -> None:
        """Stop what is under way."""
        await self.shelf.close()
        await self.encoder.close()


def stock_of(scope: Scope) -> Stock:
    """What this process keeps."""
    stock: Stock = scope["litestar_app"].state.stock
    return stock
