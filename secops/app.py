"""The composition root: settings → spine → planes → WSGI application or scheduler.

Order: spine, kms, iam, then the rest. The guard's decision point and the names that kms asks
iam for bind late. Nothing else in the code base knows concrete classes of two planes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

from audits.adapters.doors import SpineDoors
from audits.models import AuditsOptions
from audits.plane import install as install_audits
from audits.plane import open_ledger_files, open_report_files
from audits.ports import AuditsPorts
from audits.service import AuditsServices
from detectors.plane import install as install_detectors
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from iam.plane import install as install_iam
from iam.ports import IamPorts
from iam.service import IamServices
from kms.plane import install as install_kms
from kms.plane import open_seal_files
from kms.ports import KmsPorts
from kms.service import KmsServices
from playbooks.plane import install as install_playbooks
from playbooks.ports import PlaybooksPorts
from playbooks.service import PlaybooksServices
from secops.adapters.gateway import GatewayOptions
from secops.adapters.spine import COMMAND_FILE_BYTES, SpineOptions, open_spine
from secops.bridges import (
    accounts,
    alerts,
    auditors,
    containment,
    controls,
    custody,
    drills,
    entity_cards,
    erasure,
    evidence,
    exports,
    findings,
    identity,
    keys,
    login_risk,
    logs,
    messages,
    notice_seals,
    notices,
    own_acts,
    playbook_signatures,
    processes,
    receipts,
    register,
    witnesses,
)
from secops.bridges.house import House
from secops.bridges.key_backends import kms_options
from secops.bridges.watching import detectors_options
from secops.crypto.engines import power_on_self_test
from secops.kernel.access import LateAccessControl
from secops.kernel.clock import SystemClock
from secops.kernel.ids import SystemRandomness
from secops.settings import default_home, read_settings


def open_house(home: Path, role: str = "command") -> House:
    """Open ``home`` as one more process called ``role``; close it in the end."""
    power_on_self_test().require_sound()
    settings = read_settings(home)
    access = LateAccessControl()
    options = SpineOptions(
        home=settings.home,
        role=role,
        database_url=settings.database_url or None,
        emergency_folder=Path(settings.emergency_path) if settings.emergency_path else None,
        device_folder=Path(settings.audit_device_path) if settings.audit_device_path else None,
    )
    if role == "command":
        options = processes.smaller_journal(options, COMMAND_FILE_BYTES)
    subjects, proofs = accounts.LateSubjects(), receipts.LateLedgerProofs()
    spine = open_spine(
        options,
        clock=SystemClock(),
        randomness=SystemRandomness(),
        access=access,
        persons=subjects,
    )
    processes.check_home(settings, spine)
    parts = auditors.watched(spine.parts)

    kms_ports = KmsPorts(
        subjects, subjects, proofs, notices.province(settings), notices.stamping(settings)
    )
    kms_plane = install_kms(parts, kms_ports, kms_options(settings))
    kms = cast("KmsServices", kms_plane.services)
    judging, copies = login_risk.LateLoginRisk(), erasure.LatePersonalCopies()
    iam_ports = IamPorts(
        keys.PoolTokenSigner(kms, parts.clock),
        keys.PoolSecretBox(kms),
        keys.PoolKeyedHash(kms),
        judging,
        outbound=notices.upstream(settings),
        mandate_signer=keys.PoolMandateSigner(kms),
        trust=identity.trust(settings),
        sm2_token_signer=keys.sm2_token_signer(kms, parts.clock, settings.crypto_profile),
        carriers=messages.carriers(settings, parts.clock),
        copies=copies,
    )
    iam_plane = install_iam(parts, iam_ports, identity.options(settings))
    iam = cast("IamServices", iam_plane.services)
    subjects.bind(iam)
    access.bind(iam.decisions)

    own_log = own_acts.LedgerActs()
    incidents = entity_cards.LateIncidents()
    audited = controls.AuditedControls()
    holds = own_acts.AuditedHolds()
    detectors_ports = DetectorsPorts(
        own_log,
        keys.PoolPrivacyKeys(kms),
        keys.PoolModelSigner(kms),
        subjects,
        entity_cards.PlatformEntities(iam, kms),
        incidents,
        incidents,
        controls=audited,
        held_days=holds,
    )
    detectors_plane = install_detectors(
        parts, detectors_ports, detectors_options(settings, spine.owner)
    )
    detectors = cast("DetectorsServices", detectors_plane.services)
    judging.bind(detectors)
    rechecks = notice_seals.LateRechecks(detectors, parts.clock)
    playbooks_ports = PlaybooksPorts(
        alerts=alerts.DetectorAlerts(detectors),
        containment=containment.PlaneContainment(
            iam.containment, kms.containment, containment.shield(settings)
        ),
        logs=logs.DetectorLogs(detectors),
        outbound=notices.outbound(settings),
        mailer=messages.mailer(settings),
        drills=drills.DetectorDrills(detectors),
        secret_box=keys.PoolSecretBox(kms, b"playbooks.secret"),
        signatures=playbook_signatures.PoolPlaybookSignatures(
            kms, playbook_signatures.partners(settings)
        ),
        custody=custody.PoolCustodySigner(kms),
        notices=notice_seals.notice_ports(settings, parts.clock, kms, iam, rechecks),
    )
    playbooks_plane = install_playbooks(parts, playbooks_ports, notices.options(settings))
    playbooks = cast("PlaybooksServices", playbooks_plane.services)
    incidents.bind(playbooks)

    looking = evidence.Evidence(settings, iam=iam, kms=kms, detectors=detectors)
    audits_ports = AuditsPorts(
        doors=SpineDoors(spine.doors),
        signer=keys.PoolCheckpointSigner(kms),
        evidence=looking,
        report_signer=keys.PoolReportSigner(kms),
        protection=exports.PoolExportProtection(kms),
        witness_post=witnesses.witness_post(settings),
        find_person=findings.IamPersons(iam),
        severe_alerts=findings.DetectorFindings(detectors),
        known_sources=register.DetectorSources(detectors),
        active_accounts=register.IamAccountStates(iam),
        roles=subjects,
    )
    audits_options = AuditsOptions(
        database_url=settings.database_url or None,
        witnesses=witnesses.witness_addresses(settings),
        witness_quorum=settings.ledger_witness_quorum,
    )
    audits_plane = install_audits(parts, audits_ports, audits_options)
    audits = cast("AuditsServices", audits_plane.services)
    looking.bind(playbooks=playbooks, audits=audits)
    copies.bind(playbooks, audits)
    own_log.bind(audits)
    holds.bind(audits)
    audited.bind(audits)
    rechecks.bind(audits)
    proofs.bind(audits)

    planes = (kms_plane, iam_plane, detectors_plane, playbooks_plane, audits_plane)
    return House(settings, spine, planes, iam, kms, detectors, playbooks, audits)


def open_files(home: Path) -> Iterator[object]:
    """Yield what works on files alone, however damaged the home is; the ledger comes last."""
    power_on_self_test()
    yield open_report_files()
    yield open_seal_files(home)
    database = None
    with suppress(Exception):  # a broken settings file must not hide the ledger
        database = read_settings(home).database_url or None
    yield open_ledger_files(home, database)


def gateway(options: GatewayOptions) -> None:
    """Serve the home in ``$SECOPS_HOME`` until SIGTERM: what one worker does."""
    processes.serve_gateway(open_house(default_home(), "gateway"), options)


def run_scheduler() -> None:
    """Run the scheduler of the home in ``$SECOPS_HOME`` until SIGTERM."""
    processes.run_scheduler(open_house(default_home(), "scheduler"))
