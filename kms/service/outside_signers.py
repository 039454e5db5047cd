"""Certificates of outside CAs by which a seal is made and used: which keys, and which are good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kms.errors.certificates import CertificateMismatch, because
from kms.models.certificates import CertificateFilter
from kms.models.seal_registry import IssuedCertificate, SealApplication
from kms.ports.certificates import CertificateStore
from kms.service.authority import Authority
from secops.kernel.catalogue import Text
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.transactions import Transaction

_ALL: Final = PageRequest(MAX_LIMIT)


@dataclass(frozen=True, slots=True)
class OutsideSigners:
    """The maker and the holders of a seal that outside CAs certified, in the holders' order."""

    maker: IssuedCertificate
    holders: tuple[IssuedCertificate, ...]


def holder_key(application_id: str, place: int) -> str:
    """Return the name of the key of an application's holder."""
    return f"seal-{application_id}-{place}"


def maker_key(org_id: str, number: int) -> str:
    """Return the name of an organisation's key for its outside certificate ``number``."""
    return f"outside-maker-{org_id}-{number}"


def outside_makers(
    transaction: Transaction, store: CertificateStore, org_id: str
) -> Sequence[IssuedCertificate]:
    """Return the organisation's imported makers' certificates, newest first."""
    wanted = CertificateFilter(kind="outside_maker")
    return store.certificates(transaction, org_id, wanted, _ALL)[:MAX_LIMIT]


def find_outside_signers(
    transaction: Transaction, authority: Authority, application: SealApplication
) -> OutsideSigners | None:
    """Return those of ``application``'s seal; None where no holder has one.

    Raises ``CertificateMismatch`` where they are there in part: a seal is of one world.
    """
    found = [
        authority.store.find(transaction, "outside_signer", holder_key(application.id, place))
        for place in range(len(application.holders))
    ]
    holders = tuple(each for each in found if each is not None)
    if not holders:
        return None
    makers = outside_makers(transaction, authority.store, application.org_id)
    good = [each for each in makers if _is_good(transaction, authority, each)]
    complete = len(holders) == len(found)
    if not good or not complete or not all(_is_good(transaction, authority, h) for h in holders):
        why = Text(
            "制章者和用印人未全部持有当前有效的外部 CA 证书",
            "maker and holders do not all have a certificate of an outside CA that is good now",
        )
        raise because(CertificateMismatch, why)
    return OutsideSigners(good[0], holders)


def _is_good(
    transaction: Transaction, authority: Authority, certificate: IssuedCertificate
) -> bool:
    in_time = certificate.not_before <= transaction.now <= certificate.not_after
    return in_time and not authority.is_revoked(certificate)
