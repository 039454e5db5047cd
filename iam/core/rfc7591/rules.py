"""What may be registered as an application: checked before anything is stored."""

from __future__ import annotations

import re
from typing import Final

from iam.core.rfc6749.authorize import registrable_uri
from iam.core.rfc7515.jws import ALGORITHMS, JwsRefused, json_object
from iam.core.rfc7517.keys import JwkRefused, read_jwks
from iam.core.rfc9470.demands import LEVELS
from iam.errors import IdentityInvalid, InvalidRequest, NameTaken, RedirectRefused
from iam.models.clients import DEVICE_GRANT, TOKEN_ALGORITHMS, NewClient
from iam.models.options import CLI_CLIENT, CONSOLE_CLIENT
from iam.models.real_name import DEMANDS, NO_DEMAND

GRANTS: Final = frozenset(
    {"authorization_code", "refresh_token", "client_credentials", DEVICE_GRANT}
)
OF_PEOPLE: Final = frozenset({"authorization_code", DEVICE_GRANT})
"""Grants by which a person signs in."""
MAX_URIS: Final = 20
MAX_JWKS: Final = 16_384
MAX_AGE: Final = 99_999_999
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}", re.ASCII)


def check_client(new: NewClient) -> None:
    """Return if ``new`` may be registered.

    Raises ``IdentityInvalid`` or ``NameTaken`` for its id, ``RedirectRefused`` for an
    address, ``InvalidRequest`` for everything else.
    """
    if _ID.fullmatch(new.id) is None:
        msg = "a client id has 2 to 64 lower-case letters, digits or . _ -"
        raise IdentityInvalid(msg)
    if new.id in (CONSOLE_CLIENT, CLI_CLIENT) or new.id.startswith(("acc_", "org_")):
        msg = "this id is taken by the product"
        raise NameTaken(msg)
    _check_grants(new)
    _check_addresses(new)
    _check_keys(new)
    _check_profile(new)
    if not all(_WORD.fullmatch(word) for word in (*new.scopes, *new.audiences)):
        msg = "scopes and audiences are single words"
        raise InvalidRequest(msg)
    if new.level not in LEVELS or not 0 <= (new.max_age or 0) <= MAX_AGE:
        msg = "the level is 1, 2 or 3, and the greatest age a number of seconds"
        raise InvalidRequest(msg)
    _check_real_name(new)


def _check_real_name(new: NewClient) -> None:
    if new.real_name_level not in DEMANDS:
        msg = f"the real-name level is one of {', '.join(DEMANDS)}"
        raise InvalidRequest(msg)
    if new.real_name_level != NO_DEMAND and not new.grants & OF_PEOPLE:
        msg = "a real-name level is demanded of people, and nobody signs in to this application"
        raise InvalidRequest(msg)


def _check_grants(new: NewClient) -> None:
    if not new.grants or not new.grants <= GRANTS:
        msg = f"grants are of {', '.join(sorted(GRANTS))}"
        raise InvalidRequest(msg)
    if new.public and "client_credentials" in new.grants:
        msg = "a public application has no credentials of its own"
        raise InvalidRequest(msg)
    if ("authorization_code" in new.grants) != bool(new.redirect_uris):
        msg = "redirect URIs belong to authorization_code, and it needs one"
        raise InvalidRequest(msg)


def _check_addresses(new: NewClient) -> None:
    uris = [*new.redirect_uris, *new.logout_uris]
    uris += [uri for uri in (new.jwks_uri, new.back_channel_uri) if uri is not None]
    if len(uris) > MAX_URIS or not all(registrable_uri(uri) for uri in uris):
        msg = "redirect URIs are https, or http on loopback, without fragment or wildcard"
        raise RedirectRefused(msg)
    if new.sector is not None and _HOST.fullmatch(new.sector) is None:
        msg = "the sector is a host name"
        raise InvalidRequest(msg)


def _check_keys(new: NewClient) -> None:
    if new.jwks is not None and new.jwks_uri is not None:
        msg = "keys are given as they are or by an address, not both"
        raise InvalidRequest(msg)
    if new.public and (new.jwks is not None or new.jwks_uri is not None):
        msg = "a public application authenticates by nothing, keys neither"
        raise InvalidRequest(msg)
    if new.assertion_alg is not None and new.assertion_alg not in ALGORITHMS:
        msg = f"assertions are signed with one of {', '.join(ALGORITHMS)}"
        raise InvalidRequest(msg)
    if new.token_alg not in TOKEN_ALGORITHMS:
        msg = f"tokens are signed with one of {', '.join(TOKEN_ALGORITHMS)}"
        raise InvalidRequest(msg)
    if new.jwks is None:
        return
    try:
        read_jwks(json_object(new.jwks[: MAX_JWKS + 1].encode()), strict=True)
    except (JwsRefused, JwkRefused) as error:
        msg = f"jwks: {error}"
        raise InvalidRequest(msg) from error


def _check_profile(new: NewClient) -> None:
    """FAPI 2.0 §5.3.2.1: confidential clients, authenticated by keys."""
    if new.profile == "fapi2" and new.auth_method != "private_key_jwt":
        msg = "fapi2 applications authenticate by private_key_jwt: give jwks or jwks_uri"
        raise InvalidRequest(msg)
