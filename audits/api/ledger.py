"""HTTP of the ledger: entries under permission, checkpoints and hash tiles for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.errors import NotCheckpointed
from audits.errors.witnesses import NotCosigned
from audits.models import EntryFilter
from audits.ports.ledger import Tree
from audits.service.ledger.ledger import LedgerService
from audits.service.ledger.views import checkpoint_view, entry_row_view, entry_view, verdict_view
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import READ_LEDGER, VERIFY_LEDGER
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Public, Route, Schema

_TEXT: Final = ("content-type", "text/plain; charset=utf-8")
_BYTES: Final = ("content-type", "application/octet-stream")
_SHORT: Final = ("cache-control", "max-age=1")
_FOREVER: Final = ("cache-control", "public, max-age=31536000, immutable")
_FILTERS: Final = ("action", "actor", "target", "outcome", "since", "until", "limit", "cursor")

CHECKPOINT: Final = Public(
    "witnesses and verifiers need the signed head; it tells sizes and hashes"
)
TILES: Final = Public("hash tiles make proofs checkable by anybody; they tell nothing of records")

_ENTRY: Final = {
    "type": "object",
    "required": ["index", "at", "action", "actor", "org", "target", "outcome", "request"],
    "properties": {
        "index": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "action": {"type": "string"},
        "actor": {"type": "string"},
        "org": {"type": "string"},
        "target": {"type": "string"},
        "outcome": {"type": "string"},
        "request": {"type": ["string", "null"]},
    },
}
_ENTRIES: Final = Schema(
    "LedgerEntries",
    {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": _ENTRY},
            "next": {"type": ["string", "null"]},
        },
    },
)
_ONE: Final = Schema(
    "LedgerEntry",
    {
        "type": "object",
        "required": ["index", "record", "sha256_leaf", "sm3_leaf"],
        "properties": {
            "index": {"type": "integer"},
            "record": {"type": "object"},
            "sha256_leaf": {"type": "string"},
            "sm3_leaf": {"type": "string"},
        },
    },
)
_VERDICT: Final = Schema(
    "LedgerVerdict",
    {
        "type": "object",
        "required": ["valid", "entries", "sha256_root", "sm3_root", "checkpoint", "first_bad"],
        "properties": {
            "valid": {"type": "boolean"},
            "entries": {"type": "integer"},
            "sha256_root": {"type": "string"},
            "sm3_root": {"type": "string"},
            "checkpoint": {"type": ["object", "null"]},
            "first_bad": {"type": ["object", "null"]},
            "checkpoints": {"type": "integer"},
            "unsigned": {"type": "integer"},
        },
    },
)


@dataclass(frozen=True, slots=True)
class LedgerApi:
    """The handlers."""

    ledger: LedgerService

    def list_entries(self, request: Request) -> Response:
        """Answer ``GET /api/v1/audits/ledger``."""
        query = request.query
        unknown = sorted(set(query) - set(_FILTERS))
        if unknown:
            msg = f"there is no parameter {unknown[0][:40]!r}"
            raise Invalid(msg)
        wanted = EntryFilter(
            action=query.get("action"),
            actor_id=query.get("actor"),
            target=query.get("target"),
            outcome=query.get("outcome"),
            since=_instant(query.get("since")),
            until=_instant(query.get("until")),
        )
        page = wanted_page(request)
        found = self.ledger.list_entries(request.caller, page, wanted)
        items = [entry_row_view(row) for row in found.items]
        return json_response({"items": items, "next": found.next})

    def get_entry(self, request: Request) -> Response:
        """Answer ``GET /api/v1/audits/ledger/<entry>``."""
        return json_response(
            entry_view(self.ledger.get_entry(request.caller, request.args["entry"]))
        )

    def prove_entry(self, request: Request) -> Response:
        """Answer ``GET /api/v1/audits/ledger/<entry>/proof`` with a tlog-proof."""
        tree = _tree(request.query.get("tree", "sha256"))
        proof = self.ledger.prove_entry(request.caller, request.args["entry"], tree)
        return Response(200, (_TEXT, ("cache-control", "no-store")), proof.encode())

    def verify_ledger(self, request: Request) -> Response:
        """Answer ``POST /api/v1/audits/ledger/verification``."""
        return json_response(verdict_view(self.ledger.verify_ledger(request.caller)))

    def latest_checkpoint(self, request: Request) -> Response:
        """Answer ``GET /log/checkpoint``: the SHA-256 tree's note, with the cosignatures on it."""
        return self._checkpoint("sha256", request)

    def latest_sm3_checkpoint(self, request: Request) -> Response:
        """Answer ``GET /log/sm3/checkpoint`` with the signed note of the SM3 tree."""
        return self._checkpoint("sm3", request)

    def cosigned_checkpoint(self, request: Request) -> Response:  # noqa: ARG002 - a handler's
        """Answer ``GET /log/cosigned-checkpoint``: an older one that witnesses vouch for."""
        note = self.ledger.files.served.newest_cosigned()
        if note is None:
            raise NotCosigned
        return Response(200, (_TEXT, _SHORT), note.encode())

    def read_tile(self, request: Request) -> Response:
        """Answer ``GET /log/tile/<level>/<tile>``."""
        return self._tile("sha256", request)

    def read_sm3_tile(self, request: Request) -> Response:
        """Answer ``GET /log/sm3/tile/<level>/<tile>``."""
        return self._tile("sm3", request)

    def read_bundle(self, request: Request) -> Response:
        """Answer ``GET /log/tile/entries/<tile>`` to who may read the ledger."""
        content = self.ledger.read_bundle(request.caller, request.args["tile"])
        return Response(200, (_BYTES, ("cache-control", "no-store")), content)

    def _checkpoint(self, tree: Tree, request: Request) -> Response:
        checkpoint = self.ledger.latest_checkpoint()
        if checkpoint is None:
            raise NotCheckpointed
        if request.headers.get("accept", "").startswith("application/json"):
            return json_response(checkpoint_view(checkpoint))
        note = checkpoint.sha256_note if tree == "sha256" else checkpoint.sm3_note
        return Response(200, (_TEXT, _SHORT), note.encode())

    def _tile(self, tree: Tree, request: Request) -> Response:
        path = f"{request.args['level']}/{request.args['tile']}"
        return Response(200, (_BYTES, _FOREVER), self.ledger.read_tile(path, tree))


def ledger_routes(ledger: LedgerService) -> tuple[Route, ...]:
    """Return the ledger's routes."""
    api = LedgerApi(ledger)
    return (*_entry_routes(api), *_log_routes(api))


def _entry_routes(api: LedgerApi) -> tuple[Route, ...]:
    root = "/api/v1/audits/ledger"
    return (
        Route(
            method="GET",
            path=root,
            operation="list_entries",
            access=READ_LEDGER,
            handler=api.list_entries,
            response=_ENTRIES,
            listing=True,
        ),
        Route(
            method="POST",
            path=f"{root}/verification",
            operation="verify_ledger",
            access=VERIFY_LEDGER,
            handler=api.verify_ledger,
            response=_VERDICT,
        ),
        Route(
            method="GET",
            path=f"{root}/<entry>",
            operation="get_entry",
            access=READ_LEDGER,
            handler=api.get_entry,
            response=_ONE,
        ),
        Route(
            method="GET",
            path=f"{root}/<entry>/proof",
            operation="prove_entry",
            access=READ_LEDGER,
            handler=api.prove_entry,
        ),
    )


def _log_routes(api: LedgerApi) -> tuple[Route, ...]:
    tiles = (("", api.read_tile, "read_tile"), ("/sm3", api.read_sm3_tile, "read_sm3_tile"))
    heads = (
        ("/checkpoint", api.latest_checkpoint, "latest_checkpoint"),
        ("/cosigned-checkpoint", api.cosigned_checkpoint, "cosigned_checkpoint"),
        ("/sm3/checkpoint", api.latest_sm3_checkpoint, "latest_sm3_checkpoint"),
    )
    return (
        *(
            Route(
                method="GET",
                path=f"/log{path}",
                operation=operation,
                access=CHECKPOINT,
                handler=handler,
                absent=handler == api.cosigned_checkpoint,
            )
            for path, handler, operation in heads
        ),
        *(
            Route(
                method="GET",
                path=f"/log{prefix}/tile/<level>/<path:tile>",
                operation=operation,
                access=TILES,
                handler=handler,
            )
            for prefix, handler, operation in tiles
        ),
        Route(
            method="GET",
            path="/log/tile/entries/<path:tile>",
            operation="read_bundle",
            access=READ_LEDGER,
            handler=api.read_bundle,
        ),
    )


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        msg = "since and until are RFC 3339 times with a zone"
        raise Invalid(msg) from error


def _tree(text: str) -> Tree:
    if text == "sha256":
        return "sha256"
    if text == "sm3":
        return "sm3"
    msg = "tree is sha256 or sm3"
    raise Invalid(msg)
