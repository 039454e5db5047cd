"""The files the product ships for this plane: access policies, the weak list, schemes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from iam.adapters.cedar import CedarCompiler, CedarEngine
from iam.errors import RealNameSchemesInvalid
from iam.models.real_name import MAX_SCHEMES_TEXT

_FOLDER: Final = files("rules.policies")


def weak_passwords() -> frozenset[str]:
    """Return the words no password may lean on."""
    lines = (_FOLDER / "weak_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def real_name_texts(own: Path | None = None) -> tuple[str, ...]:
    """Return the shipped schemes and the operator's ``own`` file, as TOML.

    Raises ``RealNameSchemesInvalid`` where that can't be read.
    """
    shipped = (_FOLDER / "real_name_levels.toml").read_text(encoding="utf-8")
    if own is None:
        return (shipped,)
    try:
        with own.open(encoding="utf-8") as handle:
            return shipped, handle.read(MAX_SCHEMES_TEXT + 1)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{own} can't be read"
        raise RealNameSchemesInvalid(msg) from error


def access_policies() -> CedarEngine:
    """Return the engine over the shipped policies; raise ``PolicyUnusable``."""
    return policy_compiler().compile()


def policy_compiler() -> CedarCompiler:
    """Return what makes engines of the shipped policies and own ones."""
    names = ("access.cedar", "access.cedarschema", "access_data.toml")
    policies, schema, data = ((_FOLDER / name).read_text(encoding="utf-8") for name in names)
    return CedarCompiler(policies, schema, data)
