"""Time-stamps of an outside authority (RFC 3161 over HTTP), judged before they are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from kms.core.rfc3161.requests import TimeStampRequest, imprint_request
from kms.core.rfc3161.responses import token_in
from kms.core.rfc3161.tokens import TimestampToken, read_token
from kms.core.rfc3161.verification import verify_time_stamp
from kms.core.rfc3161.writing import query
from kms.core.x690 import DerError
from kms.core.x690 import writing as der
from kms.errors.time_stamps import TimeStampUnavailable
from kms.models.time_stamps import QUERY_TYPE, TimeStampSources
from kms.ports.remote_seals import Outbound
from kms.ports.time_stamps import TimeStamps
from kms.service.authority import Authority
from secops.crypto import hashes
from secops.kernel.actors import system_actor
from secops.kernel.trail import Act

_PATIENCE: Final = 8.0
_NONCE_BYTES: Final = 8
_OK: Final = 200
_ACTOR: Final = system_actor("kms")


@dataclass(frozen=True, slots=True)
class _Asked:
    url: str
    request: TimeStampRequest
    nonce: int


class OutsideTimeStamps:
    """Fills the port ``TimeStamps``: outside where an address is set, built in elsewhere.

    Nothing falls back: where an outside authority is wanted, its silence stamps nothing.
    """

    def __init__(
        self,
        built_in: TimeStamps,
        authority: Authority,
        outbound: Outbound,
        sources: TimeStampSources,
    ) -> None:
        self._built_in = built_in
        self._authority = authority
        self._parts = authority.parts
        self._outbound = outbound
        self._sources = sources

    def stamp(self, hash_name: str, digest: bytes) -> bytes:
        """Return a token over ``digest`` that would be accepted here; raise as the port says.

        The address is guarded (``OutboundRefused``, ``OutboundFailed``, ``OutboundUncertain``).
        """
        url = self._sources.sm3 if hash_name == "sm3" else self._sources.sha2
        if not url:
            return self._built_in.stamp(hash_name, digest)
        nonce = int.from_bytes(self._parts.randomness.bytes(_NONCE_BYTES), "big")
        asked = _Asked(url, imprint_request(hash_name, digest, der.integer(nonce)), nonce)
        token = self._fetch(asked)
        said = self._require_sound(asked, token)
        details = {
            "hash": hash_name,
            "imprint": digest.hex(),
            "host": urlsplit(url).hostname or "",
            "token_sm3": hashes.sm3(token).hex(),
        }
        target = f"time_stamp:{said.serial:x}"
        self._parts.trail.append([Act("kms.fetch_time_stamp", _ACTOR, target, details=details)])
        return token

    def _fetch(self, asked: _Asked) -> bytes:
        headers = {"content-type": QUERY_TYPE}
        status, answer = self._outbound.post(asked.url, query(asked.request), headers, _PATIENCE)
        if status != _OK:
            msg = f"the outside authority answers {status}"
            raise TimeStampUnavailable(msg)
        try:
            return token_in(answer)
        except DerError as error:
            msg = f"the outside authority's answer: {error}"
            raise TimeStampUnavailable(msg) from error

    def _require_sound(self, asked: _Asked, token: bytes) -> TimestampToken:
        """Return what ``token`` says; raise ``TimeStampUnavailable`` unless it is valid here."""
        request = asked.request

        def digest_of(name: str) -> bytes:
            return request.digest if name == request.hash_name else b""

        verdict = verify_time_stamp(token, digest_of, self._authority.trust())
        if not verdict.valid:
            defect = verdict.first_defect
            # all else that could not be judged lets a token be valid
            why = "no anchor for time-stamps is configured" if defect is None else defect.why.en
            msg = f"the outside authority's token is not valid here: {why}"
            raise TimeStampUnavailable(msg)
        said = read_token(token)
        # an old answer over the same digest would be sound, too
        if said.nonce != asked.nonce:
            msg = "the outside authority's token does not repeat our nonce"
            raise TimeStampUnavailable(msg)
        return said
