"""The shape of a playbook: every key of CACAO 2.0 §3 to §10, with closed key sets.

The published JSON schemas let unknown keys, bad variable names and unknown commands pass;
these tables don't.
"""

from __future__ import annotations

import re
from typing import Any, Final

from playbooks.core.cacao20.grammar import (
    Check,
    Record,
    anything,
    array,
    boolean,
    identifier,
    integer,
    mapping,
    one_of,
    text,
    text_or_null,
    timestamp,
)
from playbooks.core.cacao20.problems import Findings, pointer
from playbooks.core.cacao20.vocabulary import (
    AGENT_TYPES,
    IDENTIFIER,
    SECOPS,
    STEP_TYPES,
    UUID,
    VARIABLE,
)

_DAYS_100_MS: Final = 100 * 24 * 3_600_000
_PERCENT: Final = integer(0, 100)
_TEXTS: Final = array(text, 1)
_IDS: Final = array(identifier(), 1)
_EXTENSIONS: Final = mapping(re.compile("extension-definition--" + UUID), anything)
_ANY_KEY: Final = re.compile(r".{1,250}", re.DOTALL)

_REFERENCE: Final = Record(
    dict.fromkeys(("name", "description", "source", "url", "external_id"), text)
    | {"reference_id": identifier()},
    frozenset({"name"}),
)
_REFERENCES: Final = array(_REFERENCE, 1)
_LOCATION: Final = Record(
    dict.fromkeys(
        (
            "name",
            "description",
            "building_details",
            "network_details",
            "region",
            "country",
            "administrative_area",
            "city",
            "street_address",
            "postal_code",
            "latitude",
            "longitude",
            "precision",
        ),
        text,
    )
)
_CONTACT: Final = Record(
    {
        "email": mapping(_ANY_KEY, text),
        "phone": mapping(_ANY_KEY, text),
        "contact_details": text,
    }
)
VARIABLES: Final = mapping(
    VARIABLE,
    Record(
        {
            "type": text,
            "description": text,
            "value": text_or_null,
            "constant": boolean,
            "external": boolean,
        },
        frozenset({"type"}),
    ),
)

_AGENT: Final = Record(
    {
        "type": text,
        "name": text,
        "description": text,
        "location": _LOCATION,
        "agent_target_extensions": _EXTENSIONS,
    },
    frozenset({"type", "name"}),
    unknown="foreign_key",
)
_ADDRESS: Final = mapping(re.compile("dname|ipv4|ipv6|l2mac|vlan|url"), array(text, 1))
_NETWORKED: Final[dict[str, Check]] = {
    "address": _ADDRESS,
    "authentication_info": identifier(),
    "category": _TEXTS,
}
_REACHED: Final[dict[str, Check]] = {**_NETWORKED, "port": text}
_AGENTS: Final[dict[str, Record]] = {
    **dict.fromkeys(("group", "individual", "organization"), _AGENT.plus({"contact": _CONTACT})),
    **dict.fromkeys(("http-api", "linux", "ssh"), _AGENT.plus(_REACHED, "address")),
    "net-address": _AGENT.plus(_NETWORKED, "address"),
    "location": _AGENT.plus({"logical": _TEXTS}),
    "sector": _AGENT.plus({"sector": text}, "sector"),
    "security-category": _AGENT.plus({"category": _TEXTS}, "category"),
    SECOPS: _AGENT,
}
_FOREIGN_AGENT: Final = Record(_AGENT.fields, _AGENT.required, unknown="")

_COMMAND: Final = Record(
    {
        "type": text,
        "description": text,
        "version": text,
        "playbook_activity": text,
        "external_references": array(_REFERENCE),
    },
    frozenset({"type"}),
)
_PLAIN: Final = _COMMAND.plus({"command": text, "command_b64": text})
_ENCODED: Final = _COMMAND.plus({"command_b64": text}, "command_b64")
_HEADERS: Final = mapping(_ANY_KEY, array(text, 1))
COMMANDS: Final[dict[str, Record]] = {
    **dict.fromkeys(("manual", "bash", "caldera-cmd", "powershell", "ssh"), _PLAIN),
    **dict.fromkeys(("elastic", "jupyter", "kestrel", "sigma", "yara"), _ENCODED),
    "http-api": _COMMAND.plus(
        {"command": text, "headers": _HEADERS, "content": text, "content_b64": text}, "command"
    ),
    "openc2-http": _COMMAND.plus(
        {"command": text, "headers": _HEADERS, "content_b64": text}, "command", "content_b64"
    ),
    SECOPS: _COMMAND.plus({"command": text}, "command"),
}


def _command(value: Any, place: str, findings: Findings) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in COMMANDS:
        findings.add("unknown_command_type", pointer(place, "type"), kind)
        return
    COMMANDS.get(str(kind), _COMMAND)(value, place, findings)


def _agent(value: Any, place: str, findings: Findings) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    _AGENTS.get(str(kind), _FOREIGN_AGENT)(value, place, findings)
    key = place.rpartition("/")[2].partition("--")[0]
    known = AGENT_TYPES | {SECOPS}
    if isinstance(kind, str) and kind != key and (kind in known or key in known):
        findings.add("key_type_mismatch", pointer(place, "type"), f"{key} / {kind}")


_STEP: Final = Record(
    {
        "type": text,
        "name": text,
        "description": text,
        "external_references": _REFERENCES,
        "delay": integer(0, _DAYS_100_MS),
        "timeout": integer(0, _DAYS_100_MS),
        "step_variables": VARIABLES,
        "owner": identifier(),
        "on_completion": identifier(),
        "on_success": identifier(),
        "on_failure": identifier(),
        "step_extensions": _EXTENSIONS,
    },
    frozenset({"type"}),
)
_ARGS: Final[dict[str, Check]] = {"in_args": _TEXTS, "out_args": _TEXTS}
_STEPS: Final[dict[str, Record]] = {
    "start": _STEP,
    "end": _STEP,
    "action": _STEP.plus(
        {"commands": array(_command, 1), "agent": identifier(), "targets": _IDS, **_ARGS},
        "commands",
        "agent",
    ),
    "playbook-action": _STEP.plus(
        {"playbook_id": identifier("playbook"), "playbook_version": timestamp, **_ARGS},
        "playbook_id",
    ),
    "parallel": _STEP.plus({"next_steps": array(identifier(), 2)}, "next_steps"),
    "if-condition": _STEP.plus(
        {"condition": text, "on_true": identifier(), "on_false": identifier()},
        "condition",
        "on_true",
    ),
    "while-condition": _STEP.plus(
        {"condition": text, "on_true": identifier()}, "condition", "on_true"
    ),
    "switch-condition": _STEP.plus(
        {"switch": text, "cases": mapping(re.compile(r"[a-zA-Z0-9_-]{1,250}"), identifier())},
        "switch",
        "cases",
    ),
}


def _step(value: Any, place: str, findings: Findings) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in STEP_TYPES:
        findings.add("unknown_step_type", pointer(place, "type"), kind)
        return
    _STEPS.get(str(kind), _STEP)(value, place, findings)
    key = place.rpartition("/")[2].partition("--")[0]
    if isinstance(kind, str) and key in STEP_TYPES and key != kind:
        findings.add("key_type_mismatch", pointer(place, "type"), f"{key} / {kind}")


def _authentication(value: Any, place: str, findings: Findings) -> None:
    _AUTHENTICATION(value, place, findings)
    if isinstance(value, dict) and value.get("kms") is not True:
        for name in ("password", "token"):
            if value.get(name):
                findings.add("clear_password", pointer(place, name))


_AUTHENTICATION: Final = Record(
    {
        **dict.fromkeys(
            (
                "name",
                "description",
                "user_id",
                "username",
                "password",
                "oauth_header",
                "token",
                "kms_key_identifier",
            ),
            text,
        ),
        "type": text,
        "kms": boolean,
        "authentication_info_extensions": _EXTENSIONS,
    },
    frozenset({"type"}),
)
_EXTENSION: Final = Record(
    {
        "type": one_of("extension-definition"),
        "name": text,
        "description": text,
        "created_by": identifier("identity"),
        "schema": text,
        "version": text,
        "external_references": _REFERENCES,
    },
    frozenset({"type", "name", "created_by", "schema", "version"}),
)
_MARKING: Final = Record(
    {
        "type": one_of("marking-tlp", "marking-iep", "marking-statement"),
        "id": identifier(),
        "created_by": identifier(),
        "created": timestamp,
    },
    frozenset({"type", "id", "created_by", "created"}),
    unknown="",
)
_SUMMARY: Final = Record(
    dict.fromkeys(
        (
            "manual_playbook",
            "external_playbooks",
            "parallel_processing",
            "if_logic",
            "while_logic",
            "switch_logic",
            "temporal_logic",
            "data_markings",
            "digital_signatures",
            "countersigned_signatures",
            "extensions",
        ),
        boolean,
    )
)
_SIGNATURE: Final = Record(
    {
        "type": one_of("jss"),
        "id": identifier("jss"),
        "created_by": identifier(),
        "created": timestamp,
        "modified": timestamp,
        "revoked": boolean,
        "signee": text,
        "valid_from": timestamp,
        "valid_until": timestamp,
        "related_to": identifier("playbook"),
        "related_version": timestamp,
        "hash_algorithm": text,
        "algorithm": text,
        "public_key": text,
        "public_cert_chain": _TEXTS,
        "cert_url": text,
        "thumbprint": text,
        "value": text,
        "signature": anything,
    },
    frozenset(
        {
            "type",
            "id",
            "created",
            "modified",
            "signee",
            "related_to",
            "related_version",
            "hash_algorithm",
            "algorithm",
            "value",
        }
    ),
)

PLAYBOOK: Final = Record(
    {
        "type": one_of("playbook"),
        "spec_version": one_of("cacao-2.0"),
        "id": identifier("playbook"),
        "name": text,
        "description": text,
        "playbook_types": array(text),
        "playbook_activities": _TEXTS,
        "playbook_processing_summary": _SUMMARY,
        "created_by": identifier("identity"),
        "created": timestamp,
        "modified": timestamp,
        "revoked": boolean,
        "valid_from": timestamp,
        "valid_until": timestamp,
        "derived_from": _IDS,
        "related_to": _IDS,
        "priority": _PERCENT,
        "severity": _PERCENT,
        "impact": _PERCENT,
        "industry_sectors": _TEXTS,
        "labels": _TEXTS,
        "external_references": _REFERENCES,
        "markings": _IDS,
        "playbook_variables": VARIABLES,
        "workflow_start": identifier(),
        "workflow_exception": identifier(),
        "workflow": mapping(re.compile(f"(?:{'|'.join(sorted(STEP_TYPES))})--{UUID}"), _step),
        "playbook_extensions": _EXTENSIONS,
        "authentication_info_definitions": mapping(IDENTIFIER, _authentication),
        "agent_definitions": mapping(IDENTIFIER, _agent),
        "target_definitions": mapping(IDENTIFIER, _agent),
        "extension_definitions": mapping(re.compile("extension-definition--" + UUID), _EXTENSION),
        "data_marking_definitions": mapping(IDENTIFIER, _MARKING),
        "signatures": array(_SIGNATURE, 1),
    },
    frozenset(
        {
            "type",
            "spec_version",
            "id",
            "name",
            "created_by",
            "created",
            "modified",
            "workflow_start",
            "workflow",
        }
    ),
)
