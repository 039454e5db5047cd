"""multipart/form-data (RFC 7578), read whole from a body of bounded size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Final

from secops.kernel.errors import Invalid

_MAX_PARTS: Final = 50
_MAX_HEADER: Final = 4_096
_MAX_BOUNDARY: Final = 70  # RFC 2046 §5.1.1


@dataclass(frozen=True, slots=True)
class Upload:
    """A file somebody sent. ``filename`` is what the browser said: never a path to open."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Multipart:
    """The parts of a form, by name."""

    fields: Mapping[str, str]
    files: Mapping[str, Upload]


def parse_multipart(content_type: str, body: bytes) -> Multipart:
    """Return the parts of ``body``; raise ``Invalid`` for anything malformed or repeated."""
    delimiter = b"--" + _boundary(content_type)
    sections = body.split(b"\r\n" + delimiter)
    opened, closed = sections[0].startswith(delimiter), sections[-1].startswith(b"--")
    if len(sections) == 1 or not opened or not closed:
        msg = "the multipart body is cut off or malformed"
        raise Invalid(msg)
    sections[0] = sections[0][len(delimiter) :]
    if len(sections) - 1 > _MAX_PARTS:
        msg = f"more than {_MAX_PARTS} parts"
        raise Invalid(msg)
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for section in sections[:-1]:
        name, part = _part(section)
        if name in fields or name in files:
            msg = f"the part {name!r} is repeated"
            raise Invalid(msg)
        if isinstance(part, Upload):
            files[name] = part
        else:
            fields[name] = part
    return Multipart(fields, files)


def _boundary(content_type: str) -> bytes:
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        msg = "the body must be multipart/form-data"
        raise Invalid(msg)
    if not 0 < len(boundary) <= _MAX_BOUNDARY or not boundary.isascii():
        msg = "the multipart boundary is not valid"
        raise Invalid(msg)
    return boundary.encode()


def _part(section: bytes) -> tuple[str, str | Upload]:
    head, separator, content = section.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not separator or len(head) > _MAX_HEADER:
        msg = "a part has no header"
        raise Invalid(msg)
    header = BytesHeaderParser().parsebytes(head)
    name = header.get_param("name", header="content-disposition")
    if header.get_content_disposition() != "form-data" or not isinstance(name, str) or not name:
        msg = "a part has no name"
        raise Invalid(msg)
    filename = header.get_filename()
    if filename is not None:
        return name, Upload(filename, header.get_content_type(), content)
    try:
        return name, content.decode()
    except UnicodeDecodeError as error:
        msg = f"the field {name!r} is not UTF-8"
        raise Invalid(msg) from error
