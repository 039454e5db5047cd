"""Many writes in one request (RFC 7644 §3.7): each by itself, in an order its references allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from iam.models.scim import ScimAnswer
from iam.service.scim.describing import BULK_OPERATIONS
from iam.service.scim.rendering import etag, plain_error, refusal_of, scim_error
from iam.service.scim.resources import ScimService
from secops.kernel.actors import Actor

RESPONSE: Final = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
REQUEST: Final = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
_REFERENCE: Final = "bulkId:"
_METHODS: Final = ("POST", "PUT", "PATCH", "DELETE")
_KINDS: Final = ("Users", "Groups")
_MAX_ID: Final = 200


class BulkRefused(Exception):
    """One operation can't be carried out; ``status`` and detail for its result."""

    def __init__(self, status: int, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation, its shape checked; ``needs`` are the bulkIds it refers to."""

    method: str
    kind: str
    identifier: str
    bulk_id: str
    version: str
    data: Any
    needs: frozenset[str]


@dataclass(slots=True)
class _Job:
    """How far a request is: the ids of what was created, None for what failed."""

    operations: list[Mapping[str, Any]]
    most: int | None = None
    made: dict[str, str | None] = field(default_factory=dict)
    results: dict[int, dict[str, Any]] = field(default_factory=dict)
    errors: int = 0

    @property
    def stopped(self) -> bool:
        """Tell whether as many operations failed as the request bears."""
        return self.most is not None and self.errors >= self.most

    def before(self, bulk_id: str, waiting: tuple[int, ...]) -> int:
        """Return which operation creates what ``bulk_id`` names; raise for one that waits."""
        names = [one.get("bulkId") if _creates(one) else None for one in self.operations]
        creator = names.index(bulk_id)
        if creator in waiting:
            raise BulkRefused(409, "its references lead in a circle")
        return creator


@dataclass(frozen=True, slots=True)
class BulkService:
    """Carries out bulk requests."""

    scim: ScimService

    def bulk(self, actor: Actor, payload: Mapping[str, Any]) -> ScimAnswer:
        """Return the result of each operation, in the order of the request.

        Stops after ``failOnErrors`` errors; what was done before stays done. Raises SCIM's
        refusal where the whole request is no bulk request, or too large (413).
        """
        self.scim.require(actor)
        job = _read(payload)
        for number in range(len(job.operations)):
            self._turn(actor, job, number, ())
        results = [job.results[number] for number in sorted(job.results)]
        return ScimAnswer(200, {"schemas": [RESPONSE], "Operations": results})

    def _turn(self, actor: Actor, job: _Job, number: int, waiting: tuple[int, ...]) -> None:
        """Carry out an operation, after those it refers to; ``waiting`` wait for it."""
        if number in job.results or job.stopped:
            return
        try:
            operation = _operation(job, number)
            for need in sorted(operation.needs - job.made.keys()):
                self._turn(actor, job, job.before(need, (*waiting, number)), (*waiting, number))
            if not job.stopped:
                self._carry_out(actor, job, number, operation)
        except Exception as error:
            if not _fail(job, number, error):
                raise

    def _carry_out(self, actor: Actor, job: _Job, number: int, operation: _Operation) -> None:
        failed = [one for one in operation.needs if job.made[one] is None]
        if failed:
            raise BulkRefused(409, f"what it refers to failed: {failed[0]}")
        kind, scim = operation.kind, self.scim
        data = _resolved(operation.data, job.made)
        identifier = str(_resolved(operation.identifier, job.made))
        match = operation.version
        if operation.method == "POST":
            answer = scim.create(actor, kind, data)
        elif operation.method == "PUT":
            answer = scim.replace(actor, kind, identifier, data, match=match)
        elif operation.method == "PATCH":
            answer = scim.patch(actor, kind, identifier, data, match=match)
        else:
            answer = scim.delete(actor, kind, identifier, match=match)
        location = answer.location or f"{scim.reader.base}/{kind}/{identifier}"
        result = {"method": operation.method, "location": location, "status": str(answer.status)}
        if operation.bulk_id:
            result["bulkId"] = operation.bulk_id
        if answer.version is not None:
            result["version"] = etag(answer.version)
        if operation.method == "POST":
            job.made[operation.bulk_id] = location.rpartition("/")[2]
        job.results[number] = result


def _read(payload: Mapping[str, Any]) -> _Job:
    operations, most = payload.get("Operations"), payload.get("failOnErrors")
    right = REQUEST in (payload.get("schemas") or ()) and isinstance(operations, list)
    if not right or not all(isinstance(one, dict) for one in operations or ()):
        raise scim_error("InvalidSyntaxException")
    if most is not None and (type(most) is not int or most < 1):
        raise scim_error("InvalidValueException")
    whole: list[Mapping[str, Any]] = list(operations or ())
    if len(whole) > BULK_OPERATIONS:
        raise BulkRefused(413, f"at most {BULK_OPERATIONS} operations at a time")
    return _Job(whole, most)


def _operation(job: _Job, number: int) -> _Operation:
    """Return one operation; raise ``BulkRefused`` for a shape that is none."""
    given = job.operations[number]
    method, path = given.get("method"), given.get("path")
    bulk_id, version = given.get("bulkId", ""), given.get("version", "")
    texts = (method, path, bulk_id, version)
    if not all(isinstance(one, str) and len(one) <= _MAX_ID for one in texts):
        raise BulkRefused(400, "method, path, bulkId and version are texts")
    method, (kind, _, identifier) = str(method).upper(), str(path).strip("/").partition("/")
    if method not in _METHODS:
        raise BulkRefused(400, f"method is one of {', '.join(_METHODS)}")
    if kind not in _KINDS or "/" in identifier or (method == "POST") == bool(identifier):
        raise BulkRefused(404, f"nothing is written at {str(path)[:100]}")
    declared = [one.get("bulkId") for one in job.operations if _creates(one)]
    if method == "POST" and (not bulk_id or declared.count(bulk_id) > 1):
        raise BulkRefused(400, "each POST has a bulkId of its own")
    data = given.get("data")
    needs = frozenset(_references(data)) | frozenset(_references(identifier))
    unknown = needs - {one for one in declared if isinstance(one, str)}
    if unknown:
        raise BulkRefused(400, f"no operation has the bulkId {min(unknown)[:100]}")
    return _Operation(method, kind, identifier, bulk_id, version, data, needs)


def _creates(given: Mapping[str, Any]) -> bool:
    return str(given.get("method")).upper() == "POST"


def _references(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(_REFERENCE):
        yield value.removeprefix(_REFERENCE)
    for inner in _inside(value):
        yield from _references(inner)


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _resolved(value: Any, made: Mapping[str, str | None]) -> Any:
    """Return ``value`` with each reference replaced by what was created."""
    if isinstance(value, str) and value.startswith(_REFERENCE):
        return made[value.removeprefix(_REFERENCE)]
    if isinstance(value, dict):
        return {name: _resolved(inner, made) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, made) for inner in value]
    return value


def _fail(job: _Job, number: int, error: Exception) -> bool:
    """Note the refusal of an operation; False for an error that is none."""
    if isinstance(error, BulkRefused):
        status, body = error.status, plain_error(error.status, str(error))
    else:
        told = refusal_of(error)
        if told is None:
            return False
        status, body = told
    given = job.operations[number]
    result: dict[str, Any] = {"status": str(status), "response": body}
    for name in ("method", "bulkId", "version"):
        if isinstance(given.get(name), str):
            result[name] = given[name][:_MAX_ID]
    bulk_id = given.get("bulkId")
    if _creates(given) and isinstance(bulk_id, str) and bulk_id not in job.made:
        job.made[bulk_id] = None
    elif not _creates(given):
        result["location"] = str(given.get("path"))[:_MAX_ID]
    job.results[number] = result
    job.errors += 1
    return True
