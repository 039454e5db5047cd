"""A directory upstream: find the one entry of a name, then bind as it with the password."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from iam.core.rfc4511.ber import MAX_MESSAGE, whole_length
from iam.core.rfc4511.messages import (
    BIND_RESPONSE,
    INVALID_CREDENTIALS,
    SEARCH_DONE,
    SEARCH_ENTRY,
    SEARCH_REFERENCE,
    SUCCESS,
    Entry,
    Message,
    bind_request,
    read_entry,
    read_message,
    require_start_tls,
    result_code,
    search_request,
    start_tls_request,
    unbind_request,
)
from iam.core.rfc4515.filter import MAX_NAME, fill_template
from iam.errors import UpstreamDown, UpstreamRefused
from iam.models.upstream import (
    Handshake,
    LdapSettings,
    Standing,
    UpstreamCheck,
    UpstreamProof,
)
from iam.ports import Outbound, Stream
from secops.kernel.errors import SecopsError

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT: Final = 10.0
_DISABLED: Final = 2
"""ACCOUNTDISABLE in Active Directory's userAccountControl."""
_CONTROL: Final = "useraccountcontrol"
_MAX_PASSWORD: Final = 512
_SCHEMES: Final = {"ldaps": "ldaps", "starttls": "ldap"}
_HEX: Final = re.compile(r"[0-9a-f]{2,512}", re.ASCII)
_MESSAGES: Final = 20


class LdapUpstream:
    """Signs people in by a directory; the secret is the searching account's password."""

    def __init__(self, settings: LdapSettings, secret: bytes, outbound: Outbound) -> None:
        self._settings = settings
        self._secret = secret.decode()
        self._outbound = outbound

    def begin(self, handshake: Handshake) -> str:
        """Return "": name and password are asked for here."""
        del handshake
        return ""

    def complete(self, handshake: Handshake, parameters: Mapping[str, str]) -> UpstreamProof:
        """Find the name's one entry and bind as it; raise ``UpstreamRefused``.

        Of a disabled entry the proof says ``left`` whether the password fits or not: AD refuses
        its bind, and the directory's word needs nobody's password. The work is the same.
        """
        del handshake
        name, password = parameters.get("name", ""), parameters.get("password", "")
        if not 0 < len(name) <= MAX_NAME or not 0 < len(password) <= _MAX_PASSWORD:
            msg = "name and password are both needed"
            raise UpstreamRefused(msg)
        wanted = fill_template(self._settings.search_filter, name)
        with self._connected() as conversation:
            entry = self._find(conversation, wanted)
        if not entry.name:
            msg = "the entry has no name to bind with"
            raise UpstreamRefused(msg)
        proof = self._proof(entry)
        with self._opened() as conversation:
            code = conversation.bind(entry.name, password)
        if code != SUCCESS and not proof.left:
            msg = "the directory refused the password"
            raise UpstreamRefused(msg)
        return proof

    def check(self) -> Sequence[UpstreamCheck]:
        """Connect by TLS, bind as the searching account and search for nobody."""
        try:
            with self._connected() as conversation:
                nobody = fill_template(self._settings.search_filter, "no-such-name-0")
                hits = conversation.search(self._settings.base_dn, nobody, self._wanted)
        except (UpstreamDown, UpstreamRefused) as error:
            return [UpstreamCheck("bind", ok=False, why=error.detail)]
        return [
            UpstreamCheck("bind", ok=True),
            UpstreamCheck("search", ok=not hits, why="a name nobody has finds somebody"),
        ]

    def standing(self, subject: str) -> Standing:
        """Look the subject up: gone or disabled is "left"; an unreachable directory is not."""
        attribute = self._settings.subject_attribute
        value = "".join(f"\\{byte:02x}" for byte in _subject_bytes(subject))
        try:
            with self._connected() as conversation:
                hits = conversation.search(
                    self._settings.base_dn, f"({attribute}={value})", self._wanted
                )
        except (UpstreamDown, UpstreamRefused):
            return "unknown"
        if len(hits) > 1:
            return "unknown"
        return "left" if not hits or _is_disabled(hits[0]) else "active"

    @property
    def _wanted(self) -> Sequence[str]:
        settings = self._settings
        names = (
            settings.subject_attribute,
            settings.id_number_attribute,
            settings.credit_code_attribute,
            settings.level_attribute,
            _CONTROL,
        )
        return [name for name in names if name]

    @contextmanager
    def _opened(self) -> Iterator[_Conversation]:
        try:
            negotiate = _start_tls if self._settings.encryption == "starttls" else None
            host, port = self._settings.host, self._settings.port
            stream = self._outbound.open_tls(host, port, TIMEOUT, negotiate)
        except SecopsError as error:
            raise UpstreamDown(error.detail) from error
        conversation = _Conversation(stream)
        try:
            yield conversation
            conversation.leave()
        finally:
            stream.close()

    @contextmanager
    def _connected(self) -> Iterator[_Conversation]:
        """Yield a conversation in which the searching account is bound."""
        with self._opened() as conversation:
            code = conversation.bind(self._settings.bind_dn, self._secret)
            if code != SUCCESS:
                why = "its password" if code == INVALID_CREDENTIALS else f"result {code}"
                msg = f"the directory refuses the searching account ({why})"
                raise UpstreamDown(msg)
            yield conversation

    def _find(self, conversation: _Conversation, wanted: str) -> Entry:
        hits = conversation.search(self._settings.base_dn, wanted, self._wanted)
        if len(hits) != 1:
            msg = "the name does not stand for exactly one entry"
            raise UpstreamRefused(msg)
        return hits[0]

    def _proof(self, entry: Entry) -> UpstreamProof:
        settings = self._settings
        subject = entry.attributes.get(settings.subject_attribute.lower(), ())
        if len(subject) != 1 or not subject[0]:
            msg = "the entry has no subject"
            raise UpstreamRefused(msg)
        return UpstreamProof(
            issuer=f"{_SCHEMES[settings.encryption]}://{settings.host}:{settings.port}/{settings.base_dn}",
            subject=subject[0].hex(),
            id_number=_one(entry, settings.id_number_attribute),
            credit_code=_one(entry, settings.credit_code_attribute),
            level=_one(entry, settings.level_attribute),
            left=_is_disabled(entry),
        )


def _start_tls(stream: Stream) -> None:
    """Agree on TLS (RFC 4511 §4.14, RFC 4513 §3.1.1); raise where the directory won't.

    Nothing that came in clear is kept: an answer that somebody on the way put behind the
    directory's own would otherwise be read as if it had come through TLS.
    """
    _Conversation(stream).start_tls()


class _Conversation:
    """Requests and answers over one connection, numbered."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._number = 0
        self._kept = b""

    def start_tls(self) -> None:
        """Ask for TLS; nothing else may have come with the answer."""
        self._number += 1
        self._say(start_tls_request(self._number))
        require_start_tls(self._answer())
        if self._kept:
            msg = "the directory said more in clear than it was asked"
            raise UpstreamRefused(msg)

    def bind(self, name: str, password: str) -> int:
        """Return the result of a simple bind."""
        self._number += 1
        self._say(bind_request(self._number, name, password))
        answer = self._answer()
        if answer.operation != BIND_RESPONSE:
            msg = "the directory does not answer the bind"
            raise UpstreamRefused(msg)
        return result_code(answer)

    def search(self, base: str, wanted: str, attributes: Sequence[str]) -> list[Entry]:
        """Return the hits, at most two: more than one is too many. Referrals are not followed."""
        self._number += 1
        self._say(search_request(self._number, base, wanted, attributes, limit=2))
        hits: list[Entry] = []
        for _ in range(_MESSAGES):
            answer = self._answer()
            if answer.operation == SEARCH_ENTRY:
                hits.append(read_entry(answer))
            elif answer.operation == SEARCH_DONE:
                self._judge(result_code(answer), hits)
                return hits
            elif answer.operation != SEARCH_REFERENCE:
                break
        msg = "the directory does not answer the search"
        raise UpstreamRefused(msg)

    def leave(self) -> None:
        """Say good-bye."""
        self._number += 1
        self._say(unbind_request(self._number))

    @staticmethod
    def _judge(code: int, hits: list[Entry]) -> None:
        too_many = code == 4 and len(hits) > 1  # noqa: PLR2004 - sizeLimitExceeded
        if code != SUCCESS and not too_many:
            msg = f"the directory's search ended with result {code}"
            raise UpstreamDown(msg)

    def _say(self, content: bytes) -> None:
        try:
            self._stream.send(content)
        except SecopsError as error:
            raise UpstreamDown(error.detail) from error

    def _answer(self) -> Message:
        """Return the next message; it must answer the last request."""
        while (size := whole_length(self._kept)) is None or len(self._kept) < size:
            try:
                self._kept += self._stream.receive(16_384)
            except SecopsError as error:
                raise UpstreamDown(error.detail) from error
            if len(self._kept) > 2 * MAX_MESSAGE:
                msg = "the directory sends too much"
                raise UpstreamRefused(msg)
        message = read_message(self._kept[:size])
        self._kept = self._kept[size:]
        if message.number != self._number:
            msg = "the directory answers something else"
            raise UpstreamRefused(msg)
        return message


def _one(entry: Entry, name: str) -> str:
    values = entry.attributes.get(name.lower(), ()) if name else ()
    if len(values) > 1:
        msg = f"the attribute {name} has several values"
        raise UpstreamRefused(msg)
    return values[0].decode("utf-8", "replace") if values else ""


def _is_disabled(entry: Entry) -> bool:
    """Tell whether Active Directory says so; a value that can't be read counts as disabled."""
    values = entry.attributes.get(_CONTROL, ())
    if not values:
        return False
    text = values[0].decode("ascii", "replace")
    return not text.isdigit() or bool(int(text[:12]) & _DISABLED)


def _subject_bytes(subject: str) -> bytes:
    if _HEX.fullmatch(subject) is None:
        return b"\x00"
    return bytes.fromhex(subject)
