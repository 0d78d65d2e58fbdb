"""The smallest change from one text to another that bounded work finds.

First by lines, so that what stayed is recognised in a large file; then by characters within the
lines that changed, so that a cursor in the middle of a line stays where it is.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import msgspec

_LINE_EDITS_MAX = 200
_CHARACTER_EDITS_MAX = 120
_CHARACTERS_MAX = 20_000
_EDITS_MAX = 2_000

type Hunk = tuple[int, int, int, int]


class Edit(msgspec.Struct, frozen=True):
    """``removed`` characters of the old text, at ``at``, give way to ``inserted``."""

    at: int
    removed: int
    inserted: str


def edits(old: str, new: str) -> list[Edit]:
    """Return what turns ``old`` into ``new``, from the front to the back."""
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts_old, starts_new = _starts(old_lines), _starts(new_lines)
    found: list[Edit] = []
    for a1, a2, b1, b2 in _hunks(old_lines, new_lines, _LINE_EDITS_MAX):
        before = old[starts_old[a1] : starts_old[a2]]
        after = new[starts_new[b1] : starts_new[b2]]
        finely = len(found) < _EDITS_MAX and len(before) + len(after) <= _CHARACTERS_MAX
        found += _within(before, after, starts_old[a1], _CHARACTER_EDITS_MAX if finely else 0)
    return found


def _starts(lines: list[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts


def _within(before: str, after: str, at: int, limit: int) -> list[Edit]:
    return [Edit(at + a1, a2 - a1, after[b1:b2]) for a1, a2, b1, b2 in _hunks(before, after, limit)]


def _hunks[T](old: Sequence[T], new: Sequence[T], limit: int) -> list[Hunk]:
    """Return the ranges that differ. Beyond ``limit`` differences anchors are sought instead."""
    front = _common(old, new)
    end_old, end_new = len(old), len(new)
    while end_old > front and end_new > front and old[end_old - 1] == new[end_new - 1]:
        end_old -= 1
        end_new -= 1
    middle_old, middle_new = old[front:end_old], new[front:end_new]
    if not middle_old and not middle_new:
        return []
    found: list[Hunk] | None = None
    if middle_old and middle_new and limit:
        found = _shortest(middle_old, middle_new, limit) or _anchored(middle_old, middle_new, limit)
    if found is None:
        found = [(0, len(middle_old), 0, len(middle_new))]
    return [(a1 + front, a2 + front, b1 + front, b2 + front) for a1, a2, b1, b2 in found]


def _common[T](old: Sequence[T], new: Sequence[T]) -> int:
    count = 0
    for a, b in zip(old, new, strict=False):
        if a != b:
            break
        count += 1
    return count


def _shortest[T](old: Sequence[T], new: Sequence[T], limit: int) -> list[Hunk] | None:
    """Myers' greedy search; ``None`` where more than ``limit`` insertions and deletions differ."""
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for cost in range(limit + 1):
        trace.append(dict(reach))
        for diagonal in range(-cost, cost + 1, 2):
            down = diagonal == -cost or (
                diagonal != cost and reach.get(diagonal - 1, -1) < reach.get(diagonal + 1, -1)
            )
            x = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            y = x - diagonal
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x += 1
                y += 1
            reach[diagonal] = x
            if x >= len(old) and y >= len(new):
                return _joined(_steps(trace, len(old), len(new)))
    return None


def _steps(trace: list[dict[int, int]], x: int, y: int) -> list[Hunk]:
    """Walk the search back; return single insertions and deletions from front to back."""
    steps: list[Hunk] = []
    for cost in range(len(trace) - 1, 0, -1):
        reach = trace[cost]
        diagonal = x - y
        down = diagonal == -cost or (
            diagonal != cost and reach.get(diagonal - 1, -1) < reach.get(diagonal + 1, -1)
        )
        came_from = diagonal + 1 if down else diagonal - 1
        from_x = reach[came_from]
        from_y = from_x - came_from
        steps.append(
            (from_x, from_x if down else from_x + 1, from_y, from_y + 1 if down else from_y)
        )
        x, y = from_x, from_y
    return steps[::-1]


def _joined(steps: list[Hunk]) -> list[Hunk]:
    hunks: list[Hunk] = []
    for step in steps:
        if hunks and hunks[-1][1] == step[0] and hunks[-1][3] == step[2]:
            last = hunks.pop()
            hunks.append((last[0], step[1], last[2], step[3]))
        else:
            hunks.append(step)
    return hunks


def _anchored[T](old: Sequence[T], new: Sequence[T], limit: int) -> list[Hunk] | None:
    """Split at what occurs once in both, in the same order; ``None`` where nothing does."""
    anchors = _rising(_unique_pairs(old, new))
    if not anchors:
        return None
    marks = [(-1, -1), *anchors, (len(old), len(new))]
    found: list[Hunk] = []
    for (a0, b0), (a1, b1) in pairwise(marks):
        part_old, part_new = old[a0 + 1 : a1], new[b0 + 1 : b1]
        if not part_old and not part_new:
            continue
        inner = _shortest(part_old, part_new, limit)
        if inner is None:
            inner = [(0, len(part_old), 0, len(part_new))]
        found += [(x1 + a0 + 1, x2 + a0 + 1, y1 + b0 + 1, y2 + b0 + 1) for x1, x2, y1, y2 in inner]
    return found


def _unique_pairs[T](old: Sequence[T], new: Sequence[T]) -> list[tuple[int, int]]:
    where_old, where_new = _once(old), _once(new)
    return [(at, where_new[item]) for item, at in where_old.items() if item in where_new]


def _once[T](items: Sequence[T]) -> dict[T, int]:
    first: dict[T, int] = {}
    repeated: set[T] = set()
    for at, item in enumerate(items):
        if item in first:
            repeated.add(item)
        else:
            first[item] = at
    return {item: at for item, at in first.items() if item not in repeated}


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs that rise in both places (patience sorting)."""
    tops: list[int] = []
    piles: list[tuple[int, int]] = []
    before: dict[tuple[int, int], tuple[int, int] | None] = {}
    for pair in pairs:
        at = bisect_left(tops, pair[1])
        before[pair] = piles[at - 1] if at else None
        if at == len(piles):
            piles.append(pair)
            tops.append(pair[1])
        else:
            piles[at] = pair
            tops[at] = pair[1]
    run: list[tuple[int, int]] = []
    current = piles[-1] if piles else None
    while current is not None:
        run.append(current)
        current = before[current]
    return run[::-1]
