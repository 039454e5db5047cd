"""Classes of data: recognised by their standards, masked, graded; who touched a subject."""

from __future__ import annotations

import hmac
import re
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.adapters.data_classes import InstalledDataClasses
from detectors.core.privacy.checks import is_id_card, is_luhn, is_uscc
from detectors.core.privacy.definitions import MAX_PATTERN, read_data_classes
from detectors.core.privacy.masking import MAX_SUBJECTS, Masker, subject_digests
from detectors.core.privacy.scanner import Scanner
from detectors.core.privacy.tracing import subject_query, trace_rows
from detectors.models.privacy import (
    GRADES,
    DataClass,
    DataClassFile,
    Prepared,
    SourcePolicy,
)
from secops.kernel.errors import Invalid
from secops.kernel.logs import LogEvent, Or, Term

CLASSES = read_data_classes(InstalledDataClasses(Path("/nonexistent")).data_class_files())
SCANNER = Scanner(CLASSES)
MASKED = tuple(each.id for each in CLASSES if each.masked)
ID_CARD = "11010519491231002X"
EVERY_ENCODING = [
    (each, encoding, text)
    for each in CLASSES
    for encoding in ("utf-8", "gb18030")
    for text in each.positive
]
WORD = '[[class]]\nid = "x"\nzh = "某"\nen = "x"\n'


def digest(data: bytes) -> bytes:
    return hmac.digest(b"key", data, "sha256")


def found(line: bytes) -> list[tuple[str, bytes]]:
    return [(hit.data_class.id, line[hit.start : hit.end]) for hit in SCANNER.find(line)]


def masker(**policy: object) -> Masker:
    chosen: dict[str, object] = {"masked": MASKED} | policy
    return Masker(SCANNER, SourcePolicy("s", "org", **chosen), digest)  # type: ignore[arg-type]


def own(text: str) -> tuple[DataClass, ...]:
    return read_data_classes([DataClassFile("own.toml", text.encode())])


@pytest.mark.parametrize(("data_class", "encoding", "text"), EVERY_ENCODING)
def test_each_class_finds_its_positive_samples(
    data_class: DataClass, encoding: str, text: str
) -> None:
    assert data_class.id in [name for name, _ in found(text.encode(encoding))]


@pytest.mark.parametrize("data_class", CLASSES, ids=lambda each: each.id)
def test_no_class_finds_its_negative_samples(data_class: DataClass) -> None:
    for text in data_class.negative:
        for encoding in ("utf-8", "gb18030"):
            assert data_class.id not in [name for name, _ in found(text.encode(encoding))], text


@pytest.mark.parametrize("data_class", CLASSES, ids=lambda each: each.id)
def test_each_class_has_samples_of_both_kinds_a_source_and_a_grade(data_class: DataClass) -> None:
    assert data_class.positive
    assert data_class.negative
    assert data_class.source
    assert data_class.grade in GRADES


def test_a_wrong_check_digit_or_an_impossible_birthday_is_no_identity_number() -> None:
    assert is_id_card(ID_CARD)
    assert [n for n in "0123456789" if is_id_card(ID_CARD[:17] + n)] == []
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    body = "11010519490230001"
    total = sum(int(d) * w for d, w in zip(body, weights, strict=True))
    check = "10X98765432"[total % 11]
    assert not is_id_card(body + check)


def test_one_character_in_thirty_one_closes_a_credit_code() -> None:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    assert [c for c in alphabet if is_uscc("91350100M000100Y4" + c)] == ["3"]


def test_one_digit_in_ten_closes_a_card_number() -> None:
    assert [d for d in "0123456789" if is_luhn("622202123456789012" + d)] == ["8"]
    assert is_luhn("79927398713")  # the worked example of ISO/IEC 7812-1 annex B


def test_numbers_inside_longer_numbers_are_not_values() -> None:
    assert found(b"1380013800013800138000") == []
    assert found(b"9" + ID_CARD.encode()) == []
    assert found(b"13800138000,13900139000") == [
        ("cn_mobile", b"13800138000"),
        ("cn_mobile", b"13900139000"),
    ]


def test_where_two_classes_fit_the_earlier_one_counts() -> None:
    line = b"a=440524188001010014"
    assert [name for name, _ in found(line)] == ["cn_id_card"]


def test_what_is_masked_keeps_its_length_and_its_ends() -> None:
    line = f"身份证{ID_CARD} 电话13800138000 卡4111-1111-1111-1111 password=hunter22".encode()
    masked = masker()(line).raw
    assert masked.decode() == (
        "身份证110105***********X 电话138****8000 卡4111-11**-****-1111 password=********"
    )
    assert len(masked) == len(line)


def test_a_json_line_stays_json() -> None:
    line = orjson.dumps({"sfz": ID_CARD, "client_secret": "s3cr3tvalue", "n": 1})
    assert orjson.loads(masker()(line).raw) == {
        "sfz": "110105***********X",
        "client_secret": "***********",
        "n": 1,
    }


def test_gb18030_lines_are_masked_alike() -> None:
    line = "口令:abc12345,电话13812345678号".encode("gb18030")
    assert masker()(line).raw.decode("gb18030") == "口令:********,电话138****5678号"


def test_fields_say_classes_the_highest_grade_and_keyed_subjects() -> None:
    prepared = masker(grade="2")(f"tel=13800138000 id={ID_CARD.lower()}".encode())
    upper = digest(f"cn_id_card\0{ID_CARD}".encode())[:16].hex()
    phone = digest(b"cn_mobile\x0013800138000")[:16].hex()
    assert dict(prepared.fields) == {
        "data.class": ("cn_mobile", "cn_id_card"),
        "data.grade": "3",
        "data.leak": "true",
        "data.subject": (f"cn_mobile:{phone}", f"cn_id_card:{upper}"),
    }


def test_data_that_belongs_there_is_no_leak() -> None:
    assert "data.leak" not in masker(grade="3")(ID_CARD.encode()).fields
    assert masker(grade="4")("机密★".encode()).fields["data.leak"] == "true"


def test_a_plain_line_is_handed_on_as_it_is() -> None:
    assert masker()(b"GET /index.html 200") == Prepared(b"GET /index.html 200")


def test_only_what_the_policy_masks_is_masked_and_only_then_an_original_is_kept() -> None:
    line = f"{ID_CARD} 13800138000".encode()
    some = masker(masked=("cn_mobile",), keeps_originals=True)(line)
    assert (some.raw, some.original) == (f"{ID_CARD} 138****8000".encode(), line)
    none = masker(masked=(), keeps_originals=True)(line)
    assert (none.raw, none.original) == (line, None)
    assert masker(keeps_originals=False)(line).original is None


def test_a_marking_is_graded_and_never_starred() -> None:
    line = "标题:机密★1年".encode()
    prepared = masker(masked=("classification_mark",))(line)
    assert prepared.raw == line
    assert prepared.fields["data.grade"] == "core"


def test_without_a_key_the_event_says_that_it_cannot_be_traced() -> None:
    blind = Masker(SCANNER, SourcePolicy("s", "org"), None)
    assert blind(b"tel=13800138000").fields["data.untraced"] == "true"
    assert "data.untraced" not in blind("机密★".encode()).fields
    assert "data.subject" not in masker()("机密★".encode()).fields


def test_a_mobile_number_is_the_same_subject_with_and_without_country_code() -> None:
    expected = subject_digests(SCANNER, "13800138000", digest)
    assert len(expected) == 1
    for written in ("+86 13800138000", "8613800138000", " 13800138000 ", "+86-13800138000"):
        assert subject_digests(SCANNER, written, digest) == expected
    assert subject_digests(SCANNER, "ann", digest) == ()
    assert subject_digests(SCANNER, "x 13800138000", digest) == ()


def test_an_event_names_a_bounded_number_of_subjects() -> None:
    line = b",".join(b"138%08d" % number for number in range(MAX_SUBJECTS + 20))
    prepared = masker()(line)
    assert len(prepared.fields["data.subject"]) == MAX_SUBJECTS
    assert re.search(rb"[0-9]{11}", prepared.raw) is None


@pytest.mark.parametrize(
    "attack",
    [
        b"1" * 1_000_000,
        b"13800138000" * 90_000,
        b"4" * 1_000_000,
        b"62 " * 300_000,
        b"eyJ" * 300_000,
        b"password=" * 100_000,
        b"a" * 500_000 + b"@" + b"a." * 200_000,
        b"-----BEGIN " * 90_000,
        "口令:".encode("gb18030") * 100_000,
    ],
    ids=lambda attack: attack[:12].decode("latin-1"),
)
def test_a_line_made_to_stall_the_scanner_is_read(attack: bytes) -> None:
    assert len(masker()(attack).raw) == len(attack)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_masked_number_is_gone_whatever_stands_around_it(before: bytes, after: bytes) -> None:
    line = before + b" 13800138000 " + after
    assert b"13800138000" not in masker()(line).raw


@given(st.binary(max_size=300))
def test_masking_never_raises_and_is_done_once(line: bytes) -> None:
    masked = masker()(line).raw
    assert masker()(masked).raw == masked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "holds no"),
        ("class = 1", "not a list"),
        ("class = [1]", "not a list"),
        (WORD + 'grade = "5"\npattern = "a"', "grade is one of"),
        (WORD + 'pattern = "a"\nwords = ["b"]', "either pattern or words"),
        (WORD, "either pattern or words"),
        (WORD + 'pattern = "a*"', "matches nothing at all"),
        (WORD + 'pattern = "(a"', "class 1"),
        (WORD + 'pattern = "(a)(b)"', "at most one group"),
        (WORD + f'pattern = "{"a" * (MAX_PATTERN + 1)}"', "at most"),
        (WORD + 'words = "b"', "words is a list"),
        (WORD + 'pattern = "a"\nkeep = [1]', "keep is two"),
        (WORD + 'pattern = "a"\nkeep = 1', "keep is two"),
        (WORD + 'pattern = "a"\nother = 1', "other means nothing"),
        ('[[class]]\nzh = "x"\nen = "x"\npattern = "a"', "id is missing"),
        (WORD + 'pattern = "a"\ncheck = "sum"', "check is one of"),
        (WORD + "pattern = '(?<=a)b'", "class 1"),
    ],
)
def test_a_wrong_description_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=re.escape(said)):
        own(text)


def test_too_many_classes_are_refused() -> None:
    many = "\n".join(
        WORD.replace('"x"', f'"x{number}"', 1) + 'pattern = "a"' for number in range(201)
    )
    with pytest.raises(Invalid, match="more than 200"):
        own(many)


def test_the_homes_class_replaces_the_products(tmp_path: Path) -> None:
    folder = tmp_path / "dataclasses"
    folder.mkdir()
    (folder / "ours.toml").write_text(
        '[[class]]\nid = "cn_mobile"\nzh = "工号"\nen = "Staff number"\ngrade = "important"\n'
        "pattern = 'GH[0-9]{6}'\n"
    )
    classes = read_data_classes(InstalledDataClasses(tmp_path).data_class_files())
    (ours,) = [each for each in classes if each.id == "cn_mobile"]
    assert (ours.grade, ours.title.en) == ("important", "Staff number")
    (folder / "big.toml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(Invalid, match="more than"):
        InstalledDataClasses(tmp_path).data_class_files()


def test_no_classes_find_nothing() -> None:
    assert Scanner(()).find(b"13800138000") == []


def event(number: int, at: int, **fields: object) -> LogEvent:
    dotted = {name.replace("__", "."): value for name, value in fields.items()}
    return LogEvent(f"e{number}", "app", at, at, dotted, b"raw")  # type: ignore[arg-type]


def test_a_trace_groups_by_who_did_what_newest_first() -> None:
    rows = trace_rows(
        [
            event(1, 10, user__name="ann", source__ip="10.1.2.3", event__action="read"),
            event(2, 30, user__name="ann", source__ip="10.1.2.3", event__action="read"),
            event(3, 20, user__id="acc_1", event__action="export", ledger__entry="7", target="k"),
            event(4, 5, source__ip=("10.9.9.9", "::1")),
            event(5, 1),
        ]
    )
    assert [
        (r.who, r.action, r.target, r.count, r.first_at, r.last_at, r.entries) for r in rows
    ] == [
        ("ann @ 10.1.2.3", "read", "", 2, 10, 30, ()),
        ("acc_1", "export", "k", 1, 20, 20, (7,)),
        ("10.9.9.9", "", "", 1, 5, 5, ()),
        ("", "", "", 1, 1, 1, ()),
    ]


def test_a_row_names_a_bounded_number_of_events() -> None:
    (row,) = trace_rows([event(n, n, user__name="a", ledger__entry=str(n)) for n in range(50)])
    assert (row.count, len(row.event_ids), len(row.entries)) == (50, 20, 20)


def test_a_subject_is_looked_for_as_written_and_by_digest() -> None:
    assert subject_query("13800138000", ["cn_mobile:ab"]) == Or(
        (Term(None, "13800138000", quoted=True), Term("data.subject", "cn_mobile:ab", quoted=True))
    )
