"""OSC packets: what is whole is read, what is not is refused, within bounds, whatever the bytes."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.osc_packet import BUNDLE, DEEPEST, LARGEST, LARGEST_ANSWER, MOST, Malformed, build, read
from engines.errors import OptionError

NOW = b"\0\0\0\0\0\0\0\1"


def bundle(*elements: bytes) -> bytes:
    return BUNDLE + NOW + b"".join(struct.pack(">i", len(element)) + element for element in elements)


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
VALUES = st.one_of(
    st.integers(-(2**31), 2**31 - 1), st.integers(2**31, 2**63 - 1), TEXT, st.booleans(), st.none(), st.floats(width=32, allow_nan=False)
)  # fmt: skip


@given(TEXT.filter(lambda text: "#" not in text), st.lists(VALUES, max_size=12))
@settings(max_examples=60)
def test_what_was_built_is_read_back(word: str, args: list[Any]) -> None:
    assert read(build(f"/{word}", args)) == ((f"/{word}", tuple(args)),)


def test_a_bundle_is_its_messages_in_order() -> None:
    one, two, three = (build("/hitpoint/scene/refill", [n]) for n in (1, 2, 3))
    assert [args for _, args in read(bundle(one, bundle(two), three))] == [(1,), (2,), (3,)]
    assert read(bundle()) == ()


def nested(depth: int) -> bytes:
    data = build("/a", [1])
    for _ in range(depth):
        data = bundle(data)
    return data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"/",
        b"abcd",
        b"/abc",
        b"/a\0\0,i\0\0",
        b"/a\0\0,i\0\0\0\0",
        b"/a\0\0,x\0\0",
        b"/a\0\0,[[[[[[[\0\0\0\0",
        b"/a\0\0,t\0\0\0\0\0\0\0\0\0\1",
        b"/\xff\xfe\0,\0\0\0",
        b"/a\0\0,s\0\0\xff\xff\xff\0",
        b"/a\0\0,b\0\0\x7f\xff\xff\xff",
        b"/a\0\0,b\0\0\xff\xff\xff\xf0",
        BUNDLE,
        BUNDLE + NOW + b"\0\0",
        BUNDLE + NOW + b"\0\0\0\0",
        BUNDLE + NOW + b"\x7f\xff\xff\xfc/a\0\0",
        BUNDLE + NOW + b"\xff\xff\xff\xfc/a\0\0",
        nested(DEEPEST + 1),
        nested(200),
        bundle(*[build("/a")] * (MOST + 1)),
        b"/" + b"a" * LARGEST,
        bundle(build("/a", [1]), b"/b\0\0,i\0\0"),
    ],
)
def test_what_is_no_osc_or_too_much_is_refused_whole(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


def test_the_bounds_themselves_are_allowed() -> None:
    assert len(read(bundle(*[build("/a")] * MOST))) == MOST
    assert len(read(nested(DEEPEST))) == 1


@given(st.binary(max_size=200), st.sampled_from([b"", b"/", b"/a\0\0,", BUNDLE, BUNDLE + NOW, bundle(build("/a", [1, "x"]))]))
@settings(max_examples=120)
def test_any_bytes_are_read_or_refused(data: bytes, head: bytes) -> None:
    with suppress(Malformed):
        assert len(read(head + data)) <= MOST


@given(st.data())
@settings(max_examples=80)
def test_a_spoilt_message_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(bundle(build("/hitpoint/scene/refill", [3, 2**40, "5-8", 0.5, None, True]), build("/hitpoint/undo")))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Malformed):
        assert len(read(bytes(whole[: data.draw(st.integers(0, len(whole)))]))) <= MOST


def test_what_cannot_be_said_is_told_so() -> None:
    with pytest.raises(OptionError, match="too many for one datagram"):
        build("/hitpoint/answer", ["x" * LARGEST_ANSWER])
    with pytest.raises(OptionError, match="cannot be said in OSC"):
        build("/a", ["\ud800"])
    assert read(build("/a", ["b\0c"])) == (("/a", ("b c",)),)
