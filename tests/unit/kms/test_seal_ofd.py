"""OFD files: what a signature protects, and every way known to show something else."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.gbt33190.package import OfdError, OfdPackage, resolve
from kms.core.gbt33190.verification import verify_ofd
from kms.core.gbt38540.structures import Extension
from kms.core.trust import Trust
from kms.core.x690 import DerError, read_der
from kms.core.x690 import writing as der
from kms.core.x690.elements import MAX_FILE_BYTES, MAX_FILE_ELEMENTS, at_most
from kms.models.seals import VerificationReport
from secops.crypto.hashes import sm3
from secops.kernel.clock import from_rfc3339
from tests.fakes.ofd import (
    LIST,
    NS,
    PAGE,
    SEAL,
    SIGNATURE,
    VALUE,
    Files,
    document,
    listing,
    pack,
    sign,
    signature_xml,
    signed_document,
)
from tests.fakes.sealing import NOW, PNG, Recipe, make_seal, make_signature, mint, new_mint

GOOD = Recipe()
TRUST = Trust(NOW, mint().anchors)
SECOND = "Doc_0/Signs/Sign_1"
NULL = b"\x05\x00"
SOUND = pack(signed_document(GOOD))


def judged(files: Files | bytes) -> VerificationReport:
    return verify_ofd(files if isinstance(files, bytes) else pack(files), TRUST)


def steps(report: VerificationReport, number: int = 0) -> dict[str, bool | None]:
    return {step.what: step.ok for step in report.signatures[number].steps}


def reason(report: VerificationReport, what: str, number: int = 0) -> str:
    return next(s.why.en for s in report.signatures[number].steps if s.what == what)


def changed(path: str, old: bytes, new: bytes) -> Callable[[], Files]:
    def change() -> Files:
        files = signed_document(GOOD)
        assert old in files[path]
        return {**files, path: files[path].replace(old, new)}

    return change


def added(**extra: bytes) -> Files:
    return {**signed_document(GOOD), **extra}


def twice(name: str) -> Callable[[], bytes]:
    def make() -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pack(signed_document(GOOD), lambda package: package.writestr(name, b"x"))

    return make


def named(name: str, mode: int = 0, flags: int = 0) -> Callable[[], bytes]:
    """Return a package with one more entry of a strange kind."""

    def change(package: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        info.external_attr = mode << 16
        info.flag_bits |= flags
        package.writestr(info, b"x")

    return lambda: pack(signed_document(GOOD), change)


def in_local_header(old: bytes, new: bytes) -> Callable[[], bytes]:
    """Return a package whose first ``old`` (the local header's) became ``new``."""

    def make() -> bytes:
        return pack(signed_document(GOOD)).replace(old, new, 1)

    return make


def wrapped() -> Files:
    """The sound signature stays, but the list leads to another one over decoy files."""
    decoy = {f"Old/{name}": content for name, content in document().items()}
    files = signed_document(GOOD)
    files = {**files, **decoy, PAGE: b"<x/>"}
    moved = {
        name.replace("Doc_0/Signs/Sign_0", "Old/Sign"): content
        for name, content in files.items()
        if "Sign_0" in name
    }
    return {**files, **moved, LIST: listing("Old/Sign")}


def moved_root() -> Files:
    files = signed_document(GOOD)
    files["OFD.xml"] = files["OFD.xml"].replace(b"Doc_0/Document.xml", b"Doc_1/Document.xml")
    copies = {
        name.replace("Doc_0/", "Doc_1/"): content
        for name, content in document().items()
        if name.startswith("Doc_0/")
    }
    return {**files, **copies, "Doc_1/Pages/Page_0/Content.xml": b"<other/>"}


def without(path: str) -> Callable[[], Files]:
    def make() -> Files:
        protected = {name: content for name, content in document().items() if name != path}
        return signed_document(GOOD, protected=protected)

    return make


def second_body() -> Files:
    files = signed_document(GOOD)
    body = b"<ofd:DocBody><ofd:DocRoot>Evil/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    files["OFD.xml"] = files["OFD.xml"].replace(b"</ofd:OFD>", body)
    return {**files, "Evil/Document.xml": b"<x/>"}


def bomb() -> bytes:
    return pack({**signed_document(GOOD), "Doc_0/bomb": bytes(130 << 20)})


def page_hidden_as_a_later_signature() -> Files:
    """A second signature calls the page its own file, so that the first needn't cover it."""
    files = without(PAGE)()
    files = sign(files, GOOD, folder=SECOND, protected=document())
    xml = files[f"{SECOND}/Signature.xml"].replace(
        f"/{SECOND}/Seal.esl".encode(), f"/{PAGE}".encode()
    )
    return {**files, f"{SECOND}/Signature.xml": xml, LIST: listing("Doc_0/Signs/Sign_0", SECOND)}


def with_flags(flags: int) -> Callable[[], bytes]:
    """Return a package whose first entry claims ``flags`` in both of its headers."""

    def make() -> bytes:
        content = bytearray(SOUND)
        place = content.index(b"PK\x01\x02")
        content[6] |= flags
        content[place + 8] |= flags
        return bytes(content)

    return make


def shifted(content: bytes, place: int, gap: bytes, first: int) -> bytes:
    """Return ``content`` with ``gap`` at ``place``; offsets from entry ``first`` on moved."""
    directory = content.index(b"PK\x01\x02")
    head, tail = bytearray(content[:directory]), bytearray(content[directory:])
    head[place:place] = gap
    position = 0
    for number in range(10_000):
        if tail[position : position + 4] != b"PK\x01\x02":
            break
        sizes = [
            int.from_bytes(tail[position + at : position + at + 2], "little") for at in (28, 30, 32)
        ]
        if number >= first:
            offset = int.from_bytes(tail[position + 42 : position + 46], "little") + len(gap)
            tail[position + 42 : position + 46] = offset.to_bytes(4, "little")
        position += 46 + sum(sizes)
    end = tail.index(b"PK\x05\x06")
    tail[end + 16 : end + 20] = len(head).to_bytes(4, "little")
    return bytes(head + tail)


def with_gap() -> bytes:
    second = SOUND.index(b"PK\x03\x04", 4)
    return shifted(SOUND, second, b"PK\x03\x04 hidden", 1)


def with_tail() -> bytes:
    return shifted(SOUND, SOUND.index(b"PK\x01\x02"), b"hidden", 10_000)


def with_false_size() -> bytes:
    """Return a package whose first file says in both headers that it is one byte longer."""
    content = bytearray(SOUND)
    directory = content.index(b"PK\x01\x02")
    size = int.from_bytes(content[22:26], "little") + 1
    content[22:26] = content[directory + 24 : directory + 28] = size.to_bytes(4, "little")
    return bytes(content)


def shared_value() -> Files:
    files = sign(signed_document(GOOD), GOOD, folder=SECOND)
    xml = files[f"{SECOND}/Signature.xml"]
    xml = xml.replace(f"/{SECOND}/SignedValue.dat".encode(), f"/{VALUE}".encode())
    lists = listing("Doc_0/Signs/Sign_0", SECOND)
    return {**files, f"{SECOND}/Signature.xml": xml, LIST: lists}


def changed_list(old: bytes, new: bytes) -> Callable[[], Files]:
    return changed(LIST, old, new)


def too_much_markup() -> Files:
    files = document()
    page = f"<ofd:Page {NS}>{'x' * (7 << 20)}</ofd:Page>".encode()
    listed = "".join(f'<ofd:Page BaseLoc="Pages/{number}.xml"/>' for number in range(4))
    files["Doc_0/Document.xml"] = files["Doc_0/Document.xml"].replace(
        b"</ofd:Pages>", f"{listed}</ofd:Pages>".encode()
    )
    files |= {f"Doc_0/Pages/{number}.xml": page for number in range(4)}
    return {**sign(files, GOOD), LIST: listing("Doc_0/Signs/Sign_0")}


def large_seal_file() -> Files:
    """Return a document whose Seal.esl unpacks to 60 MiB."""
    return {**signed_document(GOOD), SEAL: bytes(60 << 20)}


def small_markup_of_many_nodes() -> Files:
    """Return a document whose Signature.xml packs to 6 KB and is two million nodes."""
    return {
        **signed_document(GOOD),
        SIGNATURE: f"<x {NS}>{'<x/>' * (2 << 20)}</x>".encode()[: 8 << 20],
    }


def markup_in_another_encoding() -> Files:
    """Return a document whose tags are other bytes, which nobody could count."""
    declared = b'<?xml version="1.0" encoding="cp037"?>'
    body = f"<ofd:Signature {NS}>{'<x/>' * 1_000_000}</ofd:Signature>".encode("cp037")
    return {**signed_document(GOOD), SIGNATURE: declared + body}


def documents_of_one_list() -> Files:
    """Return a package of a few bytes that would be read for hours."""
    body = f"<ofd:DocBody><ofd:Signatures>/{LIST}</ofd:Signatures></ofd:DocBody>" * 60_000
    junk = f"<ofd:Signatures {NS}>{'<x/>' * 250_000}</ofd:Signatures>"
    return {"OFD.xml": f"<ofd:OFD {NS}>{body}</ofd:OFD>".encode(), LIST: junk.encode()}


def signatures_of_much_markup() -> Files:
    """Return a package whose signatures all lead to one file of 7 MiB."""
    entries = "".join(
        f'<ofd:Signature ID="{number}" BaseLoc="/{SIGNATURE}"/>' for number in range(1, 201)
    )
    files = signed_document(GOOD)
    end = b"</ofd:Signature>"
    files[SIGNATURE] = files[SIGNATURE].replace(end, b" " * (7 << 20) + end)
    return {**files, LIST: f"<ofd:Signatures {NS}>{entries}</ofd:Signatures>".encode()}


def of_the_future() -> bytes:
    """Return a package whose first entry needs zip version 8.4."""
    content = bytearray(SOUND)
    content[content.index(b"PK\x01\x02") + 6] = 84
    return bytes(content)


def stamp_moved() -> Files:
    """The picture's place is part of what is signed: it stands on another page now."""
    place = '<ofd:StampAnnot ID="1" PageRef="1" Boundary="10 10 42 42"/>'
    files = signed_document(GOOD)
    xml = files[SIGNATURE].replace(b"</ofd:SignedInfo>", place.encode() + b"</ofd:SignedInfo>")
    files |= with_value_over(files, xml)
    assert judged(files).valid
    return {**files, SIGNATURE: xml.replace(b'PageRef="1"', b'PageRef="2"')}


def node_moved() -> Files:
    """The references that were signed stand beside SignedInfo; empty ones took their place."""
    files = signed_document(GOOD)
    xml = files[SIGNATURE]
    begin, end = xml.index(b"<ofd:References"), xml.index(b"</ofd:References>") + 17
    node = xml[begin:end]
    empty = b'<ofd:References CheckMethod="1.2.156.10197.1.401"/>'
    moved = xml.replace(node, empty).replace(b"</ofd:Signature>", node + b"</ofd:Signature>")
    return {**files, SIGNATURE: moved, PAGE: b"<x/>"}


def with_value_over(files: Files, xml: bytes, signed: bytes | None = None) -> Files:
    """Return Signature.xml ``xml`` and a value whose dataHash is of ``signed``, or of it."""
    recipe = GOOD.but(
        data_hash=sm3(xml if signed is None else signed), property_info=f"/{SIGNATURE}"
    )
    return {SIGNATURE: xml, VALUE: make_signature(recipe, seal=files[SEAL])}


def digest_over(part: bytes) -> Files:
    files = signed_document(GOOD)
    return {**files, **with_value_over(files, files[SIGNATURE], part)}


def digest_of_another_part() -> Files:
    other = sign(document(), GOOD, folder=SECOND)[f"{SECOND}/Signature.xml"]
    return {**digest_over(other), f"{SECOND}/Signature.xml": other}


def many_values(value: bytes, count: int = 200) -> Files:
    """Return a document of ``count`` signatures that all have ``value``, in files of their own."""
    files, folders = document(), [f"S/{number}" for number in range(count)]
    for folder in folders:
        xml = signature_xml({}, folder=folder)
        seal = f"<ofd:Seal><ofd:BaseLoc>/{folder}/Seal.esl</ofd:BaseLoc></ofd:Seal>"
        files[f"{folder}/Signature.xml"] = xml.replace(seal.encode(), b"")
        files[f"{folder}/SignedValue.dat"] = value
    return {**files, LIST: listing(*folders)}


ATTACKS: dict[str, Callable[[], Files | bytes]] = {
    "the page changed": changed(PAGE, "公文".encode(), "伪文".encode()),
    "the picture changed": lambda: added(**{"Doc_0/Res/stamp.png": b"other"}),
    "the list leads to another signature": wrapped,
    "the root moved": moved_root,
    "a second document": second_body,
    "a page that is not covered": without(PAGE),
    "OFD.xml is not covered": without("OFD.xml"),
    "a resource that is not covered": without("Doc_0/PublicRes.xml"),
    "a picture that is not covered": without("Doc_0/Res/stamp.png"),
    "propertyInfo of another path": lambda: signed_document(GOOD, property_info="/Other.xml"),
    "another seal beside the value": lambda: added(**{SEAL: make_seal(GOOD.but(es_id="f" * 32))}),
    "Signature.xml changed": changed(SIGNATURE, b"</ofd:Signature>", b" </ofd:Signature>"),
    "a reference left out afterwards": changed(
        SIGNATURE, b'FileRef="/OFD.xml"', b'FileRef="/X.xml"'
    ),
    "a digest that is not ASCII": lambda: signed_document(
        GOOD,
        extra_reference='<ofd:Reference FileRef="/x"><ofd:CheckValue>摘要'
        "</ofd:CheckValue></ofd:Reference>",
    ),
    "a reference twice": lambda: signed_document(
        GOOD,
        extra_reference='<ofd:Reference FileRef="/OFD.xml"><ofd:CheckValue>AA==</ofd:CheckValue>'
        "</ofd:Reference>",
    ),
    "SignedInfo twice": lambda: signed_document(
        GOOD, after_info="<ofd:SignedInfo><ofd:References/></ofd:SignedInfo>"
    ),
    "SignedInfo of a foreign namespace": lambda: signed_document(
        GOOD, after_info='<SignedInfo xmlns="urn:x"><References/></SignedInfo>'
    ),
    "digests by MD5, as absent means": lambda: signed_document(GOOD, check_method=""),
    "digests by SHA-1": lambda: signed_document(GOOD, check_method="1.3.14.3.2.26"),
    "the value is another's": lambda: added(
        **{VALUE: signed_document(Recipe(mint=new_mint()))[VALUE]}
    ),
    "the value is a seal": lambda: added(**{VALUE: make_seal(GOOD)}),
    "the value is nothing": lambda: added(**{VALUE: b""}),
    "the value has bytes after its end": lambda: added(
        **{VALUE: signed_document(GOOD)[VALUE] + b"x"}
    ),
    "no value": lambda: {k: v for k, v in signed_document(GOOD).items() if k != VALUE},
    "no Signature.xml": lambda: {k: v for k, v in signed_document(GOOD).items() if k != SIGNATURE},
    "no list": lambda: {k: v for k, v in signed_document(GOOD).items() if k != LIST},
    "no OFD.xml": lambda: {k: v for k, v in signed_document(GOOD).items() if k != "OFD.xml"},
    "no signature": lambda: {**document(), LIST: listing()},
    "a signature listed twice": lambda: added(
        **{LIST: listing("Doc_0/Signs/Sign_0", "Doc_0/Signs/Sign_0")}
    ),
    "a base signature that is not there": lambda: added(
        **{LIST: listing("Doc_0/Signs/Sign_0", attributes=' Relative="9"')}
    ),
    "the page hides as a later signature's file": page_hidden_as_a_later_signature,
    "a page as the list": lambda: added(
        **{LIST: listing("Doc_0/Signs/Sign_0").replace(b"ofd:Signatures", b"ofd:Page")}
    ),
    "a DTD": lambda: added(**{LIST: b"<!DOCTYPE x>" + listing("Doc_0/Signs/Sign_0")}),
    "an entity": lambda: added(
        **{
            LIST: b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            + listing("Doc_0/Signs/Sign_0").replace(b"/></", b">&e;</ofd:Signature></")
        }
    ),
    "a billion laughs": lambda: added(
        **{
            LIST: b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
            + listing("Doc_0/Signs/Sign_0").replace(b"/></", b">&b;</ofd:Signature></")
        }
    ),
    "markup that is not well formed": lambda: added(**{LIST: b"<x"}),
    "markup of no namespace": lambda: added(**{LIST: b"<Signatures/>"}),
    "markup nested too deeply": lambda: added(**{LIST: b"<a>" * 5_000}),
    "a name twice": twice(PAGE),
    "a name twice in another case": twice(PAGE.upper()),
    "a name with ../": named("../evil.xml"),
    "a name with ./": named("./OFD.xml"),
    "a name with a backslash": named("Doc_0\\Document2.xml"),
    "an absolute name": named("/OFD.xml"),
    "a drive's name": named("C:/evil.xml"),
    "a link": named("Doc_0/link", stat.S_IFLNK | 0o777),
    "a local header of another name": in_local_header(
        b"Doc_0/PublicRes.xml", b"Doc_0/publicRes.xml"
    ),
    "something before the zip": lambda: b"PK\x03\x04rubbish" + pack(signed_document(GOOD)),
    "cut off": lambda: pack(signed_document(GOOD))[:-40],
    "only a magic number": lambda: b"PK\x03\x04",
    "a bomb": bomb,
    "a file too large to be a value": lambda: added(**{VALUE: bytes((4 << 20) + 1)}),
    "an encrypted entry": with_flags(0x1),
    "a patched entry": with_flags(0x20),
    "something between the entries": with_gap,
    "something before the directory": with_tail,
    "a size that is not true": with_false_size,
    "a value of two signatures": shared_value,
    "too many signatures in a list": lambda: added(
        **{LIST: listing(*[f"Doc_0/Signs/Sign_{n}" for n in range(201)])}
    ),
    "too many references": lambda: signed_document(
        GOOD, protected={f"f{number}": b"" for number in range(5_001)}
    ),
    "a digest that is not Base64": changed(SIGNATURE, b"<ofd:CheckValue>", b"<ofd:CheckValue>%"),
    "a signature without ID": changed_list(b'ID="1"', b""),
    "a path that leaves the package": changed_list(b"/Doc_0/", b"../../"),
    "a path that holds markup": changed(
        SIGNATURE, b"<ofd:SignedValue>", b"<ofd:SignedValue><ofd:x/>"
    ),
    "no SignedInfo": lambda: added(
        **{
            SIGNATURE: f"<ofd:Signature {NS}><ofd:SignedValue>/{VALUE}</ofd:SignedValue>"
            "</ofd:Signature>".encode()
        }
    ),
    "two values": changed(
        SIGNATURE, b"<ofd:SignedInfo>", b"<ofd:SignedValue>x</ofd:SignedValue><ofd:SignedInfo>"
    ),
    "too much markup": too_much_markup,
    "documents that share a list": documents_of_one_list,
    "a seal of sixty megabytes": large_seal_file,
    "markup of too many nodes": small_markup_of_many_nodes,
    "markup in another encoding": markup_in_another_encoding,
    "signatures of too much markup": signatures_of_much_markup,
    "a zip version that does not exist": of_the_future,
    "a picture moved to another page afterwards": stamp_moved,
    "a node moved out of SignedInfo": node_moved,
    "the digest of another Signature.xml": digest_of_another_part,
    "the digest of the page alone": lambda: digest_over(document()[PAGE]),
    "an inclusion of another file": lambda: added(
        **{
            LIST: listing("Doc_0/Signs/Sign_0")
            .replace(
                b"/></",
                b'><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/OFD.xml"/>'
                b"</ofd:Signature></",
            )
            .replace(b"Sign_0", b"Sign_9")
        }
    ),
    "two hundred values of many elements": lambda: many_values(der.sequence(*[NULL] * 65_000)),
    "too many entries": lambda: pack({f"f{number}": b"" for number in range(5_001)}),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_on_an_ofd_is_not_accepted(name: str) -> None:
    assert not judged(ATTACKS[name]()).valid


def test_every_kind_of_attack_that_is_known_is_among_them() -> None:
    print(f"{len(ATTACKS)} hostile OFDs, each judged by itself above")
    assert len(ATTACKS) >= 68


def peak() -> int:
    """Return the most KiB that this process had since ``forget_peak``."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])


def forget_peak() -> int:
    """Begin anew and return how many KiB there are now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak()


HEAVY = (
    "a bomb",
    "a seal of sixty megabytes",
    "documents that share a list",
    "markup in another encoding",
    "markup of too many nodes",
    "signatures of too much markup",
    "too much markup",
)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("name", HEAVY)
def test_a_hostile_file_takes_less_than_a_hundred_megabytes(name: str) -> None:
    found = ATTACKS[name]()
    content = found if isinstance(found, bytes) else pack(found)
    del found
    before = forget_peak()
    assert not judged(content).valid
    assert peak() - before < 100 << 10


def bomb_of_extensions() -> bytes:
    listed = tuple(Extension("1.2.3.4", critical=False, value=b"x") for _ in range(13_000))
    return make_signature(GOOD.but(extensions=listed))


def bomb_of_a_time_stamp() -> bytes:
    return make_signature(GOOD.but(version=5, timestamp=der.sequence(*[NULL] * 65_000)))


BOMBS: dict[str, Callable[[], Files]] = {
    "nothing but elements": lambda: many_values(der.sequence(*[NULL] * 65_000)),
    "cut off after the last element": lambda: many_values(
        der.sequence(*[NULL] * 65_000)[:-1] + b"\x7f"
    ),
    "extensions": lambda: many_values(bomb_of_extensions()),
    "time-stamps": lambda: many_values(bomb_of_a_time_stamp()),
    "certificates": lambda: many_values(
        make_signature(GOOD.but(certificates=(mint().signer,) * 1_000))
    ),
    "pictures": lambda: many_values(make_signature(GOOD.but(picture=PNG + bytes(3_900_000))), 30),
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_all_values_of_one_file_share_one_limit_of_work(name: str) -> None:
    content = pack(BOMBS[name]())
    with at_most(1 << 40, 1 << 50) as meter:
        assert not judged(content).valid
    assert meter.spent <= MAX_FILE_ELEMENTS
    assert (1 << 50) - meter.bytes_left <= MAX_FILE_BYTES


def test_a_limit_within_a_limit_counts_in_both() -> None:
    value = der.sequence(NULL, NULL)
    with at_most(8, 100) as outer:
        with at_most(100, 7) as inner:
            assert len(read_der(value).children) == 2
            with pytest.raises(DerError):
                read_der(value)
        assert (inner.spent, inner.bytes_left) == (3, 1)
        assert (outer.left, outer.bytes_left) == (5, 94)
        read_der(value)
        with pytest.raises(DerError):
            read_der(value)
        assert outer.left == 0
    assert len(read_der(value).children) == 2


def test_an_untouched_ofd_is_accepted() -> None:
    report = judged(signed_document(GOOD))
    assert report.valid
    assert (report.kind, report.version) == ("ofd", 4)
    assert steps(report)["range"] is True


def test_two_signatures_one_on_the_other_are_accepted() -> None:
    files = sign(signed_document(GOOD), GOOD, folder=SECOND)
    files[LIST] = listing("Doc_0/Signs/Sign_0", SECOND)
    report = judged(files)
    assert report.valid
    assert len(report.signatures) == 2


def test_a_gap_names_the_later_signature_that_covers_it() -> None:
    files = sign(without("OFD.xml")(), GOOD, folder=SECOND, protected=document())
    files[LIST] = listing("Doc_0/Signs/Sign_0", SECOND)
    report = judged(files)
    assert reason(report, "range") == "not covered: OFD.xml (the later signature 2 covers it)"
    assert not report.valid


def test_an_uncovered_file_that_nobody_shows_is_a_warning() -> None:
    report = judged(added(**{"Doc_0/leftover.bin": b"x"}))
    assert report.valid
    assert "not covered, and nobody shows it: Doc_0/leftover.bin" in [
        text.en for text in report.signatures[0].warnings
    ]


def test_an_uncovered_file_whose_name_is_written_in_another_case_is_no_leftover() -> None:
    files = document()
    files[PAGE.replace("Content", "content")] = files.pop(PAGE)
    protected = {name: content for name, content in files.items() if "content" not in name}
    signed = {**sign(files, GOOD, protected=protected), LIST: listing("Doc_0/Signs/Sign_0")}
    assert steps(judged(signed))["range"] is False


@pytest.mark.parametrize("method", ["SM3", "sm3", "1.2.156.10197.1.401", "1.2.156.10197.1.401.2"])
def test_the_ways_to_name_sm3_are_understood(method: str) -> None:
    report = judged(signed_document(GOOD, check_method=method))
    assert report.valid
    assert len(report.signatures[0].warnings) == (2 if method.endswith(".2") else 1)


def test_a_value_that_nobody_knows_is_malformed_and_the_rest_is_judged() -> None:
    files = added(**{VALUE: b"\x30\x03\x06\x01\x2a"})
    files[LIST] = listing("Doc_0/Signs/Sign_0", attributes=' Type="Sign"')
    report = judged(files)
    assert steps(report)["structure"] is False
    assert steps(report)["digest"] is True
    assert not report.valid


@pytest.mark.parametrize("path", ["../../x", "a/../../../x", "", "a\\b", "/../x"])
def test_a_path_that_leaves_the_package_is_refused(path: str) -> None:
    with pytest.raises(OfdError):
        resolve(path, "Doc_0/Document.xml")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("Pages/P.xml", "Doc_0/Pages/P.xml"), ("/A/B.xml", "A/B.xml"), ("../Res/f", "Res/f")],
)
def test_a_path_starts_at_the_root_or_at_its_holder(path: str, expected: str) -> None:
    assert resolve(path, "Doc_0/Document.xml") == expected


def test_a_document_without_a_list_of_signatures_has_none() -> None:
    files = document()
    start = files["OFD.xml"].index(b"<ofd:Signatures>")
    files["OFD.xml"] = files["OFD.xml"][:start] + b"</ofd:DocBody></ofd:OFD>"
    report = judged(files)
    assert (report.valid, report.signatures) == (False, ())
    assert [text.en for text in report.warnings] == ["the file has no signature"]


def test_moved_offsets_alone_change_nothing() -> None:
    assert shifted(SOUND, 0, b"", 0) == SOUND


def test_a_method_named_otherwise_is_a_warning() -> None:
    report = judged(signed_document(GOOD, method="1.2.156.10197.1.301.1"))
    assert "SignatureMethod says 1.2.156.10197.1.301.1" in [
        text.en for text in report.signatures[0].warnings
    ]


def test_a_path_out_of_the_package_inside_a_page_leads_nowhere() -> None:
    files = document()
    files[PAGE] = files[PAGE].replace("公文".encode(), b"../../../../OFD.xml")
    signed = {**sign(files, GOOD), LIST: listing("Doc_0/Signs/Sign_0")}
    assert judged(signed).valid


@given(st.data())
def test_a_damaged_package_is_judged_without_an_exception(data: st.DataObject) -> None:
    content = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
    report = judged(bytes(content))
    assert isinstance(report, VerificationReport)


@given(st.data())
def test_one_changed_byte_is_accepted_only_if_every_file_is_still_the_same(
    data: st.DataObject,
) -> None:
    content = bytearray(SOUND)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    if judged(bytes(content)).valid:
        assert unpacked(bytes(content)) == unpacked(SOUND)


def unpacked(content: bytes) -> dict[str, Any]:
    package = OfdPackage(content)
    return {name: package.read(name) for name in package.names}


def test_the_zip_module_agrees_about_a_sound_package() -> None:
    with zipfile.ZipFile(io.BytesIO(SOUND)) as package:
        assert set(package.namelist()) == OfdPackage(SOUND).names


@pytest.mark.corpus
def test_the_real_ofd_fails_by_its_validity_only(corpus: Path) -> None:
    content = (corpus / "seals" / "SESV4SignDoc.ofd").read_bytes()
    report = verify_ofd(content, Trust(from_rfc3339("2026-11-22T12:00:00Z")))
    assert steps(report) == {
        "structure": True,
        "digest": True,
        "range": True,
        "signature": True,
        "signer_listed": True,
        "seal_signature": True,
        "seal_maker": None,
        "chain": None,
        "validity": False,
        "revocation": None,
        "timestamp": None,
        "policy": True,
    }
    assert report.signatures[0].signed_at == from_rfc3339("2026-08-04T02:08:09Z")


def test_entries_of_folders_are_no_files_that_anything_must_protect() -> None:
    files = pack(signed_document(GOOD), lambda package: package.writestr("Doc_0/Pages/", b""))
    assert OfdPackage(files).names == OfdPackage(SOUND).names
    assert judged(files).valid
