"""OpenPGP over HTTP: /api/v1/kms/openpgp/{keys,partners,exports}."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

from kms.api.schemas import BASE64, TEXT, TIME_OR_NULL, object_of, page_of
from kms.api.seal_records import decision_of, decoded_field, in_base64, text_field
from kms.models.openpgp import (
    MAX_EXPORT,
    MAX_PARTNERS_OF_EXPORT,
    OPENPGP_ALGORITHMS,
    OpenPgpAlgorithm,
    OpenPgpKey,
    Partner,
    ProtectedExport,
)
from kms.service import KmsServices
from secops.kernel.clock import rfc3339_or_none, to_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import OPENPGP_CONFIGURE, OPENPGP_READ, OPENPGP_USE
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema

_ROOT: Final = "/api/v1/kms/openpgp"
_BODY: Final = MAX_EXPORT * 4 // 3 + FRAMING
_IDENTITY: Final = {
    "id": TEXT,
    "fingerprint": TEXT,
    "user_id": TEXT,
    "algorithm": TEXT,
    "expires_at": TIME_OR_NULL,
    "state": TEXT,
}


_KEY: Final = object_of(tuple(_IDENTITY), **_IDENTITY, created_at=TIME_OR_NULL)
_PARTNER: Final = object_of(
    tuple(_IDENTITY), **_IDENTITY, name=TEXT, reason=TEXT, requested_at=TIME_OR_NULL
)
_PARTNERS: Final = {
    "type": "array",
    "items": TEXT,
    "minItems": 0,
    "maxItems": MAX_PARTNERS_OF_EXPORT,
}
KEY: Final = Schema("OpenPgpKey", _KEY)
KEY_PAGE: Final = Schema("OpenPgpKeyPage", page_of(_KEY))
CREATE_KEY: Final = Schema(
    "CreateOpenPgpKey",
    object_of(
        ("name", "email"),
        name=TEXT,
        email=TEXT,
        algorithm={"enum": list(OPENPGP_ALGORITHMS)},
    ),
)
PARTNER: Final = Schema("OpenPgpPartner", _PARTNER)
PARTNER_PAGE: Final = Schema("OpenPgpPartnerPage", page_of(_PARTNER))
REQUEST_PARTNER: Final = Schema(
    "RequestPartner",
    object_of(("name", "public_key", "reason"), name=TEXT, public_key=TEXT, reason=TEXT),
)
DECIDE_PARTNER: Final = Schema(
    "DecidePartner",
    object_of(
        ("grant", "reason"),
        grant={"type": "boolean"},
        reason=TEXT,
        fingerprint=TEXT,
    ),
)
PROTECT_EXPORT: Final = Schema(
    "ProtectExport", object_of(("content",), content=BASE64, partners=_PARTNERS)
)
PROTECTED_EXPORT: Final = Schema(
    "ProtectedExport",
    object_of(
        ("message", "fingerprint", "sm3", "sha256"),
        message=BASE64,
        fingerprint=TEXT,
        partners=_PARTNERS,
        sm3=TEXT,
        sha256=TEXT,
    ),
)


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the routes of OpenPGP."""
    keys, partners = _Keys(services), _Partners(services)
    return (
        Route(
            method="GET",
            path=f"{_ROOT}/keys",
            operation="list_openpgp_keys",
            access=OPENPGP_READ,
            handler=keys.list_openpgp_keys,
            response=KEY_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=f"{_ROOT}/keys",
            operation="create_openpgp_key",
            access=OPENPGP_CONFIGURE,
            handler=keys.create_openpgp_key,
            request=CREATE_KEY,
            response=KEY,
            level=2,
        ),
        Route(
            method="GET",
            path=f"{_ROOT}/keys/<key_id>/public",
            operation="export_openpgp_key",
            access=OPENPGP_READ,
            handler=keys.export_openpgp_key,
        ),
        Route(
            method="DELETE",
            path=f"{_ROOT}/keys/<key_id>",
            operation="retire_openpgp_key",
            access=OPENPGP_CONFIGURE,
            handler=keys.retire_openpgp_key,
            level=2,
        ),
        *_partner_routes(partners),
        Route(
            method="POST",
            path=f"{_ROOT}/exports",
            operation="protect_export",
            access=OPENPGP_USE,
            handler=keys.protect_export,
            request=PROTECT_EXPORT,
            response=PROTECTED_EXPORT,
            level=2,
            max_body=_BODY,
        ),
    )


def _partner_routes(partners: _Partners) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=f"{_ROOT}/partners",
            operation="list_partners",
            access=OPENPGP_READ,
            handler=partners.list_partners,
            response=PARTNER_PAGE,
            listing=True,
        ),
        Route(
            method="POST",
            path=f"{_ROOT}/partners",
            operation="request_partner",
            access=OPENPGP_CONFIGURE,
            handler=partners.request_partner,
            request=REQUEST_PARTNER,
            response=PARTNER,
            level=2,
        ),
        Route(
            method="POST",
            path=f"{_ROOT}/partners/<partner_id>/decision",
            operation="decide_partner",
            access=OPENPGP_CONFIGURE,
            handler=partners.decide_partner,
            request=DECIDE_PARTNER,
            response=PARTNER,
            level=2,
        ),
        Route(
            method="DELETE",
            path=f"{_ROOT}/partners/<partner_id>",
            operation="retire_partner",
            access=OPENPGP_CONFIGURE,
            handler=partners.retire_partner,
            level=2,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Keys:
    services: KmsServices

    def list_openpgp_keys(self, request: Request) -> Response:
        keys = self.services.openpgp_keys
        return page_response(
            keys.list_openpgp_keys(request.caller, wanted_page(request)), key_record
        )

    def create_openpgp_key(self, request: Request) -> Response:
        fields = request.json_object()
        algorithm = fields.get("algorithm", OPENPGP_ALGORITHMS[0])
        if algorithm not in OPENPGP_ALGORITHMS:
            msg = f"algorithm is one of {', '.join(OPENPGP_ALGORITHMS)}"
            raise Invalid(msg)
        key = self.services.openpgp_keys.create_openpgp_key(
            request.caller,
            text_field(fields, "name"),
            text_field(fields, "email"),
            cast("OpenPgpAlgorithm", algorithm),
        )
        return json_response(key_record(key), 201)

    def export_openpgp_key(self, request: Request) -> Response:
        key = self.services.openpgp_keys.show_openpgp_key(request.caller, request.args["key_id"])
        return file_response(
            key.public_key.encode(), "application/pgp-keys", f"{key.fingerprint}.asc"
        )

    def retire_openpgp_key(self, request: Request) -> Response:
        self.services.openpgp_keys.retire_openpgp_key(request.caller, request.args["key_id"])
        return Response(204)

    def protect_export(self, request: Request) -> Response:
        """Sign and encrypt; without partners it is a detached signature."""
        request.require_length()
        fields = request.json_object()
        content, partners = decoded_field(fields, "content"), _names(fields.get("partners", []))
        exports = self.services.exports
        if partners:
            export = exports.protect_export(request.caller, content, partners)
        else:
            export = exports.sign_export(request.caller, content)
        return json_response(export_record(export), 201)


@dataclass(frozen=True, slots=True)
class _Partners:
    services: KmsServices

    def list_partners(self, request: Request) -> Response:
        partners = self.services.partners
        return page_response(
            partners.list_partners(request.caller, wanted_page(request)), partner_record
        )

    def request_partner(self, request: Request) -> Response:
        fields = request.json_object()
        partner = self.services.partners.request_partner(
            request.caller,
            text_field(fields, "name"),
            text_field(fields, "public_key").encode(),
            reason=text_field(fields, "reason"),
        )
        return json_response(partner_record(partner), 201)

    def decide_partner(self, request: Request) -> Response:
        fields = request.json_object()
        grant, reason = decision_of(fields)
        partner = self.services.partners.decide_partner(
            request.caller,
            request.args["partner_id"],
            grant=grant,
            reason=reason,
            fingerprint=text_field(fields, "fingerprint") if grant else "",
        )
        return json_response(partner_record(partner))

    def retire_partner(self, request: Request) -> Response:
        self.services.partners.retire_partner(request.caller, request.args["partner_id"])
        return Response(204)


def key_record(key: OpenPgpKey) -> dict[str, Any]:
    """Return a signing key as lists show it; never its secret half."""
    return {**_identity_record(key), "created_at": to_rfc3339(key.created_at)}


def partner_record(partner: Partner) -> dict[str, Any]:
    """Return a partner as lists show it."""
    return {
        **_identity_record(partner),
        "name": partner.name,
        "reason": partner.reason,
        "requested_at": to_rfc3339(partner.requested_at),
    }


def export_record(export: ProtectedExport) -> dict[str, Any]:
    """Return a protected export with its digests, as the ledger has them."""
    return {
        "message": in_base64(export.message),
        "fingerprint": export.fingerprint,
        "partners": list(export.partners),
        "sm3": export.sm3,
        "sha256": export.sha256,
    }


def _identity_record(found: OpenPgpKey | Partner) -> dict[str, Any]:
    return {
        "id": found.id,
        "fingerprint": found.fingerprint,
        "user_id": found.user_id,
        "algorithm": found.algorithm,
        "expires_at": rfc3339_or_none(found.expires_at),
        "state": found.state,
    }


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        msg = "partners is a list of names"
        raise Invalid(msg)
    return tuple(value)
