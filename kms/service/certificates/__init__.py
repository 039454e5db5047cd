"""Use cases of certificates: 申请 审批 签发 吊销 OCSP 信任锚 导入, a file each."""

from __future__ import annotations

from dataclasses import dataclass

from kms.ports.seals import SealStore
from kms.service.certificates.anchors import TrustAnchors
from kms.service.certificates.issuing import CertificateIssuing
from kms.service.certificates.outside import OutsideCertificates
from kms.service.certificates.parts import CertificateParts
from kms.service.certificates.pem import read_one
from kms.service.certificates.registry import CertificateRegistry
from kms.service.certificates.requests import CertificateRequests
from kms.service.certificates.responder import OcspResponder
from secops.crypto.pem import to_pem

__all__ = [
    "CertificateParts",
    "CertificateServices",
    "build_certificates",
    "read_one",
    "to_pem",
]


@dataclass(frozen=True, slots=True)
class CertificateServices:
    """What can be done with certificates, by family."""

    requests: CertificateRequests
    issuing: CertificateIssuing
    registry: CertificateRegistry
    responder: OcspResponder
    anchors: TrustAnchors
    outside: OutsideCertificates


def build_certificates(certificates: CertificateParts, seals: SealStore) -> CertificateServices:
    """Return the services over ``certificates``."""
    return CertificateServices(
        requests=CertificateRequests(certificates),
        issuing=CertificateIssuing(certificates),
        registry=CertificateRegistry(certificates),
        responder=OcspResponder(certificates.authority),
        anchors=TrustAnchors(certificates),
        outside=OutsideCertificates(certificates, seals),
    )
