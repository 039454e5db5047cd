"""A certificate as the further factor of a living session, and whose it must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from iam.errors import CertificateRefused, SignInRefused, TokenRefused
from iam.models.factors import CertificateAttempt, CertificateChallenge
from iam.models.sessions import StepUpAttempt
from secops.kernel.actors import Actor
from tests.fakes.certificate_office import Office, Token, bind_certificate, header
from tests.fakes.clock import START
from tests.fakes.iam_home import ADDRESS, IamHome, open_iam_home

KEY = b"shared with the terminator......"


@pytest.fixture(scope="module")
def office() -> Office:
    return Office(START)


@pytest.fixture
def house(tmp_path: Path, office: Office) -> Iterator[IamHome]:
    home = open_iam_home(tmp_path, trust=office, terminator_key=KEY)
    yield home
    home.close()


def query_of(location: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(location).query))


def console_session(home: IamHome) -> tuple[Actor, str]:
    """The analyst in the console, by password and code, and the cookie."""
    console = home.services.console
    start = console.start("/")
    opened = home.sign_in("analyst")
    answer = home.services.authorize.authorize(query_of(start.location), opened.cookie)
    session = console.complete(start.cookie, query_of(answer.location))
    return home.services.verification.verify_session(session.cookie), session.cookie


def challenge_of(home: IamHome, actor: Actor) -> CertificateChallenge:
    challenge = home.services.step_up.look(actor).challenge
    assert challenge is not None
    return challenge


def answering(home: IamHome, token: Token, challenge: CertificateChallenge) -> CertificateAttempt:
    answer = token.answer(challenge, now=home.clock.now())
    return CertificateAttempt(ADDRESS, challenge.reference, answer)


def stepping(cookie: str, certificate: CertificateAttempt) -> StepUpAttempt:
    return StepUpAttempt(cookie, ADDRESS, certificate=certificate)


@pytest.mark.parametrize(("token_held", "level"), [(True, 3), (False, 2)])
def test_a_ukey_lifts_a_session_of_password_and_code(
    house: IamHome, office: Office, level: int, *, token_held: bool
) -> None:
    token = Token(office)
    bind_certificate(house, token.certificate, token_held=token_held)
    actor, cookie = console_session(house)
    house.clock.advance(400)
    attempt = stepping(cookie, answering(house, token, challenge_of(house, actor)))
    done = house.services.step_up.step_up(actor, attempt)
    renewed = house.services.verification.verify_session(done.rp_cookie)
    assert (renewed.level, renewed.auth_time) == (level, house.clock.now())
    assert renewed.session_id == actor.session_id
    with pytest.raises(TokenRefused):
        house.services.verification.verify_session(cookie)
    last = house.leaves()[-1]
    held = "hwk" if token_held else "swk"
    assert (last["action"], last["details"]["amr"]) == (
        "iam.step_up",
        ["pwd", "otp", "mfa", held, "sm2"],
    )
    # an answer counts once
    with pytest.raises(SignInRefused):
        house.services.step_up.step_up(renewed, stepping(done.rp_cookie, attempt.certificate))  # type: ignore[arg-type]


def test_another_persons_ukey_lifts_nothing(house: IamHome, office: Office) -> None:
    mine, theirs = Token(office), Token(office)
    bind_certificate(house, mine.certificate)
    bind_certificate(house, theirs.certificate, "staff")
    actor, cookie = console_session(house)
    for attempt in (
        answering(house, theirs, challenge_of(house, actor)),
        CertificateAttempt(ADDRESS, terminator=header(theirs.certificate, KEY, START)),
    ):
        with pytest.raises(CertificateRefused):
            house.services.step_up.step_up(actor, stepping(cookie, attempt))
        last = house.leaves()[-1]
        assert (last["action"], last["outcome"]) == ("iam.sign_in", "refused")


def test_a_challenge_for_signing_in_or_for_another_lifts_nothing(
    house: IamHome, office: Office
) -> None:
    mine, theirs = Token(office), Token(office)
    bind_certificate(house, mine.certificate)
    bind_certificate(house, theirs.certificate, "staff")
    actor, cookie = console_session(house)
    for challenge in (house.services.certificates.ask(), challenge_of(house, house.actor("staff"))):
        with pytest.raises(CertificateRefused, match="somebody else"):
            house.services.step_up.step_up(
                actor, stepping(cookie, answering(house, mine, challenge))
            )
    # nor does the answer to a step-up sign anybody in
    with pytest.raises(CertificateRefused, match="somebody else"):
        house.services.certificates.sign_in(answering(house, mine, challenge_of(house, actor)))


def test_a_revoked_certificate_lifts_nothing(house: IamHome, office: Office) -> None:
    token = Token(office)
    bind_certificate(house, token.certificate)
    actor, cookie = console_session(house)
    office.revoked.append(token.serial)
    attempt = answering(house, token, challenge_of(house, actor))
    with pytest.raises(CertificateRefused, match="revoked"):
        house.services.step_up.step_up(actor, stepping(cookie, attempt))


def test_a_terminators_word_lifts_the_session_of_its_owner_once(
    house: IamHome, office: Office
) -> None:
    token = Token(office)
    bind_certificate(house, token.certificate)
    actor, cookie = console_session(house)
    said = CertificateAttempt(ADDRESS, terminator=header(token.certificate, KEY, START))
    done = house.services.step_up.step_up(actor, stepping(cookie, said))
    assert done.level == 3
    renewed = house.services.verification.verify_session(done.rp_cookie)
    with pytest.raises(SignInRefused):
        house.services.step_up.step_up(renewed, stepping(done.rp_cookie, said))


def test_who_has_no_certificate_is_not_asked_for_one(house: IamHome) -> None:
    assert house.services.step_up.look(house.actor("staff")).challenge is None
