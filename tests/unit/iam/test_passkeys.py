"""Passkeys: registering, signing in, and every way an answer can be bent."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.core.webauthn.answers import (
    MAX_ANSWER,
    read_answer,
    read_assertion,
    verify_assertion,
    verify_registration,
)
from iam.core.webauthn.questions import assertion_question, registration_question
from iam.errors import (
    LastFactor,
    PasskeyKnown,
    PasskeyRefused,
    SignInRefused,
    SignInUnusual,
    TokenRefused,
)
from iam.models.factors import (
    AttestationPolicy,
    Ceremony,
    Passkey,
    PasskeyAttempt,
    PasskeyQuestion,
)
from iam.models.sessions import FactorAttempt, Opened, StepUpAttempt
from iam.ports import RiskAdvice, SignInFacts
from iam.service.sign_on.ceremonies import passkey_id
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, Invalid, NotFound, StepUpRequired
from tests.fakes.authenticator import Authenticator, Maker, b64
from tests.fakes.iam_home import ADDRESS, IamHome, open_iam_home


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


CEREMONY = Ceremony(b"c" * 32, "localhost", "http://localhost:8080")
NONE = AttestationPolicy()


def register(home: IamHome, role: str, device: Authenticator, name: str = "手机") -> Passkey:
    actor = home.actor(role)
    question = home.services.passkeys.ask_registration(actor)
    answer = device.create(question.options)
    return home.services.passkeys.register_passkey(actor, name, question.reference, answer)


def asked(home: IamHome, second: str = "") -> PasskeyQuestion:
    question = home.services.passkeys.ask(second)
    assert question is not None
    return question


def sign_in(home: IamHome, device: Authenticator, second: str = "") -> Opened:
    question = asked(home, second)
    attempt = PasskeyAttempt(question.reference, device.get(question.options), ADDRESS, second)
    return home.services.passkeys.sign_in(attempt)


def made(device: Authenticator, ceremony: Ceremony = CEREMONY) -> tuple[Passkey, str]:
    """A passkey registered without a home, and the question it can answer."""
    question = registration_question(ceremony, (b"h" * 32, "a"), (), attestation=True)
    new = verify_registration(read_answer(device.create(question)), ceremony, NONE)
    passkey = Passkey(
        credential_id=new.credential_id,
        org_id="org_root",
        account_id="acc_1",
        name="n",
        public_key=new.public_key,
        sign_count=0,
        model=new.model,
        attested=new.attested,
        synced=new.synced,
        transports=new.transports,
        created_at=1,
    )
    return passkey, new.model


def test_a_passkey_signs_in_alone_and_without_a_name(home: IamHome) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    question = asked(home)
    assert question.options["allowCredentials"] == []
    opened = sign_in(home, device)
    assert (opened.account_name, opened.session.amr, opened.session.acr) == (
        "analyst",
        ("swk", "user", "mfa"),
        "urn:secops:aal:2",
    )
    assert home.services.sessions.by_cookie(opened.cookie) is not None


def test_a_passkey_follows_a_password(home: IamHome) -> None:
    device = Authenticator()
    passkey = register(home, "analyst", device)
    reference = home.begin("analyst")
    question = asked(home, reference)
    assert [each["id"] for each in question.options["allowCredentials"]] == [
        b64(passkey.credential_id)
    ]
    assert sign_in(home, device, reference).session.amr == ("pwd", "swk", "user", "mfa")
    assert home.services.passkeys.ask(home.begin("staff")) is None


def test_a_trusted_makers_device_reaches_the_third_level(tmp_path: Path) -> None:
    maker = Maker()
    policy = AttestationPolicy(required=True, roots=(maker.root_pem,))
    home = open_iam_home(tmp_path, attestation=policy)
    device = Authenticator(maker=maker)
    assert register(home, "analyst", device).hardware
    opened = sign_in(home, device)
    assert (opened.session.level, opened.session.amr) == (3, ("hwk", "user", "mfa"))
    for other in (Authenticator(), Authenticator(maker=Maker())):
        with pytest.raises(PasskeyRefused):
            register(home, "staff", other)
    home.close()


def test_a_synced_passkey_is_no_hardware_whoever_made_it(tmp_path: Path) -> None:
    maker = Maker()
    home = open_iam_home(tmp_path, attestation=AttestationPolicy(roots=(maker.root_pem,)))
    device = Authenticator(maker=maker, synced=True)
    assert register(home, "analyst", device).attested
    assert sign_in(home, device).session.amr == ("swk", "user", "mfa")
    home.close()


def test_a_makers_certificate_vouches_for_its_own_model_alone() -> None:
    maker = Maker(model=b"\x09" * 16)
    question = registration_question(CEREMONY, (b"h", "a"), (), attestation=True)
    answer = read_answer(Authenticator(maker=maker).create(question))
    with pytest.raises(PasskeyRefused, match="another kind"):
        verify_registration(answer, CEREMONY, AttestationPolicy(roots=(maker.root_pem,)))


def test_only_listed_models_are_admitted() -> None:
    question = registration_question(CEREMONY, (b"h", "a"), (), attestation=False)
    answer = read_answer(Authenticator().create(question))
    model = "01020304-0506-0708-090a-0b0c0d0e0f10"
    new = verify_registration(answer, CEREMONY, AttestationPolicy(models=frozenset({model})))
    assert (new.model, new.attested, new.transports) == (model, False, ("internal", "usb"))
    with pytest.raises(PasskeyRefused, match="not admitted"):
        verify_registration(answer, CEREMONY, AttestationPolicy(models=frozenset({"other"})))


def test_a_certificate_without_a_configured_root_is_not_judged() -> None:
    question = registration_question(CEREMONY, (b"h", "a"), (), attestation=True)
    answer = read_answer(Authenticator(maker=Maker()).create(question))
    assert not verify_registration(answer, CEREMONY, NONE).attested


@pytest.mark.parametrize(
    "bent",
    [
        {"crossOrigin": True},
        {"crossOrigin": "false"},
        {"topOrigin": "https://evil.example"},
        {"origin": "http://localhost:8081"},
        {"origin": "https://localhost"},
        {"type": "webauthn.get"},
        {"challenge": b64(b"d" * 32)},
    ],
    ids=str,
)
def test_a_registration_for_another_page_is_refused(bent: dict[str, Any]) -> None:
    device = Authenticator(client_data=bent)
    question = registration_question(CEREMONY, (b"h", "a"), (), attestation=False)
    with pytest.raises(PasskeyRefused):
        verify_registration(read_answer(device.create(question)), CEREMONY, NONE)


@pytest.mark.parametrize(
    "bent",
    [
        {"crossOrigin": True},
        {"topOrigin": "https://evil.example"},
        {"origin": "http://evil.example"},
        {"type": "webauthn.create"},
        {"challenge": b64(b"d" * 32)},
    ],
    ids=str,
)
def test_a_proof_for_another_page_is_refused(bent: dict[str, Any]) -> None:
    device = Authenticator()
    passkey, _ = made(device)
    device.client_data = bent
    answer = device.get(assertion_question(CEREMONY))
    with pytest.raises(PasskeyRefused):
        verify_assertion(read_assertion(answer), passkey, CEREMONY)


def test_a_user_who_was_not_verified_proves_nothing() -> None:
    device = Authenticator()
    passkey, _ = made(device)
    device.verifies = False
    with pytest.raises(PasskeyRefused):
        verify_assertion(
            read_assertion(device.get(assertion_question(CEREMONY))), passkey, CEREMONY
        )
    with pytest.raises(PasskeyRefused):
        made(device)


def test_a_passkey_that_became_synced_is_another() -> None:
    device = Authenticator()
    passkey, _ = made(device)
    device.synced = True
    with pytest.raises(PasskeyRefused):
        verify_assertion(
            read_assertion(device.get(assertion_question(CEREMONY))), passkey, CEREMONY
        )


def test_another_sites_passkey_is_refused() -> None:
    device = Authenticator()
    passkey, _ = made(device)
    device.credentials[0].rp_id = "evil.example"
    with pytest.raises(PasskeyRefused):
        verify_assertion(
            read_assertion(device.get(assertion_question(CEREMONY))), passkey, CEREMONY
        )


def test_another_key_does_not_sign_for_it() -> None:
    device, other = Authenticator(), Authenticator()
    passkey, _ = made(device)
    made(other)
    device.credentials[0].key = other.credentials[0].key
    with pytest.raises(PasskeyRefused):
        verify_assertion(
            read_assertion(device.get(assertion_question(CEREMONY))), passkey, CEREMONY
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"response": []}',
        '{"response": {}, "id": "="}',
        '{"response": {"userHandle": "*"}, "id": ""}',
        "x" * (MAX_ANSWER + 1),
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(PasskeyRefused):
        read_assertion(text)


@pytest.mark.parametrize("given", ["", "*", b64(b"[]"), b64(b"{"), b64(b'"x"')])
def test_client_data_that_cannot_be_read_is_refused(given: str) -> None:
    with pytest.raises(PasskeyRefused):
        verify_registration({"response": {"clientDataJSON": given}}, CEREMONY, NONE)


@given(
    st.dictionaries(
        st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData", "signature"]),
        st.one_of(st.none(), st.integers(), st.binary(max_size=90).map(b64)),
    ),
    st.binary(max_size=20).map(b64),
)
def test_strangers_bytes_are_refused_and_never_an_error(
    response: dict[str, Any], identifier: str
) -> None:
    client_data = b64(json.dumps({"type": "webauthn.create", "crossOrigin": False}).encode())
    response.setdefault("clientDataJSON", client_data)
    text = json.dumps(
        {"id": identifier, "rawId": identifier, "type": "public-key", "response": response}
    )
    with pytest.raises(PasskeyRefused):
        verify_registration(read_answer(text), CEREMONY, NONE)


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_changed_byte_of_the_attestation_is_refused_or_changes_nothing_we_keep(
    position: int, flip: int
) -> None:
    maker = _MAKER
    device = Authenticator(maker=maker)
    question = registration_question(CEREMONY, (b"h", "a"), (), attestation=True)
    fields = read_answer(device.create(question))
    whole = bytearray(_unb64(fields["response"]["attestationObject"]))
    place = position % len(whole)
    whole[place] ^= flip
    fields["response"]["attestationObject"] = b64(bytes(whole))
    policy = AttestationPolicy(required=True, roots=(maker.root_pem,))
    try:
        new = verify_registration(fields, CEREMONY, policy)
    except PasskeyRefused:
        return
    assert new.credential_id == device.credentials[0].id  # unreachable, or a spelling of CBOR


def _unb64(text: str) -> bytes:
    import base64  # noqa: PLC0415 - one use

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


_MAKER = Maker()


def test_a_challenge_counts_once(home: IamHome) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    question = asked(home)
    attempt = PasskeyAttempt(question.reference, device.get(question.options), ADDRESS)
    home.services.passkeys.sign_in(attempt)
    with pytest.raises(SignInRefused):
        home.services.passkeys.sign_in(attempt)
    # the same answer again is a replay, no copy of the key
    assert sign_in(home, device).account_name == "analyst"


def test_of_many_uses_of_one_answer_one_wins(home: IamHome) -> None:
    device = Authenticator(counts=False)
    register(home, "analyst", device)
    question = asked(home)
    attempt = PasskeyAttempt(question.reference, device.get(question.options), ADDRESS)
    won: list[Opened] = []
    barrier = threading.Barrier(8)

    def race() -> None:
        barrier.wait()
        try:
            won.append(home.services.passkeys.sign_in(attempt))
        except SignInRefused:
            return

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_counter_that_goes_back_suspends_the_passkey_and_says_so(home: IamHome) -> None:
    device = Authenticator()
    passkey = register(home, "analyst", device)
    for _ in range(3):
        sign_in(home, device)
    copy = replace(device.credentials[0], count=1)
    question = asked(home)
    answer = device.get(question.options, copy)
    with pytest.raises(SignInRefused):
        home.services.passkeys.sign_in(PasskeyAttempt(question.reference, answer, ADDRESS))
    suspended = [leaf for leaf in home.leaves() if leaf["action"] == "iam.suspend_passkey"]
    assert [leaf["details"] for leaf in suspended] == [
        {"passkey": passkey_id(passkey.credential_id), "reason": "counter went back"}
    ]
    with pytest.raises(SignInRefused):
        sign_in(home, device)
    (kept,) = home.services.passkeys.list_passkeys(home.actor("analyst"))
    assert kept.suspended_at == home.clock.now()
    assert home.sign_in("analyst").cookie  # the owner is not kept out


def test_knowing_a_passkeys_id_raises_no_false_alarm(home: IamHome) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    sign_in(home, device)
    forged = Authenticator()
    made(forged)
    forged.credentials[0] = replace(
        forged.credentials[0],
        id=device.credentials[0].id,
        user_handle=device.credentials[0].user_handle,
        count=0,
    )
    with pytest.raises(PasskeyRefused):
        sign_in(home, forged)
    assert sign_in(home, device).account_name == "analyst"


def test_a_question_put_to_one_account_is_answered_by_no_other(home: IamHome) -> None:
    mine, theirs = Authenticator(), Authenticator()
    register(home, "analyst", mine)
    register(home, "staff", theirs)
    reference = home.begin("analyst")
    question = asked(home, reference)
    answer = theirs.get({**question.options, "allowCredentials": []})
    with pytest.raises(PasskeyRefused):
        home.services.passkeys.sign_in(
            PasskeyAttempt(question.reference, answer, ADDRESS, reference)
        )
    # nor is a question put to nobody answered after somebody's password
    alone = asked(home)
    with pytest.raises(PasskeyRefused):
        home.services.passkeys.sign_in(
            PasskeyAttempt(alone.reference, mine.get(alone.options), ADDRESS, reference)
        )


@pytest.mark.parametrize("handle", [b"", b"x" * 32])
def test_the_user_handle_must_be_the_owners(home: IamHome, handle: bytes) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    device.credentials[0].user_handle = handle
    with pytest.raises(PasskeyRefused):
        sign_in(home, device)


def test_after_a_password_the_user_handle_may_be_missing(home: IamHome) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    device.credentials[0].user_handle = b""
    assert sign_in(home, device, home.begin("analyst")).account_name == "analyst"


def test_an_unknown_passkey_reads_like_a_wrong_one(home: IamHome) -> None:
    known, unknown = Authenticator(), Authenticator()
    register(home, "analyst", known)
    made(unknown)
    known.credentials[0].key = unknown.credentials[0].key
    refusals = []
    for device in (known, unknown):
        with pytest.raises(PasskeyRefused) as caught:
            sign_in(home, device)
        refusals.append((caught.value.code, caught.value.status))
    assert refusals[0] == refusals[1]


def test_foreign_references_are_refused(home: IamHome) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    question = asked(home)
    answer = device.get(question.options)
    registration = home.services.passkeys.ask_registration(home.actor("analyst"))
    for reference in ("", "x", registration.reference, home.begin("analyst")):
        with pytest.raises(PasskeyRefused):
            home.services.passkeys.sign_in(PasskeyAttempt(reference, answer, ADDRESS))
    home.clock.advance(601)
    with pytest.raises(PasskeyRefused):
        home.services.passkeys.sign_in(PasskeyAttempt(question.reference, answer, ADDRESS))


def test_a_locked_accounts_passkey_opens_nothing(home: IamHome) -> None:
    device = Authenticator()
    register(home, "staff", device)
    home.services.accounts.lock_account(home.actor("security-admin"), "staff", "test")
    with pytest.raises(SignInRefused):
        sign_in(home, device)


def test_wrong_codes_of_strangers_do_not_keep_a_passkey_out(home: IamHome) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    reference = home.begin("analyst")
    for _ in range(6):
        with pytest.raises(SignInRefused):
            home.services.sign_in.finish(FactorAttempt(reference, "000000", ADDRESS))
    assert sign_in(home, device).account_name == "analyst"


def test_an_address_that_only_fails_is_refused(home: IamHome) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    rubbish = PasskeyAttempt(asked(home).reference, "{}", ADDRESS)
    for _ in range(50):
        with pytest.raises(PasskeyRefused):
            home.services.passkeys.sign_in(rubbish)
    with pytest.raises(SignInRefused):
        sign_in(home, device)


class _Suspicious:
    def assess(self, facts: SignInFacts) -> RiskAdvice:
        del facts
        return RiskAdvice("step_up", {"score": 90})


def test_a_passkey_answers_an_unusual_sign_in(tmp_path: Path) -> None:
    home = open_iam_home(tmp_path, login_risk=_Suspicious())
    device = Authenticator()
    register(home, "analyst", device)
    with pytest.raises(SignInUnusual) as caught:
        home.sign_in("analyst")
    assert sign_in(home, device, caught.value.reference).session.amr[0] == "pwd"
    assert sign_in(home, device).account_name == "analyst"
    home.close()


def test_owners_rename_and_remove_their_own(home: IamHome) -> None:
    actor, service = home.actor("analyst"), home.services.passkeys
    first, second = Authenticator(), Authenticator()
    identifiers = []
    for device, name in ((first, "电脑"), (second, "手机")):
        identifiers.append(passkey_id(register(home, "analyst", device, name).credential_id))
        home.clock.advance(1)
    service.rename_passkey(actor, identifiers[0], " 办公电脑 ")
    assert [each.name for each in service.list_passkeys(actor)] == ["办公电脑", "手机"]
    for name in ("", "x" * 61, "a\x00b"):
        with pytest.raises(Invalid):
            service.rename_passkey(actor, identifiers[0], name)
    for operation in (
        lambda: service.rename_passkey(home.actor("staff"), identifiers[0], "x"),
        lambda: service.remove_passkey(home.actor("staff"), identifiers[0]),
    ):
        with pytest.raises(NotFound):
            operation()
    service.remove_passkey(actor, identifiers[0])
    with pytest.raises(PasskeyRefused):
        sign_in(home, first)
    assert sign_in(home, second).account_name == "analyst"


def test_changing_passkeys_takes_a_fresh_sign_in_of_a_person(home: IamHome) -> None:
    service = home.services.passkeys
    stale = replace(home.actor("analyst"), auth_time=home.clock.now() - 301 * 1_000_000)
    for operation in (
        lambda: service.ask_registration(stale),
        lambda: service.register_passkey(stale, "n", "", ""),
        lambda: service.rename_passkey(stale, "x", "n"),
        lambda: service.remove_passkey(stale, "x"),
    ):
        with pytest.raises(StepUpRequired):
            operation()
    with pytest.raises(Forbidden):
        service.list_passkeys(replace(stale, kind="client"))


def test_a_credential_belongs_to_one_account(home: IamHome) -> None:
    actor, service = home.actor("staff"), home.services.passkeys
    device = Authenticator()
    passkey = register(home, "analyst", device)
    device.credentials.clear()
    question = service.ask_registration(actor)
    answer = json.loads(device.create(question.options))
    # the same id, as a copied or chosen one would have it
    _rename_credential(answer, device.credentials[0].id, passkey.credential_id)
    with pytest.raises(PasskeyKnown):
        service.register_passkey(actor, "n", question.reference, json.dumps(answer))
    theirs = service.ask_registration(home.actor("analyst"))
    with pytest.raises(PasskeyRefused):
        service.register_passkey(actor, "n", theirs.reference, device.create(theirs.options))


def _rename_credential(answer: dict[str, Any], old: bytes, new: bytes) -> None:
    whole = _unb64(answer["response"]["attestationObject"]).replace(old, new)
    answer["response"]["attestationObject"] = b64(whole)
    answer["id"] = answer["rawId"] = b64(new)


def test_a_registrations_challenge_counts_once(home: IamHome) -> None:
    actor, service = home.actor("analyst"), home.services.passkeys
    question = service.ask_registration(actor)
    service.register_passkey(
        actor, "a", question.reference, Authenticator().create(question.options)
    )
    with pytest.raises(PasskeyRefused):
        service.register_passkey(
            actor, "b", question.reference, Authenticator().create(question.options)
        )
    assert len(service.list_passkeys(actor)) == 1


def test_an_account_has_at_most_twenty(home: IamHome) -> None:
    for _ in range(20):
        register(home, "analyst", Authenticator())
    question = home.services.passkeys.ask_registration
    with pytest.raises(PasskeyRefused, match="at most 20"):
        question(home.actor("analyst"))


def test_known_passkeys_are_excluded_from_registering_again(home: IamHome) -> None:
    passkey = register(home, "analyst", Authenticator())
    question = home.services.passkeys.ask_registration(home.actor("analyst"))
    assert question.options["excludeCredentials"] == [
        {
            "type": "public-key",
            "id": b64(passkey.credential_id),
            "transports": ["internal", "usb"],
        }
    ]
    bare = replace(passkey, transports=())
    assert assertion_question(CEREMONY, [bare])["allowCredentials"] == [
        {"type": "public-key", "id": b64(passkey.credential_id)}
    ]


@pytest.mark.parametrize(
    ("issuer", "usable"),
    [
        ("http://localhost:8080", True),
        ("https://sso.example", True),
        ("http://sso.example", False),
        ("https://192.0.2.1", False),
        ("https://[2001:db8::1]", False),
    ],
)
def test_passkeys_need_a_name_and_tls(home: IamHome, issuer: str, *, usable: bool) -> None:
    service = home.services.passkeys
    options = replace(service.means.options, issuer=issuer)
    moved = replace(service, means=replace(service.means, options=options))
    assert moved.usable is usable
    assert (moved.ask() is not None) is usable


def test_the_last_second_factor_stays(home: IamHome) -> None:
    from iam.service.sign_on.owning import require_another  # noqa: PLC0415 - one use

    passkey = register(home, "analyst", Authenticator())
    means, run = home.services.passkeys.means, home.services.passkeys.means.parts.transactions.run
    account = home.actor("analyst").id
    run(lambda tx: require_another(means, tx, account, ("totp", b"")))
    run(lambda tx: means.stores.passkeys.suspend(tx, passkey.credential_id))
    with pytest.raises(LastFactor):
        run(lambda tx: require_another(means, tx, account, ("totp", b"")))
    run(lambda tx: require_another(means, tx, account, ("passkey", passkey.credential_id)))


def test_an_overlong_credential_id_is_refused() -> None:
    device = Authenticator()
    question = registration_question(CEREMONY, (b"h", "a"), (), attestation=False)
    answer = json.loads(device.create(question))
    short, long = device.credentials[0].id, b"i" * 1_024
    whole = _unb64(answer["response"]["attestationObject"])
    data = cbor2.loads(whole)
    lengths = (len(short).to_bytes(2, "big"), len(long).to_bytes(2, "big"))
    data["authData"] = data["authData"].replace(lengths[0] + short, lengths[1] + long)
    answer["response"]["attestationObject"] = b64(cbor2.dumps(data))
    answer["id"] = answer["rawId"] = b64(long)
    with pytest.raises(PasskeyRefused, match="too long"):
        verify_registration(answer, CEREMONY, NONE)


def stepping_up(home: IamHome, device: Authenticator) -> tuple[Actor, str, PasskeyQuestion]:
    """A console session, its cookie, and the question of the step-up page."""
    console, authorize = home.services.console, home.services.authorize
    start = console.start("/")
    opened = home.sign_in("analyst")
    answer = authorize.authorize(query_of(start.location), opened.cookie)
    session = console.complete(start.cookie, query_of(answer.location))
    actor = home.services.verification.verify_session(session.cookie)
    question = home.services.step_up.look(actor).question
    assert question is not None
    return actor, session.cookie, question


def test_a_passkey_steps_up_in_place_once_and_for_its_owner(home: IamHome) -> None:
    mine, theirs = Authenticator(), Authenticator()
    register(home, "analyst", mine)
    register(home, "staff", theirs)
    actor, cookie, question = stepping_up(home, mine)
    service = home.services.step_up
    foreign = theirs.get({**question.options, "allowCredentials": []})
    with pytest.raises(PasskeyRefused):
        service.step_up(actor, StepUpAttempt(cookie, ADDRESS, "", question.reference, foreign))
    answer = mine.get(question.options)
    attempt = StepUpAttempt(cookie, ADDRESS, "", question.reference, answer)
    with pytest.raises(PasskeyRefused):
        service.step_up(home.actor("staff"), attempt)
    home.clock.advance(240)
    done = service.step_up(actor, attempt)
    renewed = home.services.verification.verify_session(done.rp_cookie)
    assert (renewed.auth_time, renewed.level) == (home.clock.now(), 2)
    assert renewed.session_id == actor.session_id
    for old in (cookie, ""):
        with pytest.raises(TokenRefused):
            home.services.verification.verify_session(old)
    again = StepUpAttempt(done.rp_cookie, ADDRESS, "", question.reference, answer)
    with pytest.raises(SignInRefused):
        service.step_up(renewed, again)


def test_a_session_that_ended_is_not_stepped_up(home: IamHome) -> None:
    device = Authenticator()
    register(home, "analyst", device)
    actor, cookie, question = stepping_up(home, device)
    home.services.sessions.revoke_sessions(home.actor("security-admin"), "analyst", "test")
    answer = device.get(question.options)
    with pytest.raises(SignInRefused):
        home.services.step_up.step_up(
            actor, StepUpAttempt(cookie, ADDRESS, "", question.reference, answer)
        )
    assert home.services.step_up.look(home.actor("staff")).question is None
