"""What an operator chose about signing in, from the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, cast

from iam.adapters.trust_files import TrustFolder
from iam.models.factors import AttestationPolicy, RevocationPolicy
from iam.models.options import IamOptions, Lifetimes, PasswordProfile
from secops.bridges import messages
from secops.kernel.clock import HOUR
from secops.settings import Settings, SettingsRejected, listed

_MAX_ROOTS: Final = 4 * 1024 * 1024
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL
)
_MODEL: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FOLD_SECONDS: Final = 1.0


def options(settings: Settings) -> IamOptions:
    """Return the plane's options; raise ``SettingsRejected`` naming the bad setting."""
    return IamOptions(
        issuer=settings.origin,
        demo=settings.demo,
        crypto_profile=settings.crypto_profile,
        password_profile=cast("PasswordProfile", settings.password_profile),
        password_words=frozenset(listed(settings.password_words)),
        breached_passwords=_in_home(settings, settings.breached_passwords),
        real_name_schemes=_in_home(settings, settings.real_name_schemes),
        attestation=_attestation(settings),
        revocation=_revocation(settings),
        terminator_key=bytes.fromhex(settings.terminator_key),
        fold_seconds=_FOLD_SECONDS,
        message_prefixes=messages.prefixes(settings),
        lifetimes=Lifetimes(reset_delay=settings.reset_delay_hours * HOUR),
        client_rate=settings.client_rate,
        address_rate=settings.address_rate,
    )


def trust(settings: Settings) -> TrustFolder:
    """Return whose certificates sign people in."""
    return TrustFolder(settings.home / settings.certificate_trust)


def _revocation(settings: Settings) -> RevocationPolicy:
    chosen, either = settings.certificate_ocsp, settings.certificate_ocsp_or_list
    if chosen == "aia":
        return RevocationPolicy(named=True, lists_instead=either)
    if chosen and not chosen.startswith(("http://", "https://")):
        raise SettingsRejected("certificate_ocsp is an http(s) address, or aia")
    return RevocationPolicy(responder=chosen, lists_instead=either)


def _attestation(settings: Settings) -> AttestationPolicy:
    models = frozenset(part.lower() for part in listed(settings.passkey_models))
    if any(_MODEL.fullmatch(model) is None for model in models):
        raise SettingsRejected("passkey_models are AAGUIDs, separated by commas")
    roots = _roots(settings)
    if settings.passkey_attested and not roots:
        raise SettingsRejected("passkey_attested needs passkey_roots")
    return AttestationPolicy(settings.passkey_attested, roots, models)


def _roots(settings: Settings) -> tuple[str, ...]:
    file = _in_home(settings, settings.passkey_roots)
    if file is None:
        return ()
    try:
        with file.open() as handle:
            found = tuple(_CERTIFICATE.findall(handle.read(_MAX_ROOTS)))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRejected(f"passkey_roots: {file} can't be read") from error
    if not found:
        raise SettingsRejected(f"passkey_roots: {file} holds no certificate in PEM")
    return found


def _in_home(settings: Settings, name: str) -> Path | None:
    return settings.home / name if name else None
