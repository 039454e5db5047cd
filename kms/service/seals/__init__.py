"""Use cases of seals: 申请 审批 制章 用章 停用 验章, a file each."""

from kms.service.seals.applications import SealApplications
from kms.service.seals.destruction import SealDestruction
from kms.service.seals.making import SealMaking
from kms.service.seals.parts import SealParts
from kms.service.seals.policies import SealPolicies
from kms.service.seals.previews import SealPreviews
from kms.service.seals.receipts import SealReceipts
from kms.service.seals.registry import SealRegistry
from kms.service.seals.remote import RemoteSeals
from kms.service.seals.remote_states import RemoteSealStates
from kms.service.seals.stamping import SealStamping
from kms.service.seals.use_requests import SealUseRequests
from kms.service.seals.uses import SealUses
from kms.service.seals.using import SealUsing
from kms.service.seals.verdicts import SealVerdicts
from kms.service.seals.verifying import SealFiles, SealVerification

__all__ = [
    "RemoteSealStates",
    "RemoteSeals",
    "SealApplications",
    "SealDestruction",
    "SealFiles",
    "SealMaking",
    "SealParts",
    "SealPolicies",
    "SealPreviews",
    "SealReceipts",
    "SealRegistry",
    "SealStamping",
    "SealUseRequests",
    "SealUses",
    "SealUsing",
    "SealVerdicts",
    "SealVerification",
]
