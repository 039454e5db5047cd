"""Heads that are looked up mean what the parser says, and are not kept for long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secops.web.server.fast import FastAnswers
from secops.web.server.heads import Head
from secops.web.server.known import KEPT_SECONDS, LONGEST, KnownHeads, Waiting
from secops.web.server.parsing import RequestParser
from tests.fakes.http_site import HOST, Site, post

SECRET = b"authorization: Basic c2VjcmV0OnNlY3JldA==\r\n"
REQUESTS = (
    post("/echo", b"one"),
    post("/echo", b"two", SECRET),
    post("/echo", b"", b"connection: close\r\n"),
    post("/recorded?n=1", b"three"),
    post("/echo", b"expected", b"expect: 100-continue\r\n"),
    post("/slow", b"slow lane"),
    post("/echo", b"GET / HTTP/1.1\r\n\r\n"),
    b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n",
    b"\r\n" + post("/echo", b"one"),
    b"nonsense\r\n\r\n",
)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


class Blind(KnownHeads):
    """Knows nothing, ever."""

    def whole(self, data: bytes) -> Waiting | None:
        return None


def heard(answers: FastAnswers, packets: Sequence[bytes]) -> list[tuple[object, ...]]:
    """What the packets of one connection say, told without the heads' identity."""
    parser = RequestParser(answers, lambda _: True)
    found = [request for packet in packets for request in parser.feed(packet)]
    return [
        (*_told(head), body, None if route is None else route[0].path, type(error))
        for head, body, route, error in found
    ]


def _told(head: Head) -> tuple[object, ...]:
    sent = (head.method, head.path, head.query_string, head.target)
    return (*sent, head.keep_alive, head.headers)


def packets_of(numbers: Sequence[int], cuts: Sequence[int]) -> list[bytes]:
    """Whole requests, some cut in two, some together in one packet."""
    packets = [b""]
    for number, cut in zip(numbers, cuts, strict=True):
        request = REQUESTS[number]
        if cut < len(request) and cut:
            packets[-1] += request[:cut]
            packets.append(request[cut:])
        elif cut:
            packets.append(request)
        else:
            packets[-1] += request
    return [packet for packet in packets if packet]


@settings(max_examples=300)
@given(data=st.data())
def test_known_heads_change_nothing_of_what_is_heard(site: Site, data: st.DataObject) -> None:
    answers = site.server.answers
    for _ in range(3):  # connections, one after the other
        numbers = data.draw(st.lists(st.integers(0, len(REQUESTS) - 1), max_size=12))
        cuts = data.draw(
            st.lists(
                st.one_of(st.just(10_000), st.integers(0, 120)),
                min_size=len(numbers),
                max_size=len(numbers),
            )
        )
        packets = packets_of(numbers, cuts)
        known, answers.heads = answers.heads, Blind()
        expected = heard(answers, packets)
        answers.heads = known
        assert expected == heard(answers, packets)


def test_a_head_is_looked_up_the_second_time(site: Site) -> None:
    parser = RequestParser(site.server.answers, lambda _: True)
    request = post("/echo", b"one", b"x-only-here: 1\r\n")
    first, second = parser.feed(request)[0][0], parser.feed(request)[0][0]
    assert parser.feed(request)[0][0] is second
    assert first is second
    assert parser.feed(post("/echo", b"two", b"x-only-here: 1\r\n"))[0][:2] == (first, b"two")


def test_nothing_comes_after_a_request_that_closes(site: Site) -> None:
    answers = site.server.answers
    RequestParser(answers, lambda _: True).feed(post("/echo", b"one"))
    closing = post("/echo", b"", b"connection: close\r\n")
    found = heard(answers, [closing, post("/echo", b"one")])
    assert [one[4] for one in found] == [False, False]
    assert found[1][8] is not type(None)


def test_a_body_that_may_not_be_held_is_refused_though_its_head_is_known(site: Site) -> None:
    RequestParser(site.server.answers, lambda _: True).feed(post("/echo", b"one"))
    full = RequestParser(site.server.answers, lambda count: count == 0)
    error = full.feed(post("/echo", b"one"))[0][3]
    assert error is not None
    assert error.status == 503


def test_credentials_are_forgotten_and_long_heads_never_kept() -> None:
    heads = KnownHeads()
    route = (object(), {})
    request = post("/echo", b"one", SECRET)
    learnt: Waiting = (Head("POST", "/echo", "", {}), b"one", route, None)  # type: ignore[assignment]
    heads.learn(request, learnt)
    assert heads.whole(request) == learnt
    heads.forget(KEPT_SECONDS - 1)
    assert heads.whole(request) == learnt
    heads.forget(KEPT_SECONDS + 1)
    assert heads.whole(request) is None
    long = post("/echo", b"one", b"x: " + b"a" * LONGEST + b"\r\n")
    heads.learn(long, learnt)
    assert heads.whole(long) is None
