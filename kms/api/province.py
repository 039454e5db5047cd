"""What the province's verifier says of a file, beside our verdict: …/verify-at-province."""

from __future__ import annotations

from dataclasses import dataclass

from kms.api.seal_records import decoded_field
from kms.api.seal_schemas import BOTH_VERDICTS, VERIFY_SEAL
from kms.models.seals import MAX_FILE
from kms.service import KmsServices
from secops.kernel.permissions.kms import SEAL_READ
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route


def routes(services: KmsServices) -> tuple[Route, ...]:
    """Return the route."""
    return (
        Route(
            method="POST",
            path="/api/v1/kms/seals/verify-at-province",
            operation="verify_seal_at_province",
            access=SEAL_READ,
            handler=_Province(services).verify_seal_at_province,
            request=VERIFY_SEAL,
            response=BOTH_VERDICTS,
            max_body=2 * MAX_FILE * 4 // 3,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Province:
    services: KmsServices

    def verify_seal_at_province(self, request: Request) -> Response:
        request.require_length()
        fields = request.json_object()
        document = decoded_field(fields, "document") if "document" in fields else None
        both = self.services.remote_seals.verify_seal_at_province(
            request.caller, decoded_field(fields, "file"), document
        )
        return json_response(both.to_record())
