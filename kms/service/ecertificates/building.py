"""Puts the use cases of e-certificates together, for the plane."""

from __future__ import annotations

from dataclasses import dataclass

from kms.ports.ecertificates import BatchStore, ECertificateStore, PageRenderer, TemplateStore
from kms.ports.seal_requests import DocumentBox
from kms.service.ecertificates.batches import ECertificateBatches
from kms.service.ecertificates.issuing import ECertificateIssuing
from kms.service.ecertificates.parts import ECertificateParts
from kms.service.ecertificates.public import ECertificateVerification
from kms.service.ecertificates.registry import ECertificateRegistry
from kms.service.ecertificates.running import BatchRunner
from kms.service.ecertificates.templates import ECertificateTemplates
from kms.service.seals import SealParts, SealStamping, SealUses, SealVerification


@dataclass(frozen=True, slots=True)
class ECertificates:
    """All use cases of the family."""

    templates: ECertificateTemplates
    issuing: ECertificateIssuing
    registry: ECertificateRegistry
    batches: ECertificateBatches
    runner: BatchRunner
    verification: ECertificateVerification


@dataclass(frozen=True, slots=True)
class ECertificateStores:
    """Where they are kept, and what sets pages as PDF."""

    templates: TemplateStore
    issued: ECertificateStore
    batches: BatchStore
    box: DocumentBox
    pages: PageRenderer


def build_ecertificates(
    seals: SealParts,
    uses: SealUses,
    verification: SealVerification,
    *,
    stores: ECertificateStores,
    public_url: str,
) -> ECertificates:
    """Return the use cases over the seals' own: same uses, same policies, same verdicts."""
    here = ECertificateParts(
        parts=seals.parts,
        templates=stores.templates,
        issued=stores.issued,
        batches=stores.batches,
        box=stores.box,
        pages=stores.pages,
        seals=seals.store,
        uses=uses,
        stamping=SealStamping(seals, uses),
        verification=verification,
        subjects=seals.subjects,
        public_url=public_url,
    )
    issuing, registry = ECertificateIssuing(here), ECertificateRegistry(here)
    return ECertificates(
        templates=ECertificateTemplates(here),
        issuing=issuing,
        registry=registry,
        batches=ECertificateBatches(here, issuing, registry),
        runner=BatchRunner(here, issuing),
        verification=ECertificateVerification(here),
    )
