"""Secret sharing: any k give the secret, k - 1 say nothing; the written form of a share."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.shamir.field import divide, multiply, scale
from kms.core.shamir.scheme import interpolate, split
from kms.core.shamir.shares import (
    check_holders,
    demand_share,
    mark_of,
    plan_fields,
    read_plan,
    read_share,
    write_share,
)
from kms.errors.shares import ShareMalformed, ShareOfAnotherSet, ShareRefused
from kms.models.shares import Share, SharePlan
from secops.kernel.errors import Invalid

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "shamir" / "vectors.json").read_text()
)
ELEMENTS = range(256)


def long_product(one: int, other: int) -> int:
    """Multiply polynomials, then divide by the field's: another way than the code's."""
    product = 0
    for bit in range(8):
        product ^= (one << bit) * (other >> bit & 1)
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11B << (bit - 8)
    return product


def test_products_and_quotients_are_those_of_the_field() -> None:
    every = bytes(ELEMENTS)
    for factor in ELEMENTS:
        made = scale(int.from_bytes(every, "big"), factor, length=256).to_bytes(256, "big")
        assert made == bytes(long_product(one, factor) for one in ELEMENTS)
    assert [divide(multiply(one, 77), 77) for one in range(0, 256, 5)] == list(range(0, 256, 5))


@given(st.binary(min_size=1, max_size=40), st.integers(0, 255))
def test_all_bytes_are_multiplied_as_each_alone(data: bytes, factor: int) -> None:
    together = scale(int.from_bytes(data, "big"), factor, length=len(data))
    assert together.to_bytes(len(data), "big") == bytes(long_product(b, factor) for b in data)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each["name"])
def test_shares_of_others_combine_here(vector: dict[str, Any]) -> None:
    points = {int(x): bytes.fromhex(value) for x, value in vector["points"].items()}
    for some in itertools.combinations(points, vector["threshold"]):
        assert interpolate({x: points[x] for x in some}).hex() == vector["secret"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each["name"])
def test_the_same_polynomials_give_the_same_shares_as_others(vector: dict[str, Any]) -> None:
    points = {int(x): bytes.fromhex(value) for x, value in vector["points"].items()}
    secret, threshold = bytes.fromhex(vector["secret"]), vector["threshold"]
    chosen = {x: points[x] for x in list(points)[: threshold - 1]} | {0: secret}
    # the coefficients from the values: k points of a polynomial of degree k - 1 determine it
    slope = bytes(divide(a ^ b, 1) for a, b in zip(interpolate(chosen, 1), secret, strict=True))
    if threshold == 2:
        assert split(secret, shares=len(points), threshold=2, noise=slope) == points
    assert {x: interpolate(chosen, x) for x in points} == points


@given(st.data())
def test_any_k_of_n_give_the_secret_and_fewer_give_another(data: st.DataObject) -> None:
    secret = data.draw(st.binary(min_size=1, max_size=32))
    shares = data.draw(st.integers(2, 9))
    threshold = data.draw(st.integers(2, shares))
    size = (threshold - 1) * len(secret)
    noise = data.draw(st.binary(min_size=size, max_size=size))
    points = split(secret, shares=shares, threshold=threshold, noise=noise)
    some = data.draw(st.permutations(sorted(points)))
    for count in range(threshold, shares + 1):
        assert interpolate({x: points[x] for x in some[:count]}) == secret


@given(st.data())
def test_every_secret_is_as_likely_to_who_holds_one_share_too_few(data: st.DataObject) -> None:
    threshold = data.draw(st.integers(2, 6))
    held = data.draw(st.permutations(range(1, 10)))[: threshold - 1]
    known = {x: data.draw(st.binary(min_size=1, max_size=1)) * 256 for x in held}
    # each candidate fits exactly one polynomial, so the held shares exclude and favour none
    candidates = bytes(ELEMENTS)
    following = interpolate({0: candidates, **known}, 200)
    assert interpolate({**known, 200: following}) == candidates
    assert len(set(following)) == 256


def test_one_share_of_two_is_spread_evenly_whatever_the_secret_is() -> None:
    for secret in (b"\x00", b"\x01", b"\xff"):
        seen = Counter(
            split(secret, shares=2, threshold=2, noise=bytes((noise,)))[2] for noise in ELEMENTS
        )
        assert set(seen.values()) == {1}
        assert len(seen) == 256


@pytest.mark.parametrize(
    ("shares", "threshold", "secret", "noise"),
    [
        (5, 1, b"s", b""),
        (2, 3, b"s", b"nn"),
        (256, 2, b"s", b"n"),
        (3, 2, b"", b""),
        (3, 2, b"s", b"nn"),
    ],
)
def test_what_can_not_be_split_is_refused(
    shares: int, threshold: int, secret: bytes, noise: bytes
) -> None:
    with pytest.raises(Invalid):
        split(secret, shares=shares, threshold=threshold, noise=noise)


@pytest.mark.parametrize("points", [{}, {1: b""}, {1: b"a", 2: b"bc"}, {256: b"a"}, {-1: b"a"}])
def test_points_that_are_none_are_refused(points: dict[int, bytes]) -> None:
    with pytest.raises(Invalid):
        interpolate(points)


SHARE = Share(bytes(range(8)), 3, 2, bytes(range(32)))
SHARES = st.builds(
    Share,
    st.binary(min_size=8, max_size=8),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(min_size=32, max_size=32),
)


@given(SHARES)
def test_a_share_is_read_as_it_was_written(share: Share) -> None:
    text = write_share(share)
    assert read_share(text) == share
    assert read_share(f" {text.lower().replace('-', ' ')}\n") == share


def test_every_slip_of_one_letter_is_found() -> None:
    text = write_share(SHARE)
    for place, letter in enumerate(text):
        if letter == "-":
            continue
        slip = "A" if letter != "A" else "B"
        with pytest.raises(ShareMalformed):
            read_share(text[:place] + slip + text[place + 1 :])


@pytest.mark.parametrize("text", ["", "-", "0189", "A" * 76, "A" * 300, "份额", "=" * 8, "\ud800"])
def test_what_is_no_share_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ShareMalformed) as caught:
        read_share(text)
    assert not text.strip("-=") or text not in caught.value.detail


def test_a_share_of_a_later_version_is_refused() -> None:
    import base64  # noqa: PLC0415 - to write what the code never writes
    import hashlib  # noqa: PLC0415

    body = b"\x02" + bytes(10) + bytes(32)
    text = base64.b32encode(body + hashlib.sha256(body).digest()[:4]).decode().rstrip("=")
    with pytest.raises(ShareMalformed, match="version 1"):
        read_share(text)


def test_nothing_shows_a_shares_value() -> None:
    assert "value" not in repr(SHARE)


def plan() -> SharePlan:
    marks = tuple(mark_of(Share(SHARE.set_id, 2, index, bytes(32))) for index in (1, 2, 3))
    return SharePlan(SHARE.set_id, 2, ("甲", "乙", "丙"), marks)


def test_a_plan_knows_its_own_shares_and_names_a_false_one() -> None:
    demand_share(plan(), Share(SHARE.set_id, 2, 3, bytes(32)))
    with pytest.raises(ShareOfAnotherSet):
        demand_share(plan(), Share(bytes(8), 2, 3, bytes(32)))
    for false in (
        Share(SHARE.set_id, 2, 3, bytes(31) + b"\x01"),
        Share(SHARE.set_id, 2, 4, bytes(32)),
        Share(SHARE.set_id, 2, 0, bytes(32)),
        Share(SHARE.set_id, 3, 3, bytes(32)),
    ):
        with pytest.raises(ShareRefused):
            demand_share(plan(), false)


def test_a_plan_is_read_as_it_was_written() -> None:
    assert read_plan(plan_fields(plan())) == plan()


@pytest.mark.parametrize(
    "change",
    [
        {"set": "zz"},
        {"set": "00"},
        {"threshold": 4},
        {"threshold": "2"},
        {"marks": []},
        {"marks": 7},
        {"holders": None},
        {"holders": ["甲"]},
    ],
)
def test_a_changed_plan_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_plan({**plan_fields(plan()), **change})
    with pytest.raises(Invalid):
        read_plan({})


@pytest.mark.parametrize("holders", [("甲", "甲 "), ("",), ("  ",), ("a" * 65,), ("a\nb",)])
def test_holders_can_be_told_apart(holders: tuple[str, ...]) -> None:
    check_holders(("甲", "乙"))
    with pytest.raises(Invalid):
        check_holders(holders)
