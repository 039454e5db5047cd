"""LDAPMessage in BER: StartTLS, simple bind and search (RFC 4511 §4), written and read.

Only what signing in needs. Lengths are read before anything is kept, so that a server can't
make us hold more than ``MAX_MESSAGE`` bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from iam.core.rfc4511.ber import (
    CONSTRUCTED,
    boolean,
    element,
    enumerated,
    integer,
    octets,
    read_element,
    read_integer,
    sequence,
)
from iam.core.rfc4511.search_filter import encode_filter
from iam.errors import UpstreamRefused

SUCCESS: Final = 0
INVALID_CREDENTIALS: Final = 49
BIND_RESPONSE: Final = 0x61
SEARCH_ENTRY: Final = 0x64
SEARCH_DONE: Final = 0x65
SEARCH_REFERENCE: Final = 0x73
EXTENDED_RESPONSE: Final = 0x78
START_TLS: Final = b"1.3.6.1.4.1.1466.20037"
_BIND_REQUEST: Final = 0x60
_SEARCH_REQUEST: Final = 0x63
_UNBIND_REQUEST: Final = 0x42
_EXTENDED_REQUEST: Final = 0x77
_REQUEST_NAME: Final = 0x80
_RESPONSE_NAME: Final = 0x8A
_SIMPLE: Final = 0x80
_VERSION: Final = 3
_SUBTREE: Final = 2
_NEVER_DEREFERENCE: Final = 0
MAX_ATTRIBUTES: Final = 50
MAX_VALUES: Final = 100


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the server: its number, the tag of its operation, and what that holds."""

    number: int
    operation: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One hit of a search; attribute names are in lower case."""

    name: str
    attributes: Mapping[str, tuple[bytes, ...]]


def bind_request(number: int, name: str, password: str) -> bytes:
    """Return a simple bind; raise ``UpstreamRefused`` for an empty name or password.

    An empty password is an *unauthenticated* bind, which servers answer with success
    (RFC 4513 §5.1.2): whoever knows a name would be let in.
    """
    if not name or not password:
        msg = "an empty name or password proves nothing"
        raise UpstreamRefused(msg)
    content = integer(_VERSION) + octets(name.encode()) + element(_SIMPLE, password.encode())
    return _message(number, element(_BIND_REQUEST, content))


def search_request(
    number: int, base: str, filter_text: str, attributes: Sequence[str], limit: int
) -> bytes:
    """Return a search of the whole tree below ``base``; aliases are never followed."""
    content = b"".join(
        (
            octets(base.encode()),
            enumerated(_SUBTREE),
            enumerated(_NEVER_DEREFERENCE),
            integer(limit),
            integer(10),
            boolean(value=False),
            encode_filter(filter_text),
            sequence(*(octets(name.encode()) for name in attributes)),
        )
    )
    return _message(number, element(_SEARCH_REQUEST, content))


def start_tls_request(number: int) -> bytes:
    """Return the wish to go on in TLS (§4.14.1)."""
    return _message(number, element(_EXTENDED_REQUEST, element(_REQUEST_NAME, START_TLS)))


def require_start_tls(message: Message) -> None:
    """Return if the server lets TLS begin; raise ``UpstreamRefused`` for everything else."""
    code = result_code(message) if message.operation == EXTENDED_RESPONSE else None
    if code != SUCCESS:
        msg = "the directory does not begin TLS; nothing is sent in clear"
        raise UpstreamRefused(msg)
    rest = message.content
    while rest:
        tag, value, rest = read_element(rest)
        if tag == _RESPONSE_NAME and value != START_TLS:
            msg = "the directory answers another extended operation"
            raise UpstreamRefused(msg)


def unbind_request(number: int) -> bytes:
    """Return the good-bye."""
    return _message(number, element(_UNBIND_REQUEST, b""))


def read_message(content: bytes) -> Message:
    """Return the message in ``content``; raise ``UpstreamRefused`` for anything else."""
    tag, inner, rest = read_element(content)
    if tag != CONSTRUCTED or rest:
        msg = "not one LDAP message"
        raise UpstreamRefused(msg)
    number, inner = read_integer(inner)
    operation, body, _controls = read_element(inner)
    return Message(number, operation, body)


def result_code(message: Message) -> int:
    """Return the result of a bind or search; raise ``UpstreamRefused`` where it has none."""
    tag, code, _ = read_element(message.content)
    if tag != 0x0A or len(code) != 1:  # noqa: PLR2004 - ENUMERATED
        msg = "the directory's answer has no result"
        raise UpstreamRefused(msg)
    return code[0]


def read_entry(message: Message) -> Entry:
    """Return the hit; raise ``UpstreamRefused`` for a malformed or overlong one."""
    _, name, rest = read_element(message.content)
    _, listed, _ = read_element(rest)
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in _elements(listed, MAX_ATTRIBUTES):
        _, kind, values = read_element(attribute)
        _, inside, _ = read_element(values)
        found[_text(kind).lower()] = tuple(_elements(inside, MAX_VALUES))
    return Entry(_text(name), found)


def _message(number: int, operation: bytes) -> bytes:
    return sequence(integer(number), operation)


def _elements(content: bytes, limit: int) -> Iterator[bytes]:
    count = 0
    while content:
        _, inner, content = read_element(content)
        count += 1
        if count > limit:
            msg = "the directory's answer holds too much"
            raise UpstreamRefused(msg)
        yield inner


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        msg = "the directory's answer is not UTF-8"
        raise UpstreamRefused(msg) from error
