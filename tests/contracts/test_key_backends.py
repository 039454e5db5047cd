"""What every key backend promises, over software, a PKCS#11 token and SDF machines."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from kms.adapters.backends.software import SoftwareBackend
from kms.errors.backends import BackendFault, BackendRefused, BackendUnsupported
from kms.errors.keys import NotExportable
from kms.models.backends import LABEL, HeldObject, NewObject
from kms.ports.backends import KeyBackend
from secops.crypto import signatures
from secops.crypto.errors import DecryptionFailed, InvalidSignature
from secops.crypto.hashes import sha256, sm3
from secops.crypto.options import SignatureOptions
from secops.kernel.errors import Invalid
from tests.fakes.custody import FakeCustody
from tests.fakes.randomness import FakeRandomness
from tests.services.sdf_machines import PASSWORD, MakeMachine, make_machine, sdf_libraries
from tests.services.softhsm import PIN, Tokens, tokens

__all__ = ["make_machine", "sdf_libraries", "tokens"]

SECRETS = (PIN, PASSWORD)
MESSAGE = b"a notice of the county"


@dataclass
class Site:
    """A backend, how it is broken and repaired, and the same one with a wrong secret."""

    backend: KeyBackend
    break_down: Callable[[], None]
    repair: Callable[[], None]
    refused: KeyBackend | None = None
    slots: Iterator[int] | None = None
    numbers: Iterator[int] = field(default_factory=count)

    def make(self, algorithm: str) -> HeldObject:
        label = f"{LABEL}contract-{next(self.numbers)}"
        slot = None if self.slots is None else next(self.slots)
        wish = NewObject(algorithm, label, b"context", slot)
        made = self.backend.generate(wish)
        return HeldObject(algorithm, made.reference, made.public_key, wish.context)


def _software() -> Site:
    custody = FakeCustody()
    custody.create_root(b"passphrase")
    backend = SoftwareBackend(lambda: custody, FakeRandomness())
    return Site(backend, lambda: None, lambda: None)


def _token(tokens: Tokens) -> Site:
    label = tokens.make()
    wrong = tokens.backend(tokens.make(), secret="canary-pin-wrong")
    return Site(
        tokens.backend(label), lambda: tokens.pull(label), lambda: tokens.push(label), wrong
    )


def _machine(make: MakeMachine, width: int) -> Site:
    machine = make(width=width)
    wrong = machine.backend(secret="canary-access-wrong")
    return Site(
        machine.backend(), lambda: machine.break_down("gone"), machine.repair, wrong, iter((2, 3))
    )


@pytest.fixture(params=["software", "pkcs11", "sdf", "sdf of 32 bytes"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    made: Site
    if request.param == "software":
        made = _software()
    elif request.param == "pkcs11":
        made = _token(request.getfixturevalue("tokens"))
    else:
        make = request.getfixturevalue("make_machine")
        made = _machine(make, 32 if "32" in request.param else 64)
    yield made
    made.backend.close()
    if made.refused is not None:
        made.refused.close()


def _signing(site: Site, *, slow: bool = False) -> list[str]:
    found = sorted(site.backend.algorithms & {*signatures.ALGORITHMS})
    return [name for name in found if slow or not name.startswith("rsa")][: 3 if slow else 2]


def test_what_it_signs_our_engine_verifies(site: Site) -> None:
    for algorithm in _signing(site):
        held = site.make(algorithm)
        key = site.backend.private_key(held)
        options = SignatureOptions()
        signature = key.sign(MESSAGE, options)
        public = signatures.public_key(algorithm, held.public_key)
        public.verify(signature, MESSAGE, options)
        assert key.public_key.der == held.public_key
        with pytest.raises(InvalidSignature):
            public.verify(signature, MESSAGE + b".", options)


def test_a_digest_is_signed_as_it_is_given_and_one_of_another_length_is_refused(
    site: Site,
) -> None:
    algorithm = _signing(site)[0]
    held = site.make(algorithm)
    key, options = site.backend.private_key(held), SignatureOptions(prehashed=True)
    digest = sm3(MESSAGE) if algorithm == "sm2" else sha256(MESSAGE)
    key.public_key.verify(key.sign(digest, options), digest, options)
    with pytest.raises(Invalid):
        key.sign(digest[:-1], options)


def test_an_sm2_user_id_is_part_of_what_is_signed(site: Site) -> None:
    if "sm2" not in site.backend.algorithms:
        assert site.backend.options.kind == "pkcs11"  # SoftHSM2 has no SM2
        return
    key = site.backend.private_key(site.make("sm2"))
    options = SignatureOptions(user_id=b"county seal")
    signature = key.sign(MESSAGE, options)
    key.public_key.verify(signature, MESSAGE, options)
    with pytest.raises(InvalidSignature):
        key.public_key.verify(signature, MESSAGE, SignatureOptions())


def test_no_two_keys_are_the_same(site: Site) -> None:
    algorithm = _signing(site)[0]
    assert site.make(algorithm).public_key != site.make(algorithm).public_key


def test_what_it_seals_it_opens_and_nothing_that_was_changed(site: Site) -> None:
    algorithm = "aes256-gcm"
    if algorithm not in site.backend.algorithms:
        with pytest.raises(BackendUnsupported):
            site.make(algorithm)
        return
    cipher = site.backend.cipher(site.make(algorithm))
    sealed = cipher.seal(MESSAGE, b"aad")
    assert cipher.unseal(sealed, b"aad") == MESSAGE
    assert cipher.seal(MESSAGE, b"aad") != sealed
    changed = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    for attempt in ((changed, b"aad"), (sealed, b"other"), (sealed[:20], b"aad"), (b"", b"aad")):
        with pytest.raises(DecryptionFailed):
            cipher.unseal(*attempt)


def test_material_in_a_device_is_not_to_be_had(site: Site) -> None:
    key = site.backend.private_key(site.make(_signing(site)[0]))
    if site.backend.options.kind == "software":
        assert key.der.startswith(b"0")
        return
    with pytest.raises(NotExportable):
        _ = key.der


def test_an_algorithm_it_does_not_offer_is_refused(site: Site) -> None:
    with pytest.raises(Invalid):
        site.make("rot13")


def test_a_signing_key_does_not_encrypt(site: Site) -> None:
    if site.backend.options.kind == "software":
        return
    held = site.make(_signing(site)[0])
    with pytest.raises(BackendUnsupported):
        site.backend.cipher(held)


def test_a_broken_device_is_a_fault_and_works_again_once_it_passed_its_check(site: Site) -> None:
    held = site.make(_signing(site)[0])
    key, options = site.backend.private_key(held), SignatureOptions()
    site.backend.check()
    if site.backend.options.kind == "software":
        return
    site.break_down()
    try:
        with pytest.raises(BackendFault):
            key.sign(MESSAGE, options)
        with pytest.raises(BackendFault):
            site.backend.check()
    finally:
        site.repair()
    site.backend.check()
    key.public_key.verify(key.sign(MESSAGE, options), MESSAGE, options)


def test_a_wrong_pin_is_tried_once_and_shown_nowhere(site: Site) -> None:
    if site.refused is None:
        return
    seen = []
    for _ in range(3):
        with pytest.raises(BackendRefused) as caught:
            site.refused.check()
        seen.append(f"{caught.value!r} {caught.value.detail} {caught.value.__cause__!r}")
    assert "not tried again" in seen[-1]
    shown = [*seen, repr(site.refused), repr(site.refused.options), repr(vars(site.refused))]
    assert [text for text in shown if "canary" in text] == []


def test_many_threads_may_use_it_at_once(site: Site) -> None:
    held = site.make(_signing(site)[0])
    key, options = site.backend.private_key(held), SignatureOptions()

    def sign(number: int) -> None:
        message = b"%d" % number
        key.public_key.verify(key.sign(message, options), message, options)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sign, range(24))) == [None] * 24


def test_a_forked_process_opens_the_device_for_itself(site: Site) -> None:
    held = site.make(_signing(site)[0])
    key, options = site.backend.private_key(held), SignatureOptions()
    key.sign(MESSAGE, options)
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        code = 1
        try:
            key.public_key.verify(key.sign(MESSAGE, options), MESSAGE, options)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    key.public_key.verify(key.sign(MESSAGE, options), MESSAGE, options)


def test_what_was_erased_signs_no_more(site: Site) -> None:
    if site.backend.options.kind != "pkcs11":
        assert site.backend.erase(LABEL + "anything") is False
        return
    held = site.make(_signing(site)[0])
    label = held.reference.decode()
    assert [site.backend.erase(label), site.backend.erase(label)] == [True, False]
    with pytest.raises(BackendFault):
        site.backend.private_key(held).sign(MESSAGE, SignatureOptions())
    with pytest.raises(BackendUnsupported):
        site.backend.erase("somebody else's")


def test_indices_are_a_machines_alone(site: Site) -> None:
    if site.backend.options.kind != "sdf":
        with pytest.raises(BackendUnsupported):
            site.backend.slot_key(2)
        return
    assert site.backend.slot_key(2) == site.make("sm2").public_key
    with pytest.raises(BackendFault):
        site.backend.slot_key(99)


@pytest.mark.parametrize("padding", ["pss", "pkcs1v15"])
@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
def test_a_token_signs_rsa_in_both_paddings(
    rsa_key: signatures.PrivateKey, padding: Any, hash_name: str
) -> None:
    options = SignatureOptions(hash_name=hash_name, padding=padding)
    signature = rsa_key.sign(MESSAGE, options)
    rsa_key.public_key.verify(signature, MESSAGE, options)
    unfit = SignatureOptions(hash_name="sm3", padding=padding)
    with pytest.raises(BackendUnsupported):
        rsa_key.sign(MESSAGE, unfit)


@pytest.fixture(scope="module")
def rsa_key(tokens: Tokens) -> signatures.PrivateKey:
    backend = tokens.backend()
    made = backend.generate(NewObject("rsa-3072", LABEL + "contract-rsa"))
    return backend.private_key(HeldObject("rsa-3072", made.reference, made.public_key))


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-3072", "aes128-gcm"])
def test_a_token_takes_material_that_two_of_them_shall_hold(tokens: Tokens, algorithm: str) -> None:
    material = signatures.generate(algorithm) if "gcm" not in algorithm else bytes(range(16))
    first, second = tokens.backend(), tokens.backend()
    wish = NewObject(algorithm, f"{LABEL}contract-{algorithm}")
    made = [backend.generate(wish, material) for backend in (first, second)]
    assert made[0] == made[1]
    held = HeldObject(algorithm, made[0].reference, made[0].public_key)
    if "gcm" in algorithm:
        assert second.cipher(held).unseal(first.cipher(held).seal(b"m", b""), b"") == b"m"
    else:
        options = SignatureOptions()
        public = signatures.public_key(algorithm, held.public_key)
        for backend in (first, second):
            public.verify(backend.private_key(held).sign(MESSAGE, options), MESSAGE, options)
    for backend in (first, second):
        backend.close()
