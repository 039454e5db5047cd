"""Spellings of numbers and mail addresses, what is shown of them, and the shape of codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.core.message_addresses import masked_address, normal_address
from iam.core.message_codes import DIGITS, code_of, is_code
from iam.core.readable import in_groups, letters_of
from iam.errors import AddressInvalid
from iam.models.messages import Channel

HOME = ("+86",)


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        ("sms", ""),
        ("sms", "+19005551234"),
        ("sms", "00447700900123"),
        ("sms", "12345"),
        ("sms", "+8610 12345678"),
        ("sms", "+86 12812345678"),
        ("sms", "138123456789"),
        ("sms", "13812345678;DROP"),
        ("sms", "13812345678\n" + "13987654321"),
        ("mail", "a@b"),
        ("mail", "a@example.cn\r\nBcc: b@example.cn"),
        ("mail", "a@example.cn,b@example.cn"),
        ("mail", "a b@example.cn"),
        ("mail", '"a"@example.cn'),
        ("mail", "a@[127.0.0.1]"),
        ("mail", "a@-x.cn"),
        ("mail", "a..b@example.cn"),
        ("mail", f"{'a' * 65}@example.cn"),
        ("mail", "a" * 9_999 + "@example.cn"),
        ("mail", f"a@{'.'.join(['x' * 60] * 5)}.cn"),
    ],
)
def test_addresses_that_cost_or_inject_are_refused(channel: Channel, text: str) -> None:
    with pytest.raises(AddressInvalid):
        normal_address(channel, text, HOME)


@pytest.mark.parametrize(
    "text",
    [
        "13812345678",
        "+86 138-1234-5678",
        "0086 (138) 12345678",
        "\uff11\uff13\uff1812345678",
        "  +8613812345678 ",
    ],
)
def test_every_spelling_of_a_number_is_the_same(text: str) -> None:
    assert normal_address("sms", text, HOME) == "+8613812345678"


def test_another_countrys_numbers_are_admitted_where_listed() -> None:
    assert normal_address("sms", "+852 5123 4567", ("+86", "+852")) == "+85251234567"
    with pytest.raises(AddressInvalid):
        normal_address("sms", "13812345678", ("+852",))


def test_a_mail_addresss_domain_has_one_spelling_and_its_local_part_stays() -> None:
    assert normal_address("mail", " Zhang.Wei@Example.GOV.cn", HOME) == "Zhang.Wei@example.gov.cn"


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        ("sms", "+8613812345678", "138****5678"),
        ("sms", "+85251234567", "+852****4567"),
        ("mail", "zhang.wei@example.gov.cn", "z***@example.gov.cn"),
    ],
)
def test_what_is_shown(channel: Channel, address: str, shown: str) -> None:
    assert masked_address(channel, address) == shown


@given(st.text(max_size=300), st.sampled_from(("sms", "mail")))
def test_no_text_does_anything_but_fit_or_be_refused(text: str, channel: Channel) -> None:
    try:
        normal = normal_address(channel, text, HOME)
    except AddressInvalid:
        return
    assert normal_address(channel, normal, HOME) == normal
    assert normal.isascii()
    assert normal.isprintable()
    assert " " not in normal


@given(st.binary(min_size=16, max_size=16))
def test_every_code_has_the_shape_of_a_code(random: bytes) -> None:
    code = code_of(random)
    assert is_code(code)
    assert len(code) == DIGITS
    assert not is_code(code[1:])


@pytest.mark.parametrize("text", ["١٢٣٤٥٦٧٨", "1234567a", "", "123456", "123456789"])
def test_what_is_no_code(text: str) -> None:
    assert not is_code(text)


@given(st.binary(min_size=24, max_size=24))
def test_letters_for_paper_are_of_their_alphabet_and_stand_in_groups(random: bytes) -> None:
    text = letters_of(random, "abc3", 12)
    assert len(text) == 12
    assert set(text) <= set("abc3")
    assert in_groups(text).replace("-", "") == text
    assert [len(group) for group in in_groups(text, 5).split("-")] == [5, 5, 2]
