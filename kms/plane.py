"""Wires the plane: stores, custody and painters into services, services into routes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from kms.adapters.anchor_files import HomeAnchorFile
from kms.adapters.backends.opening import open_backends
from kms.adapters.backends.software import SoftwareBackend
from kms.adapters.custody.passphrases import configured_passphrase
from kms.adapters.custody.software import SoftwareCustody
from kms.adapters.custody.tokens import unlock_token
from kms.adapters.openpgp import GnuPg
from kms.adapters.pdf import (
    PdfProcesses,
    PyHankoFiles,
    TypstDrawings,
    TypstPreviews,
    TypstVerdicts,
)
from kms.adapters.pictures import PillowPainter
from kms.adapters.province import ProvinceSealer
from kms.api import routes
from kms.jobs import jobs
from kms.models import KmsOptions
from kms.ports import KmsPorts
from kms.ports.backends import KeyBackend
from kms.ports.keys import Custody, KeyStores
from kms.service import KmsServices
from kms.service.authority import Authority
from kms.service.backends import BackendControl, BackendObjects, KeyBackends
from kms.service.certificates import CertificateParts, build_certificates
from kms.service.containment import build_containment
from kms.service.custody import Pool
from kms.service.digests import Digests
from kms.service.ecertificates import ECertificateStores, build_ecertificates
from kms.service.key_backup import KeyBackups
from kms.service.key_census import KeyCensus
from kms.service.key_control import KeyControl
from kms.service.key_destruction import KeyDestruction
from kms.service.key_export import KeyExport
from kms.service.key_import import KeyImport
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing
from kms.service.key_rotation import KeyRotation
from kms.service.keys import Keys
from kms.service.limit_control import LimitControl
from kms.service.limits import KeyLimiter, LimitMeans
from kms.service.mounts import Mounts
from kms.service.openpgp import Exports, OpenPgpKeys, OpenPgpParts, Partners
from kms.service.outside_time_stamps import OutsideTimeStamps
from kms.service.outside_trust import OutsideTrust
from kms.service.published_lists import PublishedLists
from kms.service.rekeying import Rekeying
from kms.service.seals import (
    RemoteSeals,
    RemoteSealStates,
    SealApplications,
    SealDestruction,
    SealFiles,
    SealMaking,
    SealParts,
    SealPolicies,
    SealPreviews,
    SealReceipts,
    SealRegistry,
    SealStamping,
    SealUseRequests,
    SealUses,
    SealUsing,
    SealVerdicts,
    SealVerification,
)
from kms.service.seals.document_box import PoolDocumentBox
from kms.service.self_tests import SelfTests
from kms.service.system_keys import PoolSealingKeys, SystemKeys
from kms.service.tenants import Tenants
from kms.service.time_stamps import TimeStampAuthority
from kms.service.transit import Transit
from kms.service.unlock_token import UnlockTokenBinding
from kms.service.unlocking import Unlocking
from kms.store.backends import SqlBackendStore, SqlSlotStore
from kms.store.certificates import (
    SqlCertificateRequestStore,
    SqlCertificateStore,
    SqlTrustStore,
)
from kms.store.destructions import SqlDestructionStore
from kms.store.ecertificates import SqlBatchStore, SqlECertificateStore, SqlTemplateStore
from kms.store.fingerprints import key_fingerprints
from kms.store.holds import SqlHoldStore
from kms.store.keys import SqlKeyIndex, SqlKeyStore, SqlRootStore
from kms.store.limits import SqlLimitStore
from kms.store.mounts import SqlMountStore
from kms.store.openpgp import SqlOpenPgpStore
from kms.store.seal_lives import SqlSealLifeStore
from kms.store.seal_policies import SqlSealPolicyStore
from kms.store.seal_requests import SqlSealUseRequestStore
from kms.store.seals import SqlSealStore, SqlSealUseStore
from kms.store.self_tests import SqlSelfTestStore
from secops.kernel.clock import SystemClock
from secops.kernel.parts import Parts
from secops.web.routes import Plane


def install(parts: Parts, ports: KmsPorts, options: KmsOptions) -> Plane:
    """Return the plane; the pool unlocks itself when a key is first needed."""
    services = build_services(parts, ports, options)
    return Plane("kms", services, routes(services), jobs(services))


def build_services(
    parts: Parts,
    ports: KmsPorts,
    options: KmsOptions,
    *,
    custody: Custody | None = None,
    devices: Sequence[KeyBackend] | None = None,
) -> KmsServices:
    """Return the plane's services over its own stores and adapters, or other ones of these."""
    token = unlock_token(options, parts.randomness)
    pool = Pool(
        parts,
        custody or SoftwareCustody(options.profile, parts.randomness),
        SqlRootStore(),
        passphrase=partial(configured_passphrase, options, token),
        options=options,
    )
    stores = KeyStores(
        SqlKeyStore(), SqlKeyIndex(), SqlMountStore(), SqlDestructionStore(), SqlHoldStore()
    )
    traces = SqlBackendStore()
    backends = KeyBackends(
        parts,
        traces,
        SoftwareBackend(pool.require_unlocked, parts.randomness),
        open_backends(options.backends, pool.require_unlocked, parts.randomness)
        if devices is None
        else devices,
        options.backends.placements,
    )
    objects = BackendObjects(parts, SqlSlotStore(), backends)
    ring = KeyRing(parts, pool, stores, objects=objects)
    means = LimitMeans(parts, pool, SqlLimitStore(), ports.risks)
    limiter, tenants = KeyLimiter(means), Tenants(parts)
    maker = KeyMaker(parts, pool, stores.keys, objects=objects, limiter=limiter)
    system_keys = SystemKeys(parts, ring, maker)
    sealing_keys = PoolSealingKeys(system_keys)
    trust = SqlTrustStore()
    authority = Authority(
        parts,
        sealing_keys,
        SqlCertificateStore(),
        HomeAnchorFile(parts.home),
        options.public_url,
        OutsideTrust(parts, trust),
    )
    stamps, processes = TimeStampAuthority(authority), PdfProcesses()
    seals = SealParts(
        parts=parts,
        store=SqlSealStore(),
        uses=SqlSealUseStore(),
        keys=sealing_keys,
        painter=PillowPainter(),
        authority=authority,
        subjects=ports.subjects,
        pdf=PyHankoFiles(processes),
        policies=SqlSealPolicyStore(),
        risks=ports.risks,
        requests=SqlSealUseRequestStore(),
        documents=PoolDocumentBox(system_keys),
        proofs=ports.proofs,
        lives=SqlSealLifeStore(),
        remote=ProvinceSealer(ports.outbound, options.province, time.sleep),
        time_stamps=OutsideTimeStamps(
            stamps, authority, ports.stamping, options.time_stamp_sources
        ),
        stamped=options.seal_time_stamps,
        pades_level=options.pades_level,
    )
    openpgp = OpenPgpParts(
        parts,
        SqlOpenPgpStore(),
        system_keys,
        GnuPg(),
    )
    applications, uses = SealApplications(seals), SealUses(seals)
    verification, registry = SealVerification(seals), SealRegistry(seals, stores.holds)
    return KmsServices(
        pool=pool,
        unlocking=Unlocking(parts, pool, SqlRootStore(), options),
        rekeying=Rekeying(parts, pool, SqlRootStore()),
        backend_control=BackendControl(parts, traces, objects),
        unlock_token=UnlockTokenBinding(parts, pool, token),
        keys=Keys(parts, ring, maker, stores),
        key_census=KeyCensus(parts, stores.index),
        mounts=Mounts(parts, pool, stores.mounts),
        key_control=KeyControl(parts, ring, maker, stores=stores, subjects=ports.subjects),
        key_destruction=KeyDestruction(parts, ring, maker, stores),
        key_rotation=KeyRotation(parts, ring, maker, index=stores.index),
        key_export=KeyExport(parts, ring),
        key_import=KeyImport(parts, ring, maker, system_keys),
        key_backups=KeyBackups(parts, ring, maker, system_keys, stores),
        transit=Transit(parts, ring, limiter),
        tenants=tenants,
        self_tests=SelfTests(parts, SqlSelfTestStore()),
        limit_control=LimitControl(means, limiter, tenants, ring=ring, maker=maker),
        containment=build_containment(seals, ring, maker, stores.holds),
        digests=Digests(parts),
        system_keys=system_keys,
        authority=authority,
        certificates=build_certificates(
            CertificateParts(
                authority,
                SqlCertificateRequestStore(),
                trust,
            ),
            seals.store,
        ),
        published_lists=PublishedLists(authority),
        time_stamps=stamps,
        seal_applications=applications,
        seal_making=SealMaking(seals, applications),
        seal_registry=registry,
        seal_destruction=SealDestruction(seals),
        seal_policies=SealPolicies(seals),
        seal_using=SealUsing(seals, uses),
        seal_stamping=SealStamping(seals, uses),
        seal_receipts=SealReceipts(seals),
        remote_seals=RemoteSeals(seals),
        remote_seal_states=RemoteSealStates(seals),
        seal_use_requests=SealUseRequests(seals, uses),
        seal_verification=verification,
        seal_verdicts=SealVerdicts(seals, verification, TypstVerdicts(processes)),
        seal_previews=SealPreviews(seals, registry, TypstPreviews(processes)),
        openpgp_keys=OpenPgpKeys(openpgp),
        partners=Partners(openpgp),
        exports=Exports(openpgp),
        ecertificates=build_ecertificates(
            seals,
            uses,
            verification,
            stores=ECertificateStores(
                SqlTemplateStore(),
                SqlECertificateStore(),
                SqlBatchStore(),
                PoolDocumentBox(system_keys, "ecertificates"),
                TypstDrawings(processes),
            ),
            public_url=options.public_url,
        ),
    )


def open_seal_files(home: Path) -> SealFiles:
    """Return what verifies seals over files alone, with the home's own root as an anchor."""
    return SealFiles(SystemClock(), HomeAnchorFile(home), PyHankoFiles())


def open_key_fingerprints(database_url: str) -> dict[str, str]:
    """Return every key version's fingerprint, for backups; needs the database alone."""
    return key_fingerprints(database_url)
