"""Inside the worker: what signatures a PDF has, and whether their arithmetic holds."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    FormUpdatingRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
)
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from kms.adapters.pdf.extending import validation_data
from kms.ports.pdf import SES, TIME_STAMP
from secops.kernel.clock import SECOND

_MAX_SIGNATURES: Final = 200
_MAX_HASHED: Final = 256 << 20
"""Bytes that signatures say they cover which are hashed outside this process."""

_HASHED_OUTSIDE: Final = (SES, TIME_STAMP)
_NEW_FIELD: Any = SigFieldCreationRule
_LATER: Final = StandardDiffPolicy(
    global_rules=DEFAULT_DIFF_POLICY.global_rules,
    form_rule=FormUpdatingRule(field_rules=[_NEW_FIELD(), SigFieldModificationRule()]),
)
"""What may come after a signature: others, and validation data. Nothing else of a form is filled
in: a field over the whole page would show what nobody signed."""

_RANGE: Final = 4


def read(document: bytes) -> dict[str, Any]:
    """Return the signatures and validation data of ``document``, as ``ports.pdf.ReadPdf``."""
    reader = PdfFileReader(io.BytesIO(document))
    found = _signatures(document, reader)
    try:
        data = validation_data(reader) if found else {}
    except Exception:  # noqa: BLE001 - a store that can't be read proves nothing
        data = {}
    return {"signatures": found, "validation_data": data}


def _signatures(document: bytes, reader: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, value, field in enumerate_sig_fields(reader, filled_status=True):
        if len(found) >= _MAX_SIGNATURES:
            msg = f"more than {_MAX_SIGNATURES} signatures"
            raise ValueError(msg)
        found.append(_signature(document, reader, str(name), value.get_object(), field))
    _require_sparing([each for each in found if not each.get("problem")])
    return found


def _require_sparing(sound: Sequence[dict[str, Any]]) -> None:
    """Raise ``ValueError`` for what would cost the asking process time and memory."""
    if len({each["byte_range"][1] for each in sound}) != len(sound):
        msg = "two fields share a signature"
        raise ValueError(msg)
    ranges = [each["byte_range"] for each in sound if each["subfilter"] in _HASHED_OUTSIDE]
    if sum(first + rest for _, first, _, rest in ranges) > _MAX_HASHED:
        msg = f"signatures over more than {_MAX_HASHED >> 20} MiB in all"
        raise ValueError(msg)


def _signature(
    document: bytes, reader: Any, name: str, signature: Any, field: Any
) -> dict[str, Any]:
    contents = bytes(signature.raw_get("/Contents"))
    byte_range, sound = _byte_range(document, signature, contents)
    subfilter = str(signature.get("/SubFilter", "")).lstrip("/")
    record = {
        "field": name[:200],
        "subfilter": subfilter[:100],
        "signed_at": _time(reader, signature),
        "byte_range": byte_range,
        # what nobody looks at is not handed on: packed, it may unpack to anything
        "contents": base64.b64encode(contents if sound else b"").decode(),
        "covers_file": sound and byte_range[2] + byte_range[3] == len(document),
        "unchanged": False,
        "signer_certificate": "",
    }
    if not sound:
        record["problem"] = "the signed range leaves out something else than the signature"
    elif subfilter == SES:
        record["unchanged"] = record["covers_file"]
    else:
        try:
            embedded: Any = EmbeddedPdfSignature(reader, field, name)
            record |= _changes(embedded)
            if subfilter != TIME_STAMP:
                record |= _cms(embedded)
        except Exception as error:  # noqa: BLE001 - whatever a hostile file makes it raise
            record["problem"] = f"{type(error).__name__}: {error}"[:200]
    return record


def _byte_range(document: bytes, signature: Any, contents: bytes) -> tuple[list[int], bool]:
    """Return /ByteRange, and whether its gap is exactly the hex string of ``contents``."""
    numbers = [int(each) for each in signature.raw_get("/ByteRange")]
    if len(numbers) != _RANGE or any(number < 0 for number in numbers) or numbers[0] != 0:
        return [0, 0, 0, 0], False
    _, start, end, rest = numbers
    gap = document[start:end]
    inside = start < end and end + rest <= len(document)
    exact = gap[:1] == b"<" and gap[-1:] == b">" and gap[1:-1].lower() == contents.hex().encode()
    return numbers, inside and exact


def _time(reader: Any, signature: Any) -> int | None:
    if "/M" not in signature:
        return None
    try:
        moment = generic.parse_pdf_date(signature["/M"], strict=reader.strict)
        return _instant(moment)
    except (ValueError, OverflowError, PdfReadError):
        return None


def _instant(moment: datetime) -> int:
    """Return UTC microseconds; raise ``OverflowError`` beyond the years 1 to 9999 in UTC."""
    return int(moment.astimezone(UTC).timestamp()) * SECOND


def _changes(embedded: Any) -> dict[str, Any]:
    """Return what pyHanko finds about what came after a signature."""
    embedded.compute_integrity_info(diff_policy=_LATER)
    allowed = ModificationLevel.FORM_FILLING.value
    summary = embedded.summarise_integrity_info()
    level = getattr(summary["diff_result"], "modification_level", ModificationLevel.NONE)
    return {
        "unchanged": summary["docmdp_ok"] is True and level.value <= allowed,
        "validation_data": level is ModificationLevel.LTA_UPDATES,
    }


def _cms(embedded: Any) -> dict[str, Any]:
    """Return what pyHanko finds of a signature in CMS; trust is judged elsewhere."""
    certificate = embedded.signer_cert
    intact, valid = validate_sig_integrity(
        embedded.signer_info, certificate, "data", embedded.compute_digest()
    )
    moment = embedded.self_reported_timestamp
    return {
        "intact": intact,
        "valid": intact and valid,
        "signer_certificate": base64.b64encode(certificate.dump()).decode(),
        "digest_algorithm": embedded.md_algorithm,
        "signed_at": None if moment is None else _instant(moment),
    }
