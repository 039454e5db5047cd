"""The table of uses says what the code does, and the documents name every engine."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from kms.adapters.custody.software import _SUITES
from secops.crypto.self_test import KNOWN_ANSWER_TESTS

ROOT = Path(__file__).resolve().parents[3]
NATIONAL = ("SM2", "SM3", "SM4")
CIPHERS = {"aes256-gcm": "AES-256-GCM", "sm4-gcm": "SM4-GCM"}
HASHES = {"sha256": "HMAC-SHA-256", "sm3": "HMAC-SM3"}


def uses() -> dict[str, dict[str, Any]]:
    text = (files("rules") / "policies" / "crypto_profile.toml").read_text(encoding="utf-8")
    return {row["purpose"]: row for row in tomllib.loads(text)["use"]}


def test_every_use_has_both_profiles_both_languages_and_a_place_that_exists() -> None:
    for purpose, row in uses().items():
        assert set(row) == {"purpose", "title", "where", "intl", "gm"}, purpose
        assert all(row["title"][language] for language in ("zh", "en")), purpose
        assert (ROOT / row["where"]).exists(), purpose
        for profile in ("intl", "gm"):
            assert set(row[profile]) == {"algorithm", "standard", "national"}, purpose


def test_national_means_a_national_algorithm_is_named() -> None:
    for purpose, row in uses().items():
        for profile in ("intl", "gm"):
            entry = row[profile]
            if entry["national"]:
                assert any(name in entry["algorithm"] for name in NATIONAL), (purpose, profile)


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_the_wrapping_rows_are_what_custody_does(profile: Any) -> None:
    suite, table = _SUITES[profile], uses()
    assert table["key_wrapping"][profile]["algorithm"] == CIPHERS[suite.cipher]
    assert table["key_record_integrity"][profile]["algorithm"] == HASHES[suite.hash_name]


def test_the_crypto_map_names_every_engine() -> None:
    text = (ROOT / "docs" / "security" / "crypto.md").read_text(encoding="utf-8").lower()
    names = {
        "hash": "sha-2",
        "hmac": "hmac",
        "ecdsa": "ecdsa",
        "rsa": "rsa-pss",
        "ml-dsa": "ml-dsa",
    }
    for engine in KNOWN_ANSWER_TESTS:
        assert names.get(engine, engine) in text, engine
