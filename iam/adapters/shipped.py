"""The files the product ships for this plane: access policies and the weak list."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from iam.adapters.cedar import CedarCompiler, CedarEngine

_FOLDER: Final = files("rules.policies")


def weak_passwords() -> frozenset[str]:
    """Return the words no password may lean on."""
    lines = (_FOLDER / "weak_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def access_policies() -> CedarEngine:
    """Return the engine over the shipped policies; raise ``PolicyUnusable``."""
    return policy_compiler().compile()


def policy_compiler() -> CedarCompiler:
    """Return what makes engines of the shipped policies and own ones."""
    names = ("access.cedar", "access.cedarschema", "access_data.toml")
    policies, schema, data = ((_FOLDER / name).read_text(encoding="utf-8") for name in names)
    return CedarCompiler(policies, schema, data)
