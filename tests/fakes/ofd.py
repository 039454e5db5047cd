"""OFD files made for tests: a document of one page, signed, and then whatever is done to it."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from kms.core.gbt38540.structures import SM2_WITH_SM3
from secops.crypto.hashes import sm3
from tests.fakes.sealing import Recipe, make_seal, make_signature

NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'
SIGNATURE = "Doc_0/Signs/Sign_0/Signature.xml"
LIST = "Doc_0/Signs/Signatures.xml"
VALUE = "Doc_0/Signs/Sign_0/SignedValue.dat"
SEAL = "Doc_0/Signs/Sign_0/Seal.esl"
PAGE = "Doc_0/Pages/Page_0/Content.xml"

Files = dict[str, bytes]


def document() -> Files:
    """Return the files of an unsigned document with a page, a resource and a picture."""
    texts = {
        "OFD.xml": f"<ofd:OFD {NS}><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>"
        f"<ofd:Signatures>/{LIST}</ofd:Signatures></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {NS}><ofd:CommonData>"
        "<ofd:PublicRes>PublicRes.xml</ofd:PublicRes></ofd:CommonData><ofd:Pages>"
        '<ofd:Page ID="1" BaseLoc="Pages/Page_0/Content.xml"/></ofd:Pages></ofd:Document>',
        "Doc_0/PublicRes.xml": f'<ofd:Res {NS} BaseLoc="Res"><ofd:MultiMedias>'
        "<ofd:MultiMedia><ofd:MediaFile>stamp.png</ofd:MediaFile></ofd:MultiMedia>"
        "</ofd:MultiMedias></ofd:Res>",
        PAGE: f"<ofd:Page {NS}><ofd:Content>公文</ofd:Content></ofd:Page>",
    }
    return {**{name: text.encode() for name, text in texts.items()}, "Doc_0/Res/stamp.png": b"png"}


def signature_xml(files: Mapping[str, bytes], **changes: Any) -> bytes:
    """Return a Signature.xml that protects ``files``."""
    method = changes.get("check_method", "1.2.156.10197.1.401")
    attribute = f' CheckMethod="{method}"' if method else ""
    references = "".join(
        f'<ofd:Reference FileRef="/{name}"><ofd:CheckValue>'
        f"{base64.b64encode(sm3(content)).decode()}</ofd:CheckValue></ofd:Reference>"
        for name, content in files.items()
    )
    folder = changes.get("folder", "Doc_0/Signs/Sign_0")
    info = (
        f"<ofd:SignedInfo><ofd:SignatureMethod>{changes.get('method', SM2_WITH_SM3)}"
        "</ofd:SignatureMethod>"
        f"<ofd:References{attribute}>{references}{changes.get('extra_reference', '')}"
        f"</ofd:References><ofd:Seal><ofd:BaseLoc>/{folder}/Seal.esl</ofd:BaseLoc></ofd:Seal>"
        "</ofd:SignedInfo>"
    )
    return (
        f"<ofd:Signature {NS}><ofd:SignedValue>/{folder}/SignedValue.dat</ofd:SignedValue>"
        f"{info}{changes.get('after_info', '')}</ofd:Signature>"
    ).encode()


def sign(
    files: Files,
    recipe: Recipe,
    *,
    folder: str = "Doc_0/Signs/Sign_0",
    protected: Mapping[str, bytes] | None = None,
    **changes: Any,
) -> Files:
    """Return ``files`` with a signature's three files in ``folder``."""
    seal = make_seal(recipe)
    covered = dict(files if protected is None else protected)
    covered.pop(LIST, None)
    own = {**covered, f"{folder}/Seal.esl": seal}
    path = f"{folder}/Signature.xml"
    xml = signature_xml(own, folder=folder, **changes)
    signed = recipe.but(data_hash=sm3(xml), property_info=changes.get("property_info", f"/{path}"))
    return {
        **files,
        f"{folder}/Seal.esl": seal,
        path: xml,
        f"{folder}/SignedValue.dat": make_signature(signed, seal=seal),
    }


def listing(*folders: str, attributes: str = "") -> bytes:
    """Return a Signatures.xml of the signatures in ``folders``."""
    entries = "".join(
        f'<ofd:Signature ID="{number}" BaseLoc="/{folder}/Signature.xml"{attributes}/>'
        for number, folder in enumerate(folders, 1)
    )
    return f"<ofd:Signatures {NS}>{entries}</ofd:Signatures>".encode()


def signed_document(recipe: Recipe, **changes: Any) -> Files:
    """Return a document with one sound signature, unless ``changes`` break it."""
    files = sign(document(), recipe, **changes)
    return {**files, LIST: listing("Doc_0/Signs/Sign_0")}


def pack(
    files: Mapping[str, bytes], change: Callable[[zipfile.ZipFile], None] | None = None
) -> bytes:
    """Return the zip of ``files``; ``change`` may write more into it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
        if change is not None:
            change(package)
    return out.getvalue()
