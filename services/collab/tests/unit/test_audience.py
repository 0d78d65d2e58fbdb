"""Whoever is at another process is told once, with all who are there."""

from itertools import count

from collab.sockets.audience import Audience, Far


class Line:
    """Keeps what goes over it."""

    def __init__(self):
        self.sent = []
        self._groups = count(1)

    def new_group(self):
        """The next number."""
        return next(self._groups)

    def join(self, group, channel):
        """Keep it."""
        self.sent.append(("join", group, channel))

    def leave(self, group, channel):
        """Keep it."""
        self.sent.append(("leave", group, channel))

    def tell(self, group, but, data):
        """Keep it."""
        self.sent.append(("tell", group, set(but), data))

    def relay(self, group, parts, data):
        """Keep it."""
        self.sent.append(("relay", group, parts, data))


class Outlet:
    """Keeps what is written to it."""

    def __init__(self, far=None):
        self.far = far
        self.writes = []

    def write(self, data):
        """Keep it."""
        self.writes.append(data)


def test_a_process_is_told_once_whom_to_tell_and_once_what():
    audience, line = Audience(), Line()
    near, *far = Outlet(), *(Outlet(Far(line, channel)) for channel in (7, 8, 9))
    for outlet in (near, *far):
        audience.add(outlet)
    audience.tell(b"to all")
    audience.tell(b"but one", {far[1]})
    audience.tell(b"but here", {near})
    assert near.writes == [b"to all", b"but one"]
    assert [outlet.writes for outlet in far] == [[], [], []]
    assert line.sent == [
        ("join", 1, 7),
        ("join", 1, 8),
        ("join", 1, 9),
        ("tell", 1, set(), b"to all"),
        ("tell", 1, {8}, b"but one"),
        ("tell", 1, set(), b"but here"),
    ]


def test_a_process_is_not_told_what_nobody_there_has_to_hear():
    audience, line = Audience(), Line()
    one = Outlet(Far(line, 7))
    audience.add(one)
    audience.tell(b"its own", {one})
    audience.discard(one)
    audience.tell(b"of others")
    assert line.sent == [("join", 1, 7), ("leave", 1, 7)]


def test_each_process_has_groups_of_its_own():
    audience, lines = Audience(), [Line(), Line()]
    outlets = [Outlet(Far(line, 7)) for line in lines]
    for outlet in outlets:
        audience.add(outlet)
    audience.tell(b"x", {outlets[0]})
    assert lines[0].sent == [("join", 1, 7)]
    assert lines[1].sent == [("join", 1, 7), ("tell", 1, set(), b"x")]
    audience.discard(outlets[1])
    audience.add(outlets[1])
    assert lines[1].sent[-2:] == [("leave", 1, 7), ("join", 2, 7)]


def test_what_came_from_several_is_passed_on_once():
    audience, line = Audience(), Line()
    near, *far = Outlet(), *(Outlet(Far(line, channel)) for channel in (7, 8))
    elsewhere = Outlet(Far(Line(), 7))
    for outlet in (near, *far):
        audience.add(outlet)
    del line.sent[:]
    audience.relay([(b"a", far[0]), (b"b", far[0]), (b"c", near), (b"d", elsewhere), (b"e", None)])
    assert near.writes == [b"abde"]
    assert [outlet.writes for outlet in far] == [[], []]
    assert line.sent == [("relay", 1, [(7, 2), (0, 3)], b"abcde")]


def test_what_came_from_the_only_one_of_a_process_is_not_passed_back():
    audience, line = Audience(), Line()
    near, far = Outlet(), Outlet(Far(line, 7))
    for outlet in (near, far):
        audience.add(outlet)
    del line.sent[:]
    audience.relay([(b"a", far)])
    assert (near.writes, line.sent) == ([b"a"], [])
    audience.relay([(b"a", far), (b"b", near)])
    assert line.sent == [("relay", 1, [(7, 1), (0, 1)], b"ab")]
