"""How soon somebody has a document with a long history."""

import time
from collections.abc import Iterator

import msgspec

from benchmarks.collab import crowd, edits
from benchmarks.collab.contender import Contender
from benchmarks.collab.field import Field, say
from benchmarks.harness.cases import BadAnswerError

PATH = "history"
EDITS, _EACH = 100_000, 500
_ONE_BY_ONE, AT_ONCE = 40, 50
_STORED_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.5


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """One contender in one round; times in seconds. ``first`` opened the document."""

    contender: str
    round: int
    first: float
    each: list[float]
    at_once: float
    received: int


def prepared(field: Field) -> str:
    """Let somebody type the history into every contender; return its text."""
    say(f"typing {EDITS:,} edits")
    updates, text = edits.history(EDITS, _EACH)
    for contender in field.contenders:
        document = contender.document(0, PATH)
        with crowd.crowd(contender, [document], 1) as rooms:
            client = rooms[0].clients[0]
            client.socket.setblocking(True)  # noqa: FBT003 - the library's
            for update in updates:
                client.socket.sendall(edits.update_frame(contender.dialect, document, update))
            _wait(contender, document, text)
    return text


def _wait(contender: Contender, document: str, text: str) -> None:
    give_up_at = time.monotonic() + _STORED_WITHIN_S
    while time.monotonic() < give_up_at:
        with crowd.crowd(contender, [document], 1) as rooms:
            if edits.text_of(*rooms[0].clients[0].updates) == text:
                return
        time.sleep(_LOOK_EVERY_S)
    raise BadAnswerError(f"{contender.name} does not have the history that was typed")


def rounds(field: Field, text: str) -> Iterator[Joined]:
    """Measure all rounds."""
    for number in range(field.rounds + 1):
        for contender in field.turns(number):
            joined = _joined(contender, number, text)
            say(
                f"round {number}, join, {contender.name}: first {joined.first * 1e3:.1f} ms, "
                f"then {sorted(joined.each)[len(joined.each) // 2] * 1e3:.1f} ms, "
                f"{AT_ONCE} at once {joined.at_once * 1e3:.0f} ms, {joined.received / 1e3:.0f} kB"
            )
            if number:
                yield joined


def _joined(contender: Contender, number: int, text: str) -> Joined:
    document = contender.document(0, PATH)
    with crowd.crowd(contender, [document], 1) as rooms:
        first = rooms[0].clients[0]
        ones: list[crowd.Client] = []
        for _ in range(_ONE_BY_ONE):
            with crowd.crowd(contender, [document], 1) as found:
                ones += found[0].clients
        with crowd.crowd(contender, [document], AT_ONCE) as found:
            many = found[0].clients
    for client in (first, ones[0], ones[-1], many[0], many[-1]):
        if edits.text_of(*client.updates) != text:
            raise BadAnswerError(f"{contender.name} lets somebody join another document")
    return Joined(
        contender=contender.name,
        round=number,
        first=first.joined - first.began,
        each=[one.joined - one.began for one in ones],
        at_once=max(client.joined for client in many) - many[0].began,
        received=ones[-1].joined_bytes,
    )
