"""The small files of a site, one behind another: one object of the store instead of many.

A request for an object costs its worker and the store more than the bytes of a small file do.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from builds.encodings import ENDINGS
from builds.types import Page

# what is larger is an object of its own
_BYTES_MAX = 1 << 20


def written(
    pages: Mapping[str, Page], files: Mapping[str, Path], target: Path
) -> tuple[dict[str, Page], dict[str, Path]]:
    """Pack the small ``files`` into ``target``, each with its copies behind it.

    Return the pages with where they begin there, and the files that stay on their own by path.
    """
    placed: dict[str, Page] = {}
    alone: dict[str, Path] = {}
    with target.open("wb") as pack:
        for path, page in pages.items():
            forms = [path, *(path + ENDINGS[coding] for coding in sorted(page.encodings))]
            if page.size > _BYTES_MAX:
                placed[path] = page
                alone |= {form: files[form] for form in forms}
                continue
            placed[path] = msgspec.structs.replace(page, at=pack.tell())
            for form in forms:
                with files[form].open("rb") as file:
                    shutil.copyfileobj(file, pack)
    return placed, alone
