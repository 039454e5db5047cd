"""Whoever fills the port of time-stamps: the built-in authority, and an outside one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kms.core.rfc3161.tokens import read_token
from kms.core.rfc3161.verification import verify_time_stamp
from kms.core.rfc5652.reading import read_signed_data
from kms.core.rfc5652.schemes import HASH_OIDS
from kms.core.trust import Trust
from kms.ports.time_stamps import TimeStamps
from secops.crypto.hashes import digest
from secops.kernel.errors import Invalid
from tests.fakes.time_stamping import OTHER_URL, URL, OutsideSite, StampingSite

MESSAGE = b"message"


@dataclass
class Filled:
    """An implementation, and what its house believes."""

    stamps: TimeStamps
    trust: Callable[[], Trust]


def built_in() -> Filled:
    site = StampingSite()
    return Filled(site.stamps, site.authority.trust)


def outside() -> Filled:
    site = OutsideSite()
    return Filled(site.stamps(URL, OTHER_URL), site.authority.trust)


@pytest.fixture(params=[built_in, outside])
def filled(request: pytest.FixtureRequest) -> Filled:
    made: Filled = request.param()
    return made


@pytest.mark.parametrize("hash_name", sorted(HASH_OIDS))
def test_a_token_is_valid_in_its_own_house_and_holds_its_certificate(
    filled: Filled, hash_name: str
) -> None:
    token = filled.stamps.stamp(hash_name, digest(hash_name, MESSAGE))
    assert verify_time_stamp(token, lambda name: digest(name, MESSAGE), filled.trust()).valid
    assert len(read_signed_data(token).certificates) == 1
    other = verify_time_stamp(token, lambda name: digest(name, b"other"), filled.trust())
    assert not other.valid


def test_sm3_is_signed_with_sm2(filled: Filled) -> None:
    token = filled.stamps.stamp("sm3", digest("sm3", MESSAGE))
    assert read_signed_data(token).signers[0].signature_algorithm == "1.2.156.10197.1.301.1"


def test_no_two_tokens_are_one(filled: Filled) -> None:
    made = [filled.stamps.stamp("sha256", digest("sha256", MESSAGE)) for _ in range(3)]
    assert len({read_token(token).serial for token in made}) == 3


@pytest.mark.parametrize(
    ("hash_name", "content"),
    [
        ("sha256", b""),
        ("sha256", bytes(31)),
        ("sm3", bytes(33)),
        ("sha3_256", bytes(32)),
        ("", b""),
    ],
)
def test_a_digest_that_is_none_is_refused(filled: Filled, hash_name: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        filled.stamps.stamp(hash_name, content)
