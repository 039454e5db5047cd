"""One's own factors: all of them in a list, the authenticator app replaced, codes renewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from iam.core.base64url import decode, encode
from iam.core.one_time_passwords import algorithm_of, matching_code_step
from iam.core.rfc6238.totp import SECRET_BYTES, base32, otpauth_uri
from iam.errors import BreakGlassKept, SignInRefused, TokenRefused
from iam.models.credentials import TotpCredential
from iam.models.factors import CertificateBinding, Factor, Passkey
from iam.models.options import ISSUER_NAME
from iam.service.means import Means
from iam.service.sign_on.ceremonies import passkey_id
from iam.service.sign_on.owning import owner_of, require_another, require_fresh
from iam.service.sign_on.recovery_codes import make_recovery_codes, recovery_digest
from iam.service.sign_on.references import read_reference, write_reference
from iam.service.sign_on.sending import mask_of
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound, StepUpRequired
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_PURPOSE: Final = "new-totp"


@dataclass(frozen=True, slots=True)
class NewTotp:
    """A secret for an authenticator app, not yet in force; ``reference`` brings it back."""

    otpauth_uri: str = field(repr=False)
    otp_secret: str = field(repr=False)
    reference: str = field(repr=False)


def held_factors(means: Means, tx: Transaction, account_id: str) -> list[Factor]:
    """Return an account's factors without any secret; where codes go is masked."""
    stores = means.stores
    held = [
        Factor("password", "", "", password.set_at)
        for password in stores.credentials.passwords(tx, account_id)[:1]
    ]
    totp = stores.credentials.totp(tx, account_id)
    if totp is not None:
        held.append(Factor("totp", "", "", 0))
    held.extend(map(_passkey, stores.passkeys.of_account(tx, account_id)))
    held.extend(map(_certificate, stores.certificates.of_account(tx, account_id)))
    held.extend(
        Factor(
            "one_time",
            each.channel,
            mask_of(means, each),
            each.created_at,
            each.last_used_at,
        )
        for each in stores.message_addresses.of_account(tx, account_id)
    )
    left = stores.factors_held.recovery_codes_left(tx, account_id)
    held.append(Factor("recovery", "", str(left), 0, usable=left > 0))
    return held


@dataclass(frozen=True, slots=True)
class FactorService:
    """What owners do with their factors."""

    means: Means

    def list_factors(self, actor: Actor) -> Sequence[Factor]:
        """Return the caller's factors: password, app, passkeys, certificates, codes."""
        account_id = owner_of(actor)
        return self.means.parts.transactions.read(
            lambda tx: held_factors(self.means, tx, account_id)
        )

    def is_fresh(self, actor: Actor) -> bool:
        """Tell whether the caller may change factors now, without a step-up."""
        try:
            require_fresh(self.means, actor)
        except (StepUpRequired, BreakGlassKept):
            return False
        return True

    def ask_totp(self, actor: Actor) -> NewTotp:
        """Return a new secret for the caller's app; it counts once a code proved it."""
        require_fresh(self.means, actor)
        secret = self.means.random(SECRET_BYTES)
        # the page shows the secret anyway; the reference only keeps it ours and short-lived
        content = {"account": actor.id, "secret": encode(secret)}
        lifetime = self.means.options.lifetimes.transaction
        reference = write_reference(self.means, _PURPOSE, content, lifetime)
        algorithm = algorithm_of(self.means.options.crypto_profile)
        uri = otpauth_uri(secret, actor.name, ISSUER_NAME, algorithm)
        return NewTotp(uri, base32(secret), reference)

    def replace_totp(self, actor: Actor, reference: str, code: str) -> None:
        """Put the new secret into force; raise ``SignInRefused`` if ``code`` is not its own."""
        means = self.means
        require_fresh(means, actor)
        try:
            content = read_reference(means, _PURPOSE, reference)
        except TokenRefused as error:
            raise SignInRefused from error
        secret = decode(content["secret"])
        algorithm = algorithm_of(means.options.crypto_profile)
        step = matching_code_step(algorithm, secret, code, means.now, -1)
        if content["account"] != actor.id or step is None:
            raise SignInRefused
        sealed = means.box.seal(secret, f"totp|{actor.id}".encode())

        def work(tx: Transaction) -> None:
            means.stores.credentials.set_totp(tx, TotpCredential(actor.id, sealed, step, algorithm))
            tx.record(Act("iam.replace_totp", actor, f"account:{actor.id}"))

        means.parts.transactions.run(work)

    def remove_totp(self, actor: Actor) -> None:
        """Remove the caller's app; raise ``LastFactor`` where nothing else is left."""
        means = self.means
        require_fresh(means, actor)

        def work(tx: Transaction) -> None:
            require_another(means, tx, actor.id, ("totp", b""))
            if not means.stores.factors_held.remove_totp(tx, actor.id):
                msg = "you have no authenticator app"
                raise NotFound(msg)
            tx.record(Act("iam.remove_totp", actor, f"account:{actor.id}"))

        means.parts.transactions.run(work)

    def renew_recovery_codes(self, actor: Actor) -> tuple[str, ...]:
        """Return new recovery codes, shown once; the old ones no longer count."""
        means = self.means
        require_fresh(means, actor)
        codes = make_recovery_codes(means)
        digests = [recovery_digest(means, actor.id, code) for code in codes]

        def work(tx: Transaction) -> None:
            means.stores.credentials.set_recovery_codes(tx, actor.id, digests)
            tx.record(Act("iam.renew_recovery_codes", actor, f"account:{actor.id}"))

        means.parts.transactions.run(work)
        return codes


def _passkey(passkey: Passkey) -> Factor:
    return Factor(
        "passkey",
        passkey_id(passkey.credential_id),
        passkey.name,
        passkey.created_at,
        passkey.last_used_at,
        note="hardware" if passkey.hardware else "synced" if passkey.synced else "",
        usable=passkey.suspended_at is None,
    )


def _certificate(binding: CertificateBinding) -> Factor:
    return Factor(
        "certificate",
        binding.id,
        binding.name,
        binding.created_at,
        binding.last_used_at,
        note="hardware" if binding.token_held else "",
    )
