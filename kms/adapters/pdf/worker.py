"""The child: one question about one PDF, one answer, then the end.

It limits itself before it looks at what a stranger made. A limit that is passed ends it.
"""

from __future__ import annotations

import base64
import gc
import io
import math
import resource
import signal
import socket
import time
from pathlib import Path
from typing import Any, Final

from PIL import Image
from pyhanko.pdf_utils import generic as pdf_generic
from pyhanko.pdf_utils import writer as pdf_writer

from kms.adapters.pdf import extending, previewing, rendering, signing, validating
from kms.adapters.pdf.frames import receive_frame, send_frame
from kms.ports.pdf import PADES

READY: Final = b"+"
"""What a child sends first: whoever reads nothing at all has no child."""

WALL_SECONDS: Final = 30
_CPU_SECONDS: Final = 0.9
_CPU_PER_MEBIBYTE: Final = 0.5
_MEMORY: Final = 96 << 20
_MEMORY_TIMES: Final = 8
_RENDERING: Final = (10.0, 512 << 20)
"""For pages of our own, whose texts are data; typesetting takes threads."""

_PAGE: Final = resource.getpagesize()
_DATA_COLUMN: Final = 5
_MEBIBYTE: Final = 1 << 20


def answer(question: socket.socket) -> None:
    """Answer the question that comes over the socket ``question``."""
    signal.alarm(WALL_SECONDS)
    question.sendall(READY)
    asked, document = receive_frame(question, time.monotonic() + WALL_SECONDS)
    files = _kept(asked, document)
    if files:
        asked["files"] = files
    seconds, memory = _RENDERING if asked["do"] == "render" else allowance(len(document))
    _limit(seconds, memory)
    head, content = _answer(asked, document)
    question.settimeout(WALL_SECONDS)
    send_frame(question, head, content)


def allowance(size: int) -> tuple[float, int]:
    """Return seconds of processor and bytes of memory that a file of ``size`` bytes may cost.

    A small file that unpacks itself gets a second and 100 MB.
    """
    seconds = _CPU_SECONDS + _CPU_PER_MEBIBYTE * size / _MEBIBYTE
    return seconds, _MEMORY + _MEMORY_TIMES * size


def _limit(seconds: float, memory: int) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    whole = math.ceil(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole))
    data = _data_now() + memory
    resource.setrlimit(resource.RLIMIT_DATA, (data, data))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # a crash leaves no copy of the document behind
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # one file, then the end: what a collector would free is bounded by the limit above
    gc.disable()


def _kept(asked: dict[str, Any], document: bytes) -> list[int]:
    """Return files in memory for what is drawn; none for other questions."""
    if not asked["do"].startswith("preview"):
        return []
    place = asked.get("place")
    if place is None:
        return [previewing.keep(document)]
    place["picture"] = base64.b64decode(place["picture"])
    return [previewing.keep(document), previewing.keep(place["picture"])]


def _data_now() -> int:
    """Return the bytes of data that this process has already, as RLIMIT_DATA counts them."""
    columns = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(columns[_DATA_COLUMN]) * _PAGE


def _answer(asked: dict[str, Any], document: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        return _done(asked, document)
    except (RecursionError, MemoryError):
        return {"refused": "the PDF is nested or unpacked beyond the limits"}, b""
    except Exception as error:  # noqa: BLE001 - whatever a hostile file makes the library raise
        return {"refused": f"{type(error).__name__}: {error}"[:300]}, b""


def _done(asked: dict[str, Any], document: bytes) -> tuple[dict[str, Any], bytes]:
    head: dict[str, Any] = {}
    match asked.pop("do"):
        case "render":
            content = rendering.render(asked["data"], asked["fonts"], asked["template"])
        case "preview_pdf":
            head = previewing.preview_pdf(document, asked["place"], asked["files"])
            content = head.pop("picture")
        case "preview_blank":
            content = previewing.preview_blank(asked, asked["files"])
        case "prepare":
            if asked["place"] is not None:
                asked["place"]["picture"] = base64.b64decode(asked["place"]["picture"])
            head, content = _prepared(signing.prepare(io.BytesIO(document), asked))
        case "add_validation_data":
            content = extending.add_validation_data(io.BytesIO(document), asked)
        case "prepare_time_stamp":
            made = extending.prepare_time_stamp(io.BytesIO(document), asked["reserved"])
            head, content = _prepared(made)
        case _:
            head, content = validating.read(document), b""
    return head, content


def _prepared(made: signing.Prepared) -> tuple[dict[str, Any], bytes]:
    content, start, end = made
    return {"start": start, "end": end}, content


def warm_up() -> None:
    """Go the usual ways once over a page of our own, so that no child builds its own caches."""
    generic: Any = pdf_generic
    writing: Any = pdf_writer
    writer = writing.PdfFileWriter()
    box = generic.ArrayObject([generic.NumberObject(each) for each in (0, 0, 595, 842)])
    nothing = writer.add_object(generic.StreamObject(stream_data=b""))
    writer.insert_page(writing.PageObject(nothing, box))
    blank = io.BytesIO()
    writer.write(blank)
    picture = io.BytesIO()
    Image.new("RGBA", (1, 1)).save(picture, "png")
    place = {"picture": picture.getvalue(), "width": 9, "height": 9, "page": 1, "x": 9, "y": 9}
    asked = {"subfilter": PADES, "name": "", "signed_at": 0, "reserved": 9, "place": place}
    validating.read(signing.prepare(blank, asked)[0])
