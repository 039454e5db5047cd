"""Seals put into OFDs: where the picture goes, what is protected, and who judges it sound."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms.core.gbt33190.package import OfdError, OfdPackage
from kms.core.gbt33190.pages import OfdPage, read_document
from kms.core.gbt33190.stamps import Stamp, place_stamps
from kms.errors.seals import DocumentRejected, NotSealHolder, SealNotUsable, SealRejected
from kms.models.seals import VerificationReport
from kms.models.stamps import EdgePlace, Stamping, StampPlace, StampRequest
from kms.service.seals import stamping as stamping_module
from secops.crypto.hashes import sm3
from secops.crypto.sm2 import PrivateKey
from secops.kernel.errors import TooLarge
from secops.kernel.pages import PageRequest
from tests.fakes.ofd import LIST, NS, Files, document, listing, pack, sign, signed_document
from tests.fakes.ofd_judge import OFD, judge_ofd, parse
from tests.fakes.ofd_pages import paged_document
from tests.fakes.seal_registry import AUDITOR, HOLDER, OTHER_HOLDER, SECURITY, World, build
from tests.fakes.sealing import Recipe, new_mint

SIZE = (42, 42)
PAGE = "Doc_0/Pages/Page_1/Content.xml"
SIGNATURE = "Doc_0/Signs/Sign_0/Signature.xml"
VALUE = "Doc_0/Signs/Sign_0/SignedValue.dat"
ESL = "Doc_0/Signs/Sign_0/Seal.esl"
PLACE = Stamping((StampPlace(1, 120, 200),))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = build(tmp_path_factory.mktemp("seals"))
    yield made
    made.spine.close()


@pytest.fixture(scope="module")
def seal_id(world: World) -> str:
    return world.make().id


def stamp(
    world: World, seal_id: str, files: Files | bytes, stamping: Stamping = PLACE, **more: Any
) -> bytes:
    content = files if isinstance(files, bytes) else pack(files)
    who = more.get("who", HOLDER)
    wish = StampRequest(content, stamping, "印发")
    return world.stamping.stamp_document(who, seal_id, wish).document


def judged(world: World, content: bytes) -> VerificationReport:
    return world.verification.verify_seal(content, None)


def root_of(world: World) -> bytes:
    return world.parts.authority.anchors()[0].der


def unpacked(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def both_accept(world: World, content: bytes) -> bool:
    reasons = judge_ofd(content, root_of(world))
    assert reasons == []
    return judged(world, content).valid


SOUND: dict[str, Callable[[], Files]] = {
    "one page": paged_document,
    "twelve pages": lambda: paged_document(12),
    "a document at the root": lambda: paged_document(folder=""),
    "a document in a folder of a Chinese name": lambda: paged_document(folder="公文_0"),
    "a document in a folder of folders": lambda: paged_document(folder="a/b"),
    "a folder called Signs already": lambda: {**paged_document(), "Doc_0/Signs/x": b"x"},
    "a size of the page's own": lambda: paged_document(
        box="0 0 50 50",
        area="<ofd:Area><ofd:PhysicalBox>0 0 300 300</ofd:PhysicalBox></ofd:Area>",
    ),
    "an empty list of signatures": lambda: {
        **paged_document(after_root=f"<ofd:Signatures>/{LIST}</ofd:Signatures>"),
        LIST: listing(),
    },
    "versions after the root": lambda: paged_document(after_root="<ofd:Versions/>"),
    "Chinese names": lambda: {**paged_document(), "Doc_0/附件/通知 & 说明.xml": b"<x/>"},
    "entries of nothing": lambda: {**paged_document(), "Doc_0/empty": b""},
}


@pytest.mark.parametrize("name", sorted(SOUND))
def test_a_document_is_sealed_and_both_judges_accept_it(
    world: World, seal_id: str, name: str
) -> None:
    files = SOUND[name]()
    sealed = stamp(world, seal_id, files)
    if name != "a size of the page's own":  # the second judge knows common sizes only
        assert both_accept(world, sealed)
    assert judged(world, sealed).valid
    after = unpacked(sealed)
    assert {name: after[name] for name in files if name not in ("OFD.xml", LIST)} == {
        name: content for name, content in files.items() if name not in ("OFD.xml", LIST)
    }


def test_a_second_signature_covers_the_first_and_both_are_accepted(
    world: World, seal_id: str
) -> None:
    twice = stamp(world, seal_id, stamp(world, seal_id, paged_document()))
    assert both_accept(world, twice)
    assert [verdict.valid for verdict in judged(world, twice).signatures] == [True, True]
    identifiers = [
        entry.attrib["ID"] for entry in parse(unpacked(twice)[LIST]).iter(f"{OFD}Signature")
    ]
    assert identifiers == ["s001", "s002"]
    assert {SIGNATURE, VALUE, ESL} <= {
        each.attrib["FileRef"][1:]
        for each in parse(unpacked(twice)["Doc_0/Signs/Sign_1/Signature.xml"]).iter(
            f"{OFD}Reference"
        )
    }


def test_a_signature_of_another_maker_stays_and_ours_comes_on_top(
    world: World, seal_id: str
) -> None:
    theirs = sign(
        {**paged_document(after_root=f"<ofd:Signatures>/{LIST}</ofd:Signatures>")},
        Recipe(mint=new_mint()),
        folder="Doc_0/Signs/Theirs",
    )
    theirs[LIST] = listing("Doc_0/Signs/Theirs")
    report = judged(world, stamp(world, seal_id, theirs))
    first, second = report.signatures
    assert (first.valid, second.valid) == (False, True)
    assert [step.what for step in first.steps if step.ok is False] == [
        "seal_maker",
        "chain",
        "validity",
    ]


@pytest.mark.corpus
def test_a_document_of_another_office_takes_our_seal(
    world: World, seal_id: str, corpus: Path
) -> None:
    content = (corpus / "seals" / "SESV4SignDoc.ofd").read_bytes()
    report = judged(world, stamp(world, seal_id, content, Stamping((StampPlace(1, 100, 20),))))
    assert report.signatures[1].valid
    before = {step.what: step.ok for step in judged(world, content).signatures[0].steps}
    assert {step.what: step.ok for step in report.signatures[0].steps} == before


def test_the_same_document_is_sealed_into_the_same_bytes_but_for_the_signature(
    world: World, seal_id: str
) -> None:
    first, second = (
        unpacked(stamp(world, seal_id, paged_document(3), Stamping(edge=EdgePlace(100))))
        for _ in range(2)
    )
    assert [name for name in first if first[name] != second[name]] == [VALUE]


def test_a_use_is_entered_with_digest_and_form(world: World, seal_id: str) -> None:
    content = pack(paged_document())
    sealed = world.stamping.stamp_document(HOLDER, seal_id, StampRequest(content, PLACE, "归档"))
    newest = sealed.use
    assert newest in world.using.list_uses(AUDITOR, seal_id, PageRequest(200)).items
    assert newest.form == "ofd"
    assert newest.digest == sm3(content).hex()
    assert newest.value_digest == sm3(unpacked(sealed.document)[VALUE]).hex()
    assert world.acts()[-1]["details"] == {
        "document_sm3": newest.digest,
        "value_sm3": newest.value_digest,
        "use": newest.id,
        "form": "ofd",
        "document_class": "",
        "purpose_sm3": sm3("归档".encode()).hex(),
    }


def test_who_is_no_holder_seals_no_document_and_the_refusal_is_kept(
    world: World, seal_id: str
) -> None:
    with pytest.raises(NotSealHolder):
        stamp(world, seal_id, paged_document(), who=OTHER_HOLDER)


def test_a_suspension_that_comes_while_the_document_is_sealed_wins(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = world.make(name="临江县水利局")
    write = stamping_module.write_signature

    def suspended_meanwhile(*args: Any) -> bytes:
        world.registry.suspend_seal(SECURITY, seal.id, "异常")
        return write(*args)

    monkeypatch.setattr(stamping_module, "write_signature", suspended_meanwhile)
    with pytest.raises(SealNotUsable):
        stamp(world, seal.id, paged_document())
    assert list(world.using.list_uses(AUDITOR, seal.id, PageRequest()).items) == []


def test_what_does_not_verify_is_not_given_out(world: World) -> None:
    known = set(world.keys.keys)
    seal = world.make(name="临江县林业局")
    (name,) = (each for each in world.keys.keys if each not in known)
    world.keys.keys[name] = PrivateKey.generate()
    with pytest.raises(SealRejected, match="signature wrong"):
        stamp(world, seal.id, paged_document())


def replaced(path: str, old: bytes, new: bytes) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        assert old in files[path]
        return {**files, path: files[path].replace(old, new)}

    return change


def page_added(files: Files) -> Files:
    entry = b'<ofd:Page ID="9" BaseLoc="Pages/Page_9/Content.xml"/></ofd:Pages>'
    page = f"<ofd:Page {NS}><ofd:Content/></ofd:Page>".encode()
    document_xml = files["Doc_0/Document.xml"].replace(b"</ofd:Pages>", entry)
    return {
        **files,
        "Doc_0/Document.xml": document_xml,
        "Doc_0/Pages/Page_9/Content.xml": page,
    }


def without_a_reference(files: Files) -> Files:
    root = parse(files[SIGNATURE])
    references = root.find(f"{OFD}SignedInfo/{OFD}References")
    assert references is not None
    references.remove(references[0])
    return {**files, SIGNATURE: ET.tostring(root)}


SWAPS: dict[str, Callable[[Files], Files]] = {
    "the page changed": replaced(PAGE, b"Layer", b"layer"),
    "a page added": page_added,
    "the stamp moved": replaced(SIGNATURE, b"120 200", b"120 100"),
    "the stamp on another page": replaced(SIGNATURE, b'PageRef="1"', b'PageRef="2"'),
    "the stamp enlarged": replaced(SIGNATURE, b"42 42", b"90 90"),
    "the stamp taken away": replaced(SIGNATURE, b"StampAnnot", b"Stampannot"),
    "a reference taken away": without_a_reference,
    "the digest's method changed": replaced(SIGNATURE, b"10197.1.401", b"10197.1.400"),
    "Seal.esl of another seal": lambda files: {**files, ESL: files[ESL] + b"\x00"},
    "the picture in the value swapped": replaced(VALUE, b"picture", b"PICTURE"),
    "the signature in the list renamed": replaced(LIST, b"Sign_0/Signature", b"Sign_9/Signature"),
    "the list emptied": lambda files: {**files, LIST: listing()},
    "the root document moved": lambda files: {
        **files,
        "OFD.xml": files["OFD.xml"].replace(b"Doc_0/Document.xml", b"Doc_1/Document.xml"),
        "Doc_1/Document.xml": files["Doc_0/Document.xml"].replace(b"Pages/", b"/Doc_0/Pages/"),
    },
    "the value cut": lambda files: {**files, VALUE: files[VALUE][:-1]},
    "bytes after the value": lambda files: {**files, VALUE: files[VALUE] + b"\x00"},
}


@pytest.mark.parametrize("name", sorted(SWAPS))
def test_what_was_changed_after_sealing_is_refused_by_both_judges(
    world: World, seal_id: str, name: str
) -> None:
    files = SWAPS[name](unpacked(stamp(world, seal_id, paged_document(2))))
    content = pack(files)
    assert not judged(world, content).valid
    if name != "bytes after the value":  # asn1tools reads past nothing
        assert judge_ofd(content, root_of(world)) != []


def test_a_value_moved_to_another_document_is_refused_by_both_judges(
    world: World, seal_id: str
) -> None:
    one = unpacked(stamp(world, seal_id, paged_document(1)))
    other = unpacked(stamp(world, seal_id, paged_document(2)))
    content = pack({**other, VALUE: one[VALUE]})
    assert not judged(world, content).valid
    assert "dataHash is not of Signature.xml" in judge_ofd(content, root_of(world))


def with_later_body() -> Files:
    files = paged_document()
    body = b"<ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    return {**files, "OFD.xml": files["OFD.xml"].replace(b"</ofd:OFD>", body)}


def closed() -> Files:
    """Return a document whose only signature protects the list of signatures, too."""
    files = paged_document(after_root=f"<ofd:Signatures>/{LIST}</ofd:Signatures>")
    list_xml = listing("Doc_0/Signs/Sign_0")
    reference = (
        f'<ofd:Reference FileRef="/{LIST}"><ofd:CheckValue>AA==</ofd:CheckValue></ofd:Reference>'
    )
    return {**sign(files, Recipe(), extra_reference=reference), LIST: list_xml}


def changed_after_signing() -> Files:
    files = signed_document(Recipe())
    area = b"<ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>"
    changed = files["Doc_0/Document.xml"].replace(b"<ofd:PublicRes>", area + b"<ofd:PublicRes>")
    return {**files, "Doc_0/Document.xml": changed}


def full_list() -> Files:
    files = {**paged_document(after_root=f"<ofd:Signatures>/{LIST}</ofd:Signatures>")}
    folders = [f"Doc_0/Signs/Sign_{number}" for number in range(200)]
    for folder in folders:
        files[f"{folder}/Signature.xml"] = (
            f'<ofd:Signature {NS}><ofd:SignedInfo><ofd:References CheckMethod="SM3"/>'
            "</ofd:SignedInfo><ofd:SignedValue>SignedValue.dat</ofd:SignedValue></ofd:Signature>"
        ).encode()
    return {**files, LIST: listing(*folders)}


def dtd(files: Files, name: str) -> Files:
    return {**files, name: b'<!DOCTYPE x [<!ENTITY e "e">]>' + files[name].split(b"?>")[-1]}


def pages_of_one_large_file() -> Files:
    """Return a package of a few bytes whose pages would be read for minutes."""
    entries = "".join(
        f'<ofd:Page ID="{number}" BaseLoc="Pages/Page_1/Content.xml"/>' for number in range(1, 2001)
    )
    files = paged_document(pages=entries)
    files[PAGE] = files[PAGE].replace(b"</ofd:Page>", b" " * (7 << 20) + b"</ofd:Page>")
    return files


REFUSED: dict[str, Callable[[], Files | bytes]] = {
    "pages of one large file": pages_of_one_large_file,
    "nothing": lambda: b"",
    "no zip": lambda: b"{}",
    "an empty zip": dict,
    "no pages": lambda: paged_document(0),
    "two documents": with_later_body,
    "a page without ID": lambda: paged_document(
        pages='<ofd:Page BaseLoc="Pages/Page_1/Content.xml"/>'
    ),
    "two pages of one ID": lambda: paged_document(
        2,
        pages='<ofd:Page ID="1" BaseLoc="Pages/Page_1/Content.xml"/>'
        '<ofd:Page ID="1" BaseLoc="Pages/Page_2/Content.xml"/>',
    ),
    "a page that is not there": lambda: paged_document(
        pages='<ofd:Page ID="1" BaseLoc="Pages/None.xml"/>'
    ),
    "a page outside": lambda: paged_document(pages='<ofd:Page ID="1" BaseLoc="../../../x"/>'),
    "no size": lambda: {
        name: content.replace(b"PhysicalBox", b"Box") for name, content in paged_document().items()
    },
    "a size of three numbers": lambda: paged_document(box="0 0 210"),
    "a size that is no number": lambda: paged_document(box="0 0 wide 297"),
    "a size of nan": lambda: paged_document(box="0 0 nan 297"),
    "a size of infinity": lambda: paged_document(box="0 0 inf 297"),
    "a size below zero": lambda: paged_document(box="0 0 -210 297"),
    "a size of miles": lambda: paged_document(box="0 0 1e9 297"),
    "a size as long as a page": lambda: paged_document(box="0 0 210 297" + " " * 200 + "0"),
    "a small page": lambda: paged_document(box="0 0 100 100"),
    "a list that is not there": lambda: paged_document(
        after_root="<ofd:Signatures>/Doc_0/Signs/None.xml</ofd:Signatures>"
    ),
    "a closed document": closed,
    "a document changed after it was signed": changed_after_signing,
    "a full list": full_list,
    "a DTD in OFD.xml": lambda: dtd(paged_document(), "OFD.xml"),
    "a DTD in a page": lambda: dtd(paged_document(), PAGE),
    "a bomb": lambda: {**paged_document(), "Doc_0/bomb": bytes(130 << 20)},
    "too many pages": lambda: paged_document(
        pages="".join(f'<ofd:Page ID="{n}" BaseLoc="x"/>' for n in range(2_001))
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_document_that_is_not_safe_to_seal_is_refused(
    world: World, seal_id: str, name: str
) -> None:
    before = len(world.using.list_uses(AUDITOR, seal_id, PageRequest(200)).items)
    with pytest.raises(DocumentRejected):
        stamp(world, seal_id, REFUSED[name]())
    assert len(world.using.list_uses(AUDITOR, seal_id, PageRequest(200)).items) == before


def test_a_name_twice_is_refused_before_anything_is_signed(world: World, seal_id: str) -> None:
    def again(package: zipfile.ZipFile) -> None:
        package.writestr(PAGE.upper(), b"x")

    with pytest.raises(DocumentRejected, match="twice"):
        stamp(world, seal_id, pack(paged_document(), again))


def test_a_document_above_the_limit_is_refused(world: World, seal_id: str) -> None:
    with pytest.raises(TooLarge):
        stamp(world, seal_id, bytes((20 << 20) + 1))


A4 = tuple(OfdPage(str(number), 0, 0, 210, 297) for number in range(1, 6))


def test_a_picture_stands_at_its_place_counted_from_both_ends() -> None:
    stamps = place_stamps(Stamping((StampPlace(1, 10, 20), StampPlace(-1, 168, 255))), A4, SIZE)
    assert stamps == (Stamp("1", (10, 20, 42, 42)), Stamp("5", (168, 255, 42, 42)))


def test_without_a_place_the_picture_stands_at_the_lower_right_of_the_last_page() -> None:
    assert place_stamps(Stamping(), A4, SIZE) == (Stamp("5", (143, 230, 42, 42)),)
    small = (OfdPage("1", 0, 0, 50, 50),)
    assert place_stamps(Stamping(), small, SIZE) == (Stamp("1", (0, 0, 42, 42)),)


def test_a_page_that_does_not_begin_at_zero_moves_the_picture_with_it() -> None:
    page = OfdPage("1", 5, -7, 210, 297)
    assert place_stamps(Stamping((StampPlace(1, 1, 1),)), (page,), SIZE)[0].boundary[:2] == (6, -6)


@pytest.mark.parametrize(
    "stamping",
    [
        Stamping((StampPlace(0, 1, 1),)),
        Stamping((StampPlace(6, 1, 1),)),
        Stamping((StampPlace(-6, 1, 1),)),
        Stamping((StampPlace(1, -1, 1),)),
        Stamping((StampPlace(1, 169, 1),)),
        Stamping((StampPlace(1, 1, 256),)),
        Stamping((StampPlace(1, float("nan"), 1),)),
        Stamping((StampPlace(1, 1, float("inf")),)),
        Stamping(tuple(StampPlace(1, 1, 1) for _ in range(21))),
        Stamping(edge=EdgePlace(256)),
        Stamping(edge=EdgePlace(1, 3, 3)),
        Stamping(edge=EdgePlace(1, 4, 2)),
        Stamping(edge=EdgePlace(1, 1, 9)),
    ],
)
def test_a_place_that_is_not_on_the_document_is_refused(stamping: Stamping) -> None:
    with pytest.raises(OfdError):
        place_stamps(stamping, A4, SIZE)


@given(st.integers(2, 60), st.sampled_from([(42, 42), (45, 30), (25, 25)]))
def test_slices_of_an_edge_make_up_whole_pictures(count: int, size: tuple[int, int]) -> None:
    pages = [OfdPage(str(number), 0, 0, 210, 297) for number in range(count)]
    stamps = place_stamps(Stamping(edge=EdgePlace(100)), pages, size)
    assert [each.page for each in stamps] == [page.identifier for page in pages]
    reached = 0.0
    for each in stamps:
        assert each.clip is not None
        left, top, width, height = each.clip
        # what shows ends at the page's edge, begins where the page before stopped
        assert each.boundary[0] + left + width == pytest.approx(210)
        assert left == pytest.approx(reached)
        assert (top, height, each.boundary[1:]) == (0, size[1], (100, *size))
        assert width >= 4
        reached = 0.0 if left + width == pytest.approx(size[0]) else left + width
    assert reached == 0


def test_the_pages_of_a_document_are_read_in_order() -> None:
    found = read_document(OfdPackage(pack(paged_document(3))))
    assert [page.identifier for page in found.pages] == ["1", "2", "3"]
    assert (found.folder, found.list_path) == ("Doc_0", None)
    assert document()[PAGE.replace("Page_1", "Page_0")]
