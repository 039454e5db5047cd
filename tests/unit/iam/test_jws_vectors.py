"""Wycheproof's JWS vectors against our reader; each disagreement is explained by its id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from iam.core.rfc7515.jws import JwsRefused, read_jws, verified_payload
from iam.core.rfc7517.keys import JwkRefused, read_jwk

pytestmark = pytest.mark.corpus

STRICTER: Final[dict[str, tuple[int, ...]]] = {
    "shared secrets are no keys of clients: HMAC is not served": (
        *(1, 348, 352),
        *(357, 358, 359, 372, 373, 376, 377),
    ),
    "PKCS #1 v1.5 signatures are not served (FAPI 2.0 §5.4)": (
        *(33, 259, 260, 261, 262, 263, 264, 265, 266, 267, 268, 269, 270, 271),
        *(345, 349),
    ),
    "PS256 is the one RSA algorithm served": (320, 321, 322, 323, 325, 326, 327, 328, 346, 350),
    "P-256 is the one ECDSA curve served": (347, 351),
    "a JWT is never empty": (272,),
}
"""Vectors that are valid and refused here; none that is invalid is accepted."""


def cases(corpus: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    file = corpus / "wycheproof" / "json_web_signature_test.json"
    for group in json.loads(file.read_text())["testGroups"]:
        for case in group["tests"]:
            yield group.get("public") or group["private"], case


def accepted(key: dict[str, Any], jws: Any) -> bool:
    try:
        verified_payload(read_jws(jws if isinstance(jws, str) else json.dumps(jws)), read_jwk(key))
    except (JwkRefused, JwsRefused):
        return False
    return True


def test_wycheproof_and_we_disagree_only_where_we_say_why(corpus: Path) -> None:
    explained = {number: why for why, numbers in STRICTER.items() for number in numbers}
    looser, stricter, total = [], [], 0
    for key, case in cases(corpus):
        total += 1
        found, wanted = accepted(key, case["jws"]), case["result"] == "valid"
        if found and not wanted:
            looser.append(case["tcId"])
        if wanted and not found:
            stricter.append(case["tcId"])
    print(
        f"Wycheproof JWS: {total} vectors, {len(looser)} accepted wrongly, {len(stricter)} refused"
    )
    assert (total, looser, sorted(stricter)) == (401, [], sorted(explained))
