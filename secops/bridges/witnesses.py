"""Witnesses of the ledger: where they are, the way out to them, and being one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from audits.adapters.signatures import EngineVerifier
from audits.adapters.witness_files import WitnessFolder
from audits.api.witness import witness_routes
from audits.core.c2sp.cosignature import parse_witness_key
from audits.plane.ledger import ledger_origins, witnessed_notes
from audits.ports.witnesses import Post
from audits.service.ledger.cosigned import cosigned_by
from audits.service.ledger.witness import Witness
from secops.adapters.outbound import OutboundClient, OutboundOptions
from secops.crypto.engines import power_on_self_test
from secops.kernel.access import LateAccessControl
from secops.kernel.actors import Actor
from secops.kernel.clock import SystemClock
from secops.kernel.errors import AuditUnavailable, Unauthenticated
from secops.kernel.ids import SystemRandomness
from secops.kernel.trail import Act, OnDurable, Receipt
from secops.settings import Settings, SettingsRejected, is_loopback, listed
from secops.web.dispatch import Dispatcher
from secops.web.guard import Guard
from secops.web.lanes import FastLane, Lane, build_wsgi
from secops.web.server.serving import Listening, serve
from secops.web.wsgi import Origins, RequestReader

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = 10.0
_HEADERS: Final[Mapping[str, str]] = {"content-type": "text/plain; charset=utf-8"}
_PARTS: Final = 2
_MOST: Final = 32
"""Witnesses: their lines must find room in a note, beside the log's own."""


def witness_addresses(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return key and address of each witness; raise ``SettingsRejected``.

    ``ledger_witnesses`` lists ``KEY URL``, separated by commas.
    """
    found = []
    for entry in listed(settings.ledger_witnesses):
        parts = entry.split()
        if len(parts) != _PARTS or urlsplit(parts[1]).scheme not in ("http", "https"):
            raise SettingsRejected("ledger_witnesses lists KEY URL, separated by commas")
        found.append((parts[0], parts[1]))
    names = {vkey.partition("+")[0] for vkey, _ in found}
    keys = {vkey.rpartition("+")[2] for vkey, _ in found}
    if len(names) != len(found) or len(keys) != len(found):
        raise SettingsRejected("ledger_witnesses names one witness twice")
    if len(found) > _MOST:
        raise SettingsRejected(f"ledger_witnesses lists at most {_MOST}")
    return tuple(found)


def last_cosigned(home: Path, vkeys: Sequence[str]) -> dict[str, int]:
    """Return when each witness cosigned this ledger last (seconds since 1970), 0 for never.

    Raises ``NoteRejected`` for a key that is no witness's.
    """
    notes, verifier, origins = witnessed_notes(home), EngineVerifier(), ledger_origins(home)
    times = dict.fromkeys(vkeys, 0)
    for vkey in vkeys:
        last = cosigned_by(parse_witness_key(vkey), notes, verifier)
        if last is not None and last.head.origin in origins:
            times[vkey] = last.at
    return times


def is_independent(url: str) -> bool:
    """Tell whether a witness at ``url`` can lie on another machine than this one."""
    return not is_loopback(urlsplit(url).hostname or "")


def witness_post(settings: Settings) -> Post:
    """Return the guarded way out; ``ledger_witness_allow`` names inner hosts it may reach."""
    client = OutboundClient(OutboundOptions(allowed=listed(settings.ledger_witness_allow)))
    return lambda url, body: client.post(url, body, _HEADERS, _SECONDS)


class _Nobody:
    """A witness knows no accounts: whoever shows a credential is nobody."""

    def verify_token(self, token: str) -> Actor:  # noqa: ARG002 - the port's signature
        """Refuse."""
        raise Unauthenticated

    def verify_session(self, cookie: str) -> Actor:  # noqa: ARG002 - the port's signature
        """Refuse."""
        raise Unauthenticated


class _NoTrail:
    """A witness keeps what it cosigned and has no ledger: no act may pass unrecorded."""

    def append(self, acts: Sequence[Act]) -> Sequence[Receipt]:  # noqa: ARG002 - the port's
        """Refuse."""
        raise AuditUnavailable

    def submit(self, acts: Sequence[Act], on_durable: OnDurable) -> None:  # noqa: ARG002 - the port's
        """Refuse."""
        raise AuditUnavailable


def open_witness(folder: Path) -> Witness:
    """Return the witness of ``folder``; raise ``WitnessInvalid`` if there is none."""
    power_on_self_test().require_sound()
    files = WitnessFolder(folder)
    return Witness(files, files, EngineVerifier(), SystemClock())


def build_witness(witness: Witness, origin: str, hosts: frozenset[str]) -> FastLane:
    """Return the WSGI application of a witness: its two routes and nothing else."""
    guard = Guard(_Nobody(), LateAccessControl(), witness.clock)
    reader = RequestReader(Origins(origin, hosts, (), origin.startswith("https:")), _RANDOMNESS)
    lane = Lane(reader, Dispatcher(guard, _NoTrail()))
    return build_wsgi(lane, witness_routes(witness))


_RANDOMNESS: Final = SystemRandomness()


def serve_witness(witness: Witness, listening: Listening, host: str) -> None:
    """Serve until SIGTERM; ``host`` is the name that logs use."""
    scheme = "https" if listening.tls_cert else "http"
    names = frozenset(f"{name}:{listening.port}" for name in (host, "127.0.0.1", "localhost"))
    application = build_witness(witness, f"{scheme}://{host}:{listening.port}", names)
    serve(application, _NoTrail(), listening)
