"""Which certificates are revoked: those the table says, and those only the emergency way ended."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from kms.models.seal_registry import IssuedCertificate
from kms.ports.certificates import CertificateStore
from secops.kernel.parts import Parts
from secops.kernel.revocations import Revocations
from secops.kernel.transactions import Transaction


def revoked_certificates(
    transaction: Transaction, store: CertificateStore, revocations: Revocations
) -> Sequence[IssuedCertificate]:
    """Return all that are revoked, each with its instant.

    What was revoked while nothing could be written counts from then on, and not from when
    the table heard of it. Raises ``Unavailable`` where the news of that are too old.
    """
    marked = {each.id: each for each in store.revoked(transaction)}
    return [*marked.values(), *_unmarked(transaction, store, revocations, marked)]


def mark_revoked(parts: Parts, store: CertificateStore) -> None:
    """Tell the table what only the emergency way ended, for the lists of certificates."""

    def read(transaction: Transaction) -> list[IssuedCertificate]:
        marked = {each.id for each in store.revoked(transaction)}
        return list(_unmarked(transaction, store, parts.revocations, marked))

    late = parts.transactions.read(read)
    if late:
        parts.transactions.run(
            lambda transaction: [
                store.revoke(transaction, each.id, at=each.revoked_at) for each in late
            ]
        )


def _unmarked(
    transaction: Transaction,
    store: CertificateStore,
    revocations: Revocations,
    marked: Container[str],
) -> Iterator[IssuedCertificate]:
    for identifier, since in revocations.ended_of("certificate").items():
        # None: a trust anchor, or what a restored backup does not know
        found = None if identifier in marked else store.get(transaction, identifier)
        if found is not None:
            yield replace(found, revoked_at=since)
