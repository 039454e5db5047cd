"""Time-stamps of an outside authority: asked over HTTP, judged before they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms.core.rfc3161.requests import FailureInfo
from kms.core.rfc3161.responses import token_in
from kms.core.rfc3161.tokens import read_token
from kms.core.rfc3161.writing import granted, rejected
from kms.errors.time_stamps import TimeStampUnavailable
from kms.models.time_stamps import TimeStampSources
from kms.service.outside_time_stamps import OutsideTimeStamps
from kms.service.time_stamps import time_stamp_query
from secops.adapters.outbound import (
    OutboundClient,
    OutboundFailed,
    OutboundOptions,
    OutboundRefused,
)
from secops.bridges.key_backends import kms_options
from secops.bridges.notices import stamping
from secops.crypto.certificates import read_certificate
from secops.crypto.hashes import digest
from secops.kernel.errors import AuditUnavailable, Invalid
from secops.settings import Settings, SettingsRejected
from tests.fakes.time_stamping import OTHER_URL, URL, OutsideSite

MESSAGE = b"message"
SHA256 = digest("sha256", MESSAGE)
SM3 = digest("sm3", MESSAGE)


def test_a_token_of_the_outside_authority_is_judged_recorded_and_used() -> None:
    house = OutsideSite()
    token = house.stamps().stamp("sha256", SHA256)
    said = read_token(token)
    assert said.digest == SHA256
    assert house.wire.asked == [(URL, {"content-type": "application/timestamp-query"})]
    (act,) = [act for act in house.own.fakes.trail.acts if act.action == "kms.fetch_time_stamp"]
    assert (act.target, act.details["host"]) == (f"time_stamp:{said.serial:x}", "tsa.example")
    assert act.details["token_sm3"] == digest("sm3", token).hex()


def test_the_imprint_chooses_the_address() -> None:
    house = OutsideSite()
    own = house.stamps().stamp("sm3", SM3)
    assert house.wire.asked == []
    assert (
        read_token(own).authority == read_certificate(house.own.stamper("time_stamper").der).subject
    )
    house.stamps(sha2="", sm3=OTHER_URL).stamp("sm3", SM3)
    assert [url for url, _ in house.wire.asked] == [OTHER_URL]


def test_a_digest_of_another_length_is_not_sent() -> None:
    house = OutsideSite()
    with pytest.raises(Invalid):
        house.stamps().stamp("sha256", bytes(3))
    assert house.wire.asked == []


def test_an_authority_that_is_not_believed_stamps_nothing() -> None:
    house = OutsideSite(believed=False)
    with pytest.raises(TimeStampUnavailable, match="no anchor for time-stamps"):
        house.stamps().stamp("sha256", SHA256)
    house.own.stamps.stamp("sha256", SHA256)  # now there are anchors, and it leads to none
    with pytest.raises(TimeStampUnavailable, match="untrusted issuer"):
        house.stamps().stamp("sha256", SHA256)
    assert [a for a in house.own.fakes.trail.acts if a.action == "kms.fetch_time_stamp"] == []


def test_what_the_other_side_gets_wrong_is_not_used() -> None:
    house = OutsideSite()
    theirs = house.theirs.stamps
    old = theirs.create_time_stamp(time_stamp_query("sha256", SHA256)).content
    other = theirs.create_time_stamp(time_stamp_query("sha256", digest("sha256", b"x"))).content
    by_another_hash = theirs.create_time_stamp(time_stamp_query("sm3", SM3)).content
    bent = token_in(old)[:-1] + bytes([token_in(old)[-1] ^ 1])
    wrong = {
        (500, b""): "answers 500",
        (200, b"<html>"): "answer:",
        (200, rejected(FailureInfo.BAD_ALGORITHM, "no")): "status 2, no",
        (200, old): "repeat our nonce",
        (200, other): "stamps something else",
        (200, by_another_hash): "stamps something else",
        (200, granted(bent)): "not valid here",
    }
    for answer, why in wrong.items():
        house.wire.answer = lambda _, said=answer: said  # type: ignore[misc]
        with pytest.raises(TimeStampUnavailable, match=why):
            house.stamps().stamp("sha256", SHA256)


def test_its_silence_is_not_covered_up_by_our_own_authority() -> None:
    house = OutsideSite()

    def silent(_: bytes) -> tuple[int, bytes]:
        raise OutboundFailed

    house.wire.answer = silent
    with pytest.raises(OutboundFailed):
        house.stamps().stamp("sha256", SHA256)
    assert house.own.fakes.trail.acts == []


def test_a_token_that_can_not_be_recorded_is_not_used() -> None:
    house = OutsideSite()
    house.own.fakes.trail.down = True
    with pytest.raises(AuditUnavailable):
        house.stamps().stamp("sha256", SHA256)


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"])
def test_an_authority_inside_must_be_listed(address: str) -> None:
    house = OutsideSite()
    guarded = OutboundClient(OutboundOptions(), resolve=lambda *_: [address])
    own = OutsideTimeStamps(
        house.own.stamps, house.authority, guarded, TimeStampSources("http://tsa.example/")
    )
    with pytest.raises(OutboundRefused):
        own.stamp("sha256", SHA256)


def test_settings_name_the_authorities(tmp_path: Path) -> None:
    chosen = Settings(
        home=tmp_path,
        time_stamp_url=URL,
        time_stamp_sm3_url=OTHER_URL,
        time_stamp_allow="10.1.0.0/16",
    )
    assert kms_options(chosen).time_stamp_sources == TimeStampSources(URL, OTHER_URL)
    stamping(chosen).check("http://10.1.2.3/")
    with pytest.raises(OutboundRefused):
        stamping(Settings(home=tmp_path)).check("http://10.1.2.3/")
    with pytest.raises(SettingsRejected):
        kms_options(Settings(home=tmp_path, time_stamp_url="ftp://tsa.example"))
