"""``secops doctor``: what is wrong, unprotected or outgrown, each with a remedy."""

from __future__ import annotations

import os
import shutil
import ssl
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal

from PIL import features

from detectors.adapters.listeners.notes import LocalListenerNotes
from detectors.adapters.log_store import examine as examine_log_store
from detectors.store.anomalies import models_in_use
from iam.service.people.break_glass import TEST_EVERY, state_of
from iam.store.recovery import BreakGlassAccounts
from kms.adapters.pictures import FONTS
from secops.adapters.blobs import FileBlobs
from secops.adapters.database.engine import database_version, make_engine
from secops.adapters.database.unit import ReadTransaction
from secops.adapters.disk import free_bytes, is_remote, sync_seconds
from secops.bridges.installed import examine_installed
from secops.bridges.key_backends import examine_backends
from secops.bridges.listening import listener_options
from secops.bridges.watching import detectors_options
from secops.bridges.witnesses import is_independent, last_cosigned, witness_addresses
from secops.crypto.engines import power_on_self_test
from secops.kernel.clock import SECOND, SystemClock, from_rfc3339
from secops.kernel.errors import SecopsError
from secops.kernel.ids import SystemRandomness
from secops.migrations import current, heads
from secops.settings import DATABASE_FILE, Settings, is_loopback, read_settings

State = Literal["ok", "unprotected", "outgrown", "fault"]
OURS: Final = ("secops", "iam", "kms", "detectors", "playbooks", "audits", "rules")
_LEAST_FREE: Final = 1 << 30
_SLOW_SYNC: Final = 0.01
_LEAST_RETENTION: Final = 184
_NAMED: Final = 5
_BROKEN: Final = "see docs/manual; `secops restore` a backup into an empty home if it is damaged"
_STALE_COSIGNATURE: Final = 900
"""Seconds: a busy ledger is cosigned every half minute, one at rest every five minutes."""
_BUILT: Final = from_rfc3339("2026-11-01T00:00:00Z")
"""A clock before this release was made is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    seen: str
    remedy: str = ""

    def to_record(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"name": self.name, "state": self.state, "seen": self.seen, "remedy": self.remedy}


def examine(home: Path) -> list[Finding]:
    """Return all findings about this machine and ``home``; never raises."""
    findings = [*_machine()]
    try:
        settings = read_settings(home)
    except SecopsError as error:
        return [*findings, Finding("settings", "fault", error.detail, error.remedy.en)]
    looks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _disk,
        _database,
        _log_store,
        _listeners,
        _syslog,
        _models,
        _custody,
        _key_backends,
        _retention,
        _cryptography,
        _demo,
        _break_glass,
        _witnesses,
    )
    for look in looks:
        try:
            findings.extend(look(settings))
        except Exception as error:  # noqa: BLE001 - whatever breaks a look is what doctor is for
            seen = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            findings.append(Finding(look.__name__.strip("_"), "fault", seen, _BROKEN))
    return findings


def _machine() -> Iterator[Finding]:
    installed = packages_distributions()
    foreign = {
        name: sorted(set(installed.get(name, ())) - {"govsecops"})
        for name in OURS
        if set(installed.get(name, ())) - {"govsecops"}
    }
    yield Finding(
        "packages",
        "fault" if foreign else "ok",
        ", ".join(f"{name} from {', '.join(who)}" for name, who in foreign.items()) or "only ours",
        "pip uninstall the named packages: they install modules under our names" if foreign else "",
    )
    yield _installed()
    report = power_on_self_test()
    broken = {name: why for name, why in report.defects.items() if why}
    yield Finding(
        "engines",
        "fault" if broken else "ok",
        "; ".join(f"{name}: {why}" for name, why in broken.items()) or "all known answers",
        "install Debian's libssl3 (OpenSSL 3); SM2 is refused without it" if broken else "",
    )
    yield Finding("openssl", "ok", ssl.OPENSSL_VERSION)
    early = SystemClock().now() < _BUILT
    yield Finding(
        "clock",
        "fault" if early else "ok",
        "before this release was made" if early else "plausible",
        "set the clock and keep it by NTP (chrony)" if early else "",
    )
    font = next((path for path in FONTS if path.is_file()), None)
    yield Finding(
        "fonts",
        "ok" if font else "fault",
        str(font) if font else "no Chinese font: seals can't be drawn",
        "" if font else "apt-get install fonts-wqy-microhei",
    )
    yield Finding("pictures", "ok" if features.check("freetype2") else "fault", "FreeType")


def _installed() -> Finding:
    """Say whether our files, rules among them, are those that were installed."""
    name = "installed files"
    try:
        seen = examine_installed(distribution("govsecops"), OURS)
    except (PackageNotFoundError, OSError, ValueError) as error:
        return Finding(name, "fault", str(error), "install the release anew")
    if not seen.listed:
        why = "run from a source tree: there is no list to compare with"
        return Finding(name, "unprotected", why, "pip install a release (docs/manual/install.md)")
    if seen.altered:
        named = ", ".join(seen.altered[:_NAMED])
        why = f"{len(seen.altered)} are not as they were installed: {named}"
        return Finding(name, "fault", why, "find out who changed them; install the release anew")
    return Finding(name, "ok", f"{seen.listed} as they were installed")


def _disk(settings: Settings) -> Iterator[Finding]:
    free = free_bytes(settings.home)
    low = free < _LEAST_FREE
    yield Finding(
        "disk space",
        "fault" if low else "ok",
        f"{free >> 20} MiB free",
        "free space: without it nothing is granted" if low else "",
    )
    if is_remote(settings.home):
        yield Finding(
            "file system",
            "fault",
            "the home lies on a network file system",
            "move the home to a local disk: SQLite's locks don't hold over NFS or SMB",
        )
    seconds = sync_seconds(settings.home)
    slow = seconds > _SLOW_SYNC
    yield Finding(
        "fdatasync p50",
        "outgrown" if slow else "ok",
        f"{seconds * 1000:.2f} ms",
        "a faster disk: every granting answer waits for one sync" if slow else "",
    )


def _database(settings: Settings) -> Iterator[Finding]:
    if not settings.database_url and not (settings.home / DATABASE_FILE).is_file():
        yield Finding("database", "fault", "there is none yet", "run `secops init`")
        return
    engine = make_engine(settings.database, read_only=True)
    try:
        found, needed = current(engine), heads()[0]
        yield Finding(
            "database",
            "ok" if found == needed else "fault",
            f"{database_version(engine)} at {found}",
            "" if found == needed else f"this release needs {needed}: run `secops init`",
        )
    finally:
        engine.dispose()


def _log_store(settings: Settings) -> Iterator[Finding]:
    for each in examine_log_store(detectors_options(settings, "doctor"), settings.home):
        yield Finding(each.name, each.state, each.seen, each.remedy)


def _listeners(settings: Settings) -> Iterator[Finding]:
    if settings.tls or all(is_loopback(address) for address in settings.addresses):
        yield Finding(
            "listener", "ok", f"{settings.origin} ({'TLS' if settings.tls else 'loopback'})"
        )
        return
    yield Finding(
        "listener",
        "unprotected",
        f"plain HTTP on {settings.host} behind trusted proxies",
        "let nobody but the proxy reach it, or set tls_cert and tls_key",
    )


def _syslog(settings: Settings) -> Iterator[Finding]:
    wanted = listener_options(settings).endpoints
    state = LocalListenerNotes(settings.home).state()
    if not wanted:
        return
    if state is None:
        yield Finding("syslog", "ok", "not heard now: the service does not run")
    elif state.failure:
        remedy = "free the port or change it, check certificate and key; then start the service"
        yield Finding("syslog", "fault", f"not heard: {state.failure}", remedy)
    else:
        yield Finding("syslog", "ok", ", ".join(state.opened))


def _models(settings: Settings) -> Iterator[Finding]:
    """Look at the files of the models in use; their signatures are verified at each use."""
    if not settings.database_url and not (settings.home / DATABASE_FILE).is_file():
        return
    engine = make_engine(settings.database, read_only=True)
    try:
        with engine.begin() as connection:
            records = models_in_use(ReadTransaction(connection, SystemClock().now()))
    finally:
        engine.dispose()
    blobs = FileBlobs(settings.home / "blobs", SystemRandomness())
    bad = []
    for record in records:
        try:
            blobs.get(record.digest)
        except SecopsError:
            bad.append(f"the file of {record.kind} model {record.id} is gone or was changed")
    if records:
        remedy = "`secops detectors train-model KIND`; until then sign-ins go unjudged"
        seen = "; ".join(bad) or f"{len(records)} in use, files as they were made"
        yield Finding("models", "fault" if bad else "ok", seen, remedy if bad else "")


def _break_glass(settings: Settings) -> Iterator[Finding]:
    """Look whether somebody gets in when nobody else does, and whether that was tried lately."""
    if not settings.database_url and not (settings.home / DATABASE_FILE).is_file():
        return
    now = SystemClock().now()
    engine = make_engine(settings.database, read_only=True)
    try:
        with engine.begin() as connection:
            seals = BreakGlassAccounts().all_of(ReadTransaction(connection, now))
    finally:
        engine.dispose()
    name = "emergency accounts"
    if not seals:
        remedy = "`secops iam request-break-glass ROLE`: docs/manual/sign_in.md"
        yield Finding(name, "unprotected", "none is sealed", remedy)
        return
    broken = [each for each in seals if state_of(each, now) != "sealed"]
    stale = [each for each in seals if now - (each.tested_at or each.sealed_at) > TEST_EVERY]
    if broken:
        remedy = "collect envelope 2, or have the use looked into and the account sealed anew"
        yield Finding(name, "unprotected", f"{len(broken)} of {len(seals)} not sealed", remedy)
    elif stale:
        remedy = "`secops iam test-break-glass ROLE`, once a month"
        yield Finding(name, "unprotected", f"{len(stale)} not tested for a month", remedy)
    else:
        yield Finding(name, "ok", f"{len(seals)} sealed, tested within a month")


def _custody(settings: Settings) -> Iterator[Finding]:
    file = settings.home / settings.unlock_file if settings.unlock_file else None
    if file is None:
        yield Finding("unlock", "ok", "passphrase from the environment or by hand")
        return
    if not file.is_file():
        yield Finding("unlock", "fault", f"{file} is missing", "restore the unlock file")
        return
    loose = bool(file.stat().st_mode & 0o077)
    yield Finding(
        "unlock",
        "fault" if loose else "unprotected",
        f"{file} lies beside what it unlocks",
        f"chmod 600 {file}" if loose else "keep the passphrase outside the home",
    )


def _key_backends(settings: Settings) -> Iterator[Finding]:
    """Have every token and crypto machine sign for a check; software needs none."""
    for name, failure, unchecked in examine_backends(settings, SystemRandomness()):
        remedy = "see `secops kms list-backends` and docs/manual/key_custody.md"
        if failure:
            yield Finding(f"key backend {name}", "fault", failure, remedy)
        elif unchecked:
            why = "it answers; no check_index is set, so no signature was tried"
            yield Finding(f"key backend {name}", "unprotected", why, "set a check_index")
        else:
            yield Finding(f"key backend {name}", "ok", "signs, and our engine verifies it")


def _retention(settings: Settings) -> Iterator[Finding]:
    short = settings.retention_days < _LEAST_RETENTION
    yield Finding(
        "retention",
        "unprotected" if short else "ok",
        f"{settings.retention_days} days",
        "at least 184 days (Cybersecurity Law art. 21)" if short else "",
    )


def _cryptography(settings: Settings) -> Iterator[Finding]:
    """Name the uses that are no national algorithm under the profile in force."""
    text = (files("rules") / "policies" / "crypto_profile.toml").read_text(encoding="utf-8")
    profile = settings.crypto_profile
    others = [row["purpose"] for row in tomllib.loads(text)["use"] if not row[profile]["national"]]
    seen = f"{profile}; not national: {', '.join(others)}" if profile == "gm" else profile
    yield Finding("crypto_profile", "ok", seen)


def _demo(settings: Settings) -> Iterator[Finding]:
    if settings.demo:
        yield Finding(
            "demo",
            "unprotected",
            "a demo home: --as needs no proof",
            "make another home with `secops init` for real use",
        )
    if os.getuid() == 0:
        yield Finding(
            "user",
            "unprotected",
            "running as root",
            "run as a user of its own (deploy/secops.service)",
        )
    if shutil.which("openssl") is None:
        yield Finding("openssl command", "ok", "not installed; only needed to check us")


def _witnesses(settings: Settings) -> Iterator[Finding]:
    """Whether others elsewhere know what the ledger was: alone it can be put back whole."""
    addresses, quorum = witness_addresses(settings), settings.ledger_witness_quorum
    elsewhere = [vkey for vkey, url in addresses if is_independent(url)]
    enough = len(elsewhere) >= quorum
    missing: State = "fault" if quorum > 1 else "unprotected"  # fault: more were wanted than set
    yield Finding(
        "witnesses",
        "ok" if enough else missing,
        f"{len(addresses)} set, {len(elsewhere)} on other machines, {quorum} wanted there",
        ""
        if enough
        else "have another office run `secops witness serve`, and set ledger_witnesses "
        "(docs/manual/witness.md): without one nobody can tell that the ledger was put back whole",
    )
    if addresses:
        yield _cosignatures(settings, elsewhere or [vkey for vkey, _ in addresses])


def _cosignatures(settings: Settings, asked: Sequence[str]) -> Finding:
    """Say whether enough witnesses cosigned lately, and which did not; signatures are believed."""
    now = SystemClock().now() // SECOND
    times = last_cosigned(settings.home, asked)
    # a time to come is no sign of life either: it would count until it is over
    silent = [vkey for vkey, at in times.items() if abs(now - at) >= _STALE_COSIGNATURE]
    answering, quorum = len(times) - len(silent), settings.ledger_witness_quorum
    names = ", ".join(vkey.partition("+")[0] for vkey in silent)
    state: State = "unprotected" if silent else "ok"
    return Finding(
        "cosignatures",
        "fault" if answering < quorum else state,
        f"{answering} of {len(times)} witnesses in the last {_STALE_COSIGNATURE // 60} minutes, "
        f"{quorum} wanted" + (f"; silent: {names}" if silent else ""),
        "see the ledger's entries audits.ask_witness; `secops witness show` over there"
        if silent
        else "",
    )
