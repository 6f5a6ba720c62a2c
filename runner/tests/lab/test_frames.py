# SPDX-License-Identifier: Apache-2.0
"""Frames out of a console: whole ones are believed, everything else is noise."""

import pytest

from assay.frames import Bye, End, Err, FrameParser, Hello, Log, Noise, Out, Start, frame_line


def one(body):
    events = FrameParser().feed(frame_line(body))
    assert len(events) == 1
    return events[0]


def test_known_crc():
    # zlib.crc32 and the agent must agree; this line came from a running agent
    assert FrameParser().feed(b"@assay 49f2d915 start a\n") == [Start("a")]
    assert FrameParser().feed(b"@assay 8eb8ea9c bye units=2") == [Bye(2)]


@pytest.mark.parametrize(("body", "event"), [
    ("hello agent=1 release=6.12.95 kmsg=no:EPERM", Hello({"agent": "1", "release": "6.12.95", "kmsg": "no:EPERM"})),
    ("start gic.x@v2", Start("gic.x@v2")),
    ("out a  two  blanks ", Out("a", " two  blanks ")),
    ("out a ", Out("a", "")),
    ("out a", Out("a", "")),
    ("err a agent: é", Err("a", "agent: é")),
    ("log - 4 WARNING: here", Log("-", 4, "WARNING: here")),
    ("end a exit=0 ms=12 taint=0x0", End("a", exit=0, ms=12, taint=0)),
    ("end a next=1 ms=12 taint=0x0", End("a", next=1, ms=12, taint=0)),
    ("end a signal=11 ms=1 taint=0x200", End("a", signal=11, ms=1, taint=0x200)),
    ("end a limit=5000 ms=5001 taint=0x0 stuck=1", End("a", limit=5000, ms=5001)),
    ("bye units=7", Bye(7)),
])
def test_each_kind(body, event):
    assert one(body) == event


@pytest.mark.parametrize("body", [
    "", "start", "start ", "end a ms=1 taint=0x0", "end a exit=0 signal=9 ms=1 taint=0x0", "end a exit=x ms=1 taint=0x0",
    "end a exit=0 taint=0x0", "log a x text", "bye", "dance a", "bye units=many",
])
def test_a_frame_of_another_form_is_noise(body):
    events = FrameParser().feed(frame_line(body))
    assert [type(e) for e in events] == [Noise]
    assert events[0].damaged


def test_every_flipped_bit_is_noticed():
    whole = frame_line("out unit ok 1 unit")[:-1]
    for i in range(len(whole)):
        for bit in range(8):
            broken = bytearray(whole)
            broken[i] ^= 1 << bit
            for event in FrameParser().feed(bytes(broken)):
                assert isinstance(event, Noise), bytes(broken)


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_cut_frame_is_noise(cut):
    whole = frame_line("out unit ok 1 unit # rule=X")[:-1]
    assert all(isinstance(e, Noise) for e in FrameParser().feed(whole[:-cut]))


def test_kernel_text_before_a_frame():
    parser = FrameParser()
    events = parser.feed(b"[    1.5] Kernel panic - not syncing: " + frame_line("start a"))
    assert events == [Noise("[    1.5] Kernel panic - not syncing: "), Start("a")]
    assert list(parser.noise) == ["[    1.5] Kernel panic - not syncing: "]


def test_kernel_text_inside_a_frame():
    parser = FrameParser()
    whole = frame_line("out a hello")[:-1]
    first = parser.feed(whole[:25] + b"[    1.5] BUG: bad page")
    rest = parser.feed(whole[25:])
    assert [type(e) for e in first + rest] == [Noise, Noise]
    assert parser.damaged == 1 and parser.frames == 0
    # and the next one counts again
    assert parser.feed(frame_line("out a next")) == [Out("a", "next")]


def test_a_damaged_frame_before_a_whole_one():
    events = FrameParser().feed(b"@assay 00000000 out a x" + frame_line("out a y"))
    assert events == [Noise("@assay 00000000 out a x", damaged=True), Out("a", "y")]


def test_a_frame_quoted_in_a_frame_is_text():
    # a unit that prints a whole frame: the outer one is what counts
    inner = frame_line("end a exit=0 ms=0 taint=0x0").decode().strip()
    assert one(f"out a {inner}") == Out("a", inner)


def test_a_whole_frame_in_a_damaged_one_is_not_lost_evidence():
    inner = frame_line("start b")
    events = FrameParser().feed(b"@assay 12345678 out a " + inner)
    assert events[-1] == Start("b")


def test_noise_is_kept_bounded_and_printable():
    parser = FrameParser()
    for i in range(5000):
        parser.feed(f"line {i}")
    assert len(parser.noise) == 2000
    assert parser.noise[-1] == "line 4999"
    assert parser.feed(b"\xff\x1b[0m\r\n") == [Noise("\\xff\\x1b[0m")]
    assert parser.feed(b"\r\n") == [] and parser.feed("") == []


def test_lines_of_text_are_taken_too():
    assert FrameParser().feed(frame_line("out a é").decode()) == [Out("a", "é")]
