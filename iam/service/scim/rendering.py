"""SCIM's own forms: models, answers, errors. ``scim2_models`` costs half a second: it waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from secops.kernel.errors import SecopsError

LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_PARAMETERS: Final = ("attributes", "excludedAttributes")


def model_of(kind: str) -> Any:
    """Return the model of an endpoint's resources."""
    from scim2_models import Group, User  # noqa: PLC0415 - when it is needed

    return User if kind == "Users" else Group


def parameters_of(model: Any, query: Mapping[str, Any]) -> Any:
    """Return what a client wants to see of resources (RFC 7644 §3.9)."""
    from scim2_models import ResponseParameters  # noqa: PLC0415 - when it is needed

    wanted = {name: query[name] for name in _PARAMETERS if name in query}
    return ResponseParameters[model].model_validate(wanted)


def dump(resource: Any, parameters: Any) -> dict[str, Any]:
    """Return a resource as a client sees it; what is never returned is left out."""
    from scim2_models import Context  # noqa: PLC0415 - when it is needed

    shown: dict[str, Any] = resource.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters
    )
    return shown


def stored_form(resource: Any) -> dict[str, Any]:
    """Return what is kept of a resource: no password, and nothing other tables know better."""
    kept = dump(resource, None)
    return {
        name: value
        for name, value in kept.items()
        if name not in ("id", "meta", "userName", "active", "groups", "password")
    }


def list_of(resources: Sequence[Any], total: int, start: int) -> dict[str, Any]:
    """Return a ListResponse (RFC 7644 §3.4.2)."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def etag(version: int) -> str:
    """Return the weak ETag of a version."""
    return f'W/"{version}"'


def scim_error(name: str) -> Exception:
    """Return the exception of ``scim2_models`` called ``name``."""
    import scim2_models  # noqa: PLC0415 - when it is needed

    made: Exception = getattr(scim2_models, name)()
    return made


def error_of(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """Return status and body for what SCIM has words for, None for anything else."""
    from pydantic import ValidationError  # noqa: PLC0415 - when it is needed
    from scim2_models import Error, SCIMException  # noqa: PLC0415

    if isinstance(error, SCIMException):
        told = error.to_error()
    elif isinstance(error, ValidationError):
        told = Error.from_validation_errors(error)[0]
    else:
        return None
    body: dict[str, Any] = told.model_dump()
    return int(told.status or 400), body


def refusal_of(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """Return status and body for any refusal, ours or SCIM's, None for anything else."""
    if isinstance(error, SecopsError):
        return error.status, plain_error(error.status, error.detail)
    return error_of(error)


def plain_error(status: int, detail: str) -> dict[str, Any]:
    """Return the body of an error that has no ``scimType``."""
    return {"schemas": [ERROR], "status": str(status), "detail": detail}
