"""RFC 8785 (JCS): the one byte form of a JSON value, so that it can be hashed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import rfc8785

from secops.kernel.errors import Invalid


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 form of ``value``; raise ``Invalid`` if it has none."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        msg = "the value has no RFC 8785 form"
        raise Invalid(msg) from error


def canonical_record(value: Mapping[str, Any]) -> bytes:
    """Return the RFC 8785 form of a record of ASCII keys, texts, small ints and nests of them.

    For those, sorted orjson output is byte-equal to RFC 8785 (a property test holds the
    two together) at a twentieth of the cost; floats would differ and are not for records.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
