"""HTTP of a witness (https://c2sp.org/tlog-witness), whose forms of answers are its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.errors import MalformedProof, NoteRejected, ProofRejected
from audits.errors.witnesses import HistoryForked, StaleSize, UnknownLog
from audits.service.ledger.witness import SIZE_TYPE, Witness
from secops.kernel.errors import Invalid, SecopsError
from secops.web.messages import Request, Response
from secops.web.routes import Public, Route

_TEXT: Final = "text/plain; charset=utf-8"
_MAX_BODY: Final = 65_536
_STATUS: Final[tuple[tuple[type[SecopsError], int], ...]] = (
    (UnknownLog, 404),
    (NoteRejected, 403),
    (HistoryForked, 409),
    (ProofRejected, 422),
    (MalformedProof, 400),
    (Invalid, 400),
)
WITNESS: Final = Public("a log proves itself by its signature; anybody may compare what was seen")


@dataclass(frozen=True, slots=True)
class WitnessApi:
    """The handlers."""

    witness: Witness

    def add_checkpoint(self, request: Request) -> Response:
        """Answer ``POST /add-checkpoint``."""
        try:
            line = self.witness.add_checkpoint(_text(request.body))
        except StaleSize as stale:
            return _answer(409, f"{stale.size}\n", SIZE_TYPE)
        except SecopsError as error:
            status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
            return _answer(status, f"{error.detail}\n")
        return _answer(200, line)

    def last_checkpoint(self, request: Request) -> Response:
        """Answer ``GET /checkpoint?origin=…``: what was cosigned last, for who compares."""
        return _answer(200, self.witness.last(request.query.get("origin", "")))


def witness_routes(witness: Witness) -> tuple[Route, ...]:
    """Return all that a witness answers."""
    api = WitnessApi(witness)
    return (
        Route(
            method="POST",
            path="/add-checkpoint",
            operation="add_checkpoint",
            access=WITNESS,
            handler=api.add_checkpoint,
            max_body=_MAX_BODY,
        ),
        Route(
            method="GET",
            path="/checkpoint",
            operation="last_checkpoint",
            access=WITNESS,
            handler=api.last_checkpoint,
        ),
    )


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise MalformedProof("the request is not UTF-8") from error


def _answer(status: int, text: str, media_type: str = _TEXT) -> Response:
    headers = (("content-type", media_type), ("cache-control", "no-store"))
    return Response(status, headers, text.encode())
