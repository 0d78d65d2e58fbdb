"""The small files of a site, one behind another: one object of the store instead of many.

A request for an object costs its worker and the store more than the bytes of a small file do.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from builds.encodings import ENDINGS
from builds.types import Page

# what is larger is an object of its own, and so is what would make the pack larger than this: it
# is sent at once, and anew where the store was away
_FILE_BYTES_MAX = 1 << 20
_BYTES_MAX = 8 << 20


def written(
    pages: Mapping[str, Page], files: Mapping[str, Path], target: Path
) -> tuple[dict[str, Page], dict[str, Path]]:
    """Pack the small ``files`` into ``target``, each with its copies behind it.

    Return the pages with where they begin there, and the files that stay on their own by path.
    """
    placed = dict(pages)
    alone: dict[str, Path] = {}
    with target.open("wb") as pack:
        for path, page in sorted(pages.items(), key=lambda item: (item[1].size, item[0])):
            forms = [path, *(path + ENDINGS[coding] for coding in sorted(page.encodings))]
            at, size = pack.tell(), page.size + sum(page.encodings.values())
            if page.size > _FILE_BYTES_MAX or at + size > _BYTES_MAX:
                alone |= {form: files[form] for form in forms}
                continue
            placed[path] = msgspec.structs.replace(page, at=at)
            for form in forms:
                with files[form].open("rb") as file:
                    shutil.copyfileobj(file, pack)
    return placed, alone
