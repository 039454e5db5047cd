"""Use cases of the plane, and the one object that holds them."""

from __future__ import annotations

from dataclasses import dataclass

from kms.service.authority import Authority
from kms.service.backends import BackendControl
from kms.service.certificates import CertificateServices
from kms.service.containment import KmsContainment
from kms.service.custody import Pool
from kms.service.digests import Digests
from kms.service.ecertificates import ECertificates
from kms.service.key_backup import KeyBackups
from kms.service.key_census import KeyCensus
from kms.service.key_control import KeyControl
from kms.service.key_destruction import KeyDestruction
from kms.service.key_export import KeyExport
from kms.service.key_import import KeyImport
from kms.service.key_rotation import KeyRotation
from kms.service.keys import Keys
from kms.service.limit_control import LimitControl
from kms.service.mounts import Mounts
from kms.service.openpgp import Exports, OpenPgpKeys, Partners
from kms.service.published_lists import PublishedLists
from kms.service.rekeying import Rekeying
from kms.service.seals import (
    RemoteSeals,
    RemoteSealStates,
    SealApplications,
    SealDestruction,
    SealMaking,
    SealPolicies,
    SealPreviews,
    SealReceipts,
    SealRegistry,
    SealStamping,
    SealUseRequests,
    SealUsing,
    SealVerdicts,
    SealVerification,
)
from kms.service.self_tests import SelfTests
from kms.service.system_keys import SystemKeys
from kms.service.tenants import Tenants
from kms.service.time_stamps import TimeStampAuthority
from kms.service.transit import Transit
from kms.service.unlock_token import UnlockTokenBinding
from kms.service.unlocking import Unlocking

__all__ = ["KmsServices"]


@dataclass(frozen=True, slots=True)
class KmsServices:
    """Keys first, seals below."""

    pool: Pool
    unlocking: Unlocking
    rekeying: Rekeying
    backend_control: BackendControl
    unlock_token: UnlockTokenBinding
    keys: Keys
    key_census: KeyCensus
    mounts: Mounts
    key_control: KeyControl
    key_destruction: KeyDestruction
    key_rotation: KeyRotation
    key_export: KeyExport
    key_import: KeyImport
    key_backups: KeyBackups
    transit: Transit
    tenants: Tenants
    limit_control: LimitControl
    self_tests: SelfTests
    containment: KmsContainment
    digests: Digests
    system_keys: SystemKeys

    authority: Authority
    certificates: CertificateServices
    published_lists: PublishedLists
    time_stamps: TimeStampAuthority
    seal_applications: SealApplications
    seal_making: SealMaking
    seal_registry: SealRegistry
    seal_destruction: SealDestruction
    seal_policies: SealPolicies
    seal_using: SealUsing
    seal_stamping: SealStamping
    seal_receipts: SealReceipts
    remote_seals: RemoteSeals
    remote_seal_states: RemoteSealStates
    seal_use_requests: SealUseRequests
    seal_verification: SealVerification
    seal_verdicts: SealVerdicts
    seal_previews: SealPreviews

    openpgp_keys: OpenPgpKeys
    partners: Partners
    exports: Exports
    ecertificates: ECertificates
