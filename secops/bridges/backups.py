"""Backup and restore of a home, each recorded in the ledger and proved by roots and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from audits.plane import open_ledger_files
from detectors.adapters.log_store import backup_facts, describe_for_backup
from kms.plane import open_key_fingerprints
from secops.adapters.backup.service import BackupReport, Place, restore
from secops.adapters.backup.service import back_up as write_backup
from secops.bridges.house import House
from secops.bridges.watching import detectors_options
from secops.kernel.actors import Actor
from secops.kernel.ids import SystemRandomness
from secops.kernel.trail import Act
from secops.migrations import upgrade
from secops.settings import read_settings


def home_facts(home: Path, database_url: str) -> Mapping[str, Any]:
    """Return what must survive a restore: the ledger's size and both roots, key fingerprints.

    Of logs in a cluster: which batches of the backup's manifest it has.
    """
    files = open_ledger_files(home, database_url)
    try:
        verdict = files.verify_ledger()
    finally:
        files.close()
    logs = detectors_options(read_settings(home), "backup")
    return {
        **backup_facts(logs, home),
        "ledger_valid": verdict.valid,
        "ledger_entries": verdict.entries,
        "ledger_sha256_root": verdict.sha256_root.hex(),
        "ledger_sm3_root": verdict.sm3_root.hex(),
        "keys": open_key_fingerprints(database_url),
    }


def back_up(house: House, actor: Actor, file: Path) -> BackupReport:
    """Write a backup of the house's home and record it."""
    settings = house.settings
    describe_for_backup(detectors_options(settings, "backup"), settings.home)
    report = write_backup(
        Place(house.settings.home, house.settings.database_url or None),
        file,
        clock=house.parts.clock,
        randomness=house.parts.randomness,
        facts=home_facts,
    )
    details = {"files": report.files, "bytes": report.content_bytes}
    house.parts.trail.append([Act("os.backup", actor, "home:this", details=details)])
    return report


def restore_into(
    home: Path, file: Path, open_house: Callable[[Path], House], actor: Actor
) -> BackupReport:
    """Restore ``file`` into ``home``, absent or empty, and record that it was proved.

    With PostgreSQL the database that ``SECOPS_DATABASE_URL`` names must be empty, too.
    """
    place = Place(home, read_settings(home).database_url or None, upgrade)
    report = restore(file, place, randomness=SystemRandomness(), facts=home_facts)
    house = open_house(home)
    try:
        details = {"entries": report.facts["ledger_entries"], "files": report.files}
        house.parts.trail.append([Act("os.restore_test", actor, "home:this", details=details)])
    finally:
        house.close()
    return report
