"""Use cases of e-certificates (电子证照): 模板 签发 批量签发 暂停 吊销 换发 核验."""

from kms.service.ecertificates.batches import ECertificateBatches
from kms.service.ecertificates.building import (
    ECertificates,
    ECertificateStores,
    build_ecertificates,
)
from kms.service.ecertificates.issuing import ECertificateIssuing
from kms.service.ecertificates.public import ECertificateVerification
from kms.service.ecertificates.registry import ECertificateRegistry
from kms.service.ecertificates.running import BatchRunner
from kms.service.ecertificates.templates import ECertificateTemplates

__all__ = [
    "BatchRunner",
    "ECertificateBatches",
    "ECertificateIssuing",
    "ECertificateRegistry",
    "ECertificateStores",
    "ECertificateTemplates",
    "ECertificateVerification",
    "ECertificates",
    "build_ecertificates",
]
