"""Reading a provider's configuration: every field of its type, nothing unknown, nothing unsafe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any, Final, cast
from urllib.parse import urlsplit

import orjson

from iam.core.rfc4515.filter import template_is_safe
from iam.core.upstream_ticket.layout import check_ticket_settings
from iam.errors import UpstreamInvalid
from iam.models.upstream import (
    SETTINGS,
    CasSettings,
    LdapSettings,
    OidcSettings,
    TicketSettings,
    Trust,
    UpstreamKind,
    UpstreamPlan,
    UpstreamSettings,
)

ALGORITHMS: Final = frozenset({"ES256", "ES384", "PS256", "RS256", "EdDSA"})
MAX_TEXT: Final = 500
MAX_ITEMS: Final = 50
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,31}", re.ASCII)
_SCHEME: Final = re.compile(r"[a-z]{2}(?:-[a-z0-9]{1,12})+", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?", re.ASCII)
_LINKS: Final = frozenset({"cn-id", "uscc"})
_HIGHEST: Final = 2
_ENCRYPTIONS: Final = ("ldaps", "starttls")


def make_plan(upstream_id: str, document: Mapping[str, Any]) -> UpstreamPlan:
    """Return the checked plan of a document {kind, title, settings, trust}.

    Raises ``UpstreamInvalid`` naming the field.
    """
    if _ID.fullmatch(upstream_id) is None:
        raise _invalid("an id has 2 to 32 lower-case letters, digits or -")
    unknown = set(document) - {"kind", "title", "settings", "trust"}
    if unknown:
        raise _invalid(f"there is no field {min(unknown)!r}")
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in SETTINGS:
        raise _invalid(f"kind is one of {', '.join(SETTINGS)}")
    settings = _read(SETTINGS[kind], document.get("settings", {}), "settings")
    trust = _read(Trust, document.get("trust", {}), "trust")
    _CHECKS[kind](settings)
    _check_trust(trust)
    title = _text("title", document.get("title", upstream_id))
    return UpstreamPlan(upstream_id, cast("UpstreamKind", kind), title, settings, trust)


def write_plan(plan: UpstreamPlan) -> str:
    """Return the plan as canonical JSON; what is approved is this text."""
    document = {
        "kind": plan.kind,
        "title": plan.title,
        "settings": asdict(plan.settings),
        "trust": asdict(plan.trust),
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def status_url_of(settings: UpstreamSettings) -> str:
    """Return where the provider is asked whether somebody left, "" where it can't be."""
    return "" if isinstance(settings, LdapSettings) else settings.status_url


def _invalid(detail: str) -> UpstreamInvalid:
    return UpstreamInvalid(detail)


def _read(kind: type, given: Any, place: str) -> Any:
    """Return a ``kind`` of the members of ``given``; each of the type its field is declared."""
    if not isinstance(given, Mapping):
        raise _invalid(f"{place} must be an object")
    known = {entry.name: str(entry.type) for entry in fields(kind)}
    values = {}
    for name, value in given.items():
        if name not in known:
            raise _invalid(f"there is no field {place}.{name}")
        values[name] = _READERS[known[name]](f"{place}.{name}", value)
    try:
        return kind(**values)
    except TypeError as error:
        missing = [name for name in known if name not in values]
        raise _invalid(f"{place} needs one of {', '.join(missing[:4])}") from error


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise _invalid(f"{name} must be a text of at most {MAX_TEXT} characters")
    return value


def _whole(name: str, value: Any) -> int:
    if type(value) is not int or not 0 < value <= 100_000:  # noqa: PLR2004 - no number here is greater
        raise _invalid(f"{name} must be a whole number above 0")
    return value


def _flag(name: str, value: Any) -> bool:
    if type(value) is not bool:
        raise _invalid(f"{name} must be true or false")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MAX_ITEMS:
        raise _invalid(f"{name} must be a list of at most {MAX_ITEMS} texts")
    return tuple(_text(name, item) for item in value)


def _numbers(name: str, value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping) or len(value) > MAX_ITEMS:
        raise _invalid(f"{name} must be an object of at most {MAX_ITEMS} numbers")
    return {_text(name, key): _whole(name, number) for key, number in value.items()}


_READERS: Final[dict[str, Callable[[str, Any], Any]]] = {
    "str": _text,
    "int": _whole,
    "bool": _flag,
    "tuple[str, ...]": _texts,
    "Mapping[str, int]": _numbers,
}


def _check_url(name: str, value: str) -> None:
    """Raise unless ``value`` is https, or http on this machine; no query, no fragment."""
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise _invalid(f"{name} is no address") from error
    plain = value.isascii() and " " not in value and "\\" not in value and "@" not in parts.netloc
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (plain and safe and parts.hostname) or "#" in value or "?" in value:
        raise _invalid(f"{name} must be an https address without query or fragment")


def _check_optional_url(name: str, value: str) -> None:
    if value:
        _check_url(name, value)


def _check_oidc(settings: OidcSettings) -> None:
    _check_url("settings.issuer", settings.issuer)
    _check_optional_url("settings.jwks_uri", settings.jwks_uri)
    _check_optional_url("settings.status_url", settings.status_url)
    if settings.algorithm not in ALGORITHMS:
        raise _invalid(f"settings.algorithm is one of {', '.join(sorted(ALGORITHMS))}")
    if settings.authentication not in ("basic", "post"):
        raise _invalid("settings.authentication is basic or post")
    if not settings.client_id or "openid" not in settings.scopes:
        raise _invalid("settings.client_id, and openid among settings.scopes, are needed")


def _check_ticket(settings: TicketSettings) -> None:
    _check_url("settings.login_url", settings.login_url)
    _check_optional_url("settings.status_url", settings.status_url)
    check_ticket_settings(settings)


def _check_cas(settings: CasSettings) -> None:
    _check_url("settings.server_url", settings.server_url)
    _check_optional_url("settings.status_url", settings.status_url)


def _check_ldap(settings: LdapSettings) -> None:
    if _HOST.fullmatch(settings.host) is None:
        raise _invalid("settings.host is a lower-case host name")
    if not (settings.base_dn and settings.bind_dn and settings.subject_attribute):
        raise _invalid("settings.base_dn, bind_dn and subject_attribute are needed")
    if settings.encryption not in _ENCRYPTIONS:
        raise _invalid("settings.encryption is ldaps or starttls, never none")
    if not template_is_safe(settings.search_filter):
        raise _invalid("settings.search_filter is a filter with {name} once, as a value")


_CHECKS: Final[dict[str, Callable[[Any], None]]] = {
    "oidc": _check_oidc,
    "ticket": _check_ticket,
    "cas": _check_cas,
    "ldap": _check_ldap,
}


def _check_trust(trust: Trust) -> None:
    if not trust.link_by or not set(trust.link_by) <= _LINKS:
        raise _invalid("trust.link_by is of cn-id and uscc: never a name or an e-mail address")
    if trust.scheme and _SCHEME.fullmatch(trust.scheme) is None:
        raise _invalid("trust.scheme is like cn-gd")
    if trust.levels and not trust.scheme:
        raise _invalid("trust.levels are levels of trust.scheme")
    if trust.assurance > _HIGHEST:
        raise _invalid("trust.assurance is 1 or 2")
