"""Plain PDFs of A4 pages, written by hand: sound ones, and parts of broken ones."""

from __future__ import annotations

from collections.abc import Sequence


def paged_pdf(count: int = 1, **changes: str) -> bytes:
    """Return a PDF of ``count`` pages; ``changes``: ``page``, ``catalog``, ``pages`` entries."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    box = changes.get("pages", "/MediaBox [0 0 595 842]")
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {changes.get('catalog', '')} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} {box} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in range(count):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /Contents {5 + 2 * number} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> {changes.get('page', '')} >>"
        )
        text = f"BT /F1 24 Tf 72 720 Td (Notice {number + 1}) Tj ET"
        objects.append(f"<< /Length {len(text)} >>\nstream\n{text}\nendstream")
    return assemble([each.encode() for each in objects])


def assemble(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Return a PDF of ``objects``, the first of them its catalog."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %b >>\n" % (len(objects) + 1, trailer)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start
