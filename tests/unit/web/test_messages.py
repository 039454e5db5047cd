from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secops.kernel.errors import Invalid, LengthRequired, Unauthenticated
from secops.web.forms import Upload, parse_multipart
from secops.web.limits import check_json_depth
from secops.web.messages import Request, json_response, redirect

FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_a_repeated_parameter_is_refused() -> None:
    with pytest.raises(Invalid, match="repeated"):
        _ = Request("GET", "/", "a=1&a=2").query
    with pytest.raises(Invalid, match="repeated"):
        _ = Request("POST", "/", headers=FORM, body=b"a=1&a=2").form


def test_a_form_is_read_only_under_its_own_content_type() -> None:
    assert Request("POST", "/", headers=FORM, body="名=值&b=".encode()).form == {
        "名": "值",
        "b": "",
    }
    with pytest.raises(Invalid):
        _ = Request("POST", "/", headers={"content-type": "text/plain"}, body=b"a=1").form
    with pytest.raises(Invalid, match="UTF-8"):
        _ = Request("POST", "/", headers=FORM, body=b"a=\xff").form


def test_too_many_parameters_are_refused() -> None:
    with pytest.raises(Invalid):
        _ = Request("GET", "/", "&".join(f"a{n}=1" for n in range(1_001))).query


def test_json_deeper_than_the_limit_is_refused_wherever_the_brackets_stand() -> None:
    assert Request("POST", "/", body=b'{"a": [1]}').json_object() == {"a": [1]}
    assert Request("POST", "/", body=b"").json_object() == {}
    for body in (b"[" * 40, b'{"a":' * 40, b"nothing", b"[1]"):
        with pytest.raises(Invalid):
            Request("POST", "/", body=body).json_object()


def test_brackets_inside_texts_do_not_count_as_depth() -> None:
    body = b'{"a": "' + b"[" * 60 + b'\\"' + b"{" * 60 + b'"}'
    assert Request("POST", "/", body=body).json() == {"a": "[" * 60 + '"' + "{" * 60}


@pytest.mark.parametrize("escape", ["", "\\n"])
def test_depth_is_counted_outside_texts_with_and_without_escapes(escape: str) -> None:
    text = f'"{escape}' + "[" * 60 + '"'
    for depth, passes in ((32, True), (33, False)):
        body = ("[" * depth + text + "]" * depth).encode()
        if passes:
            check_json_depth(body, 32)
            continue
        with pytest.raises(Invalid):
            check_json_depth(body, 32)


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=9))
def test_shallow_json_passes_the_depth_check(value: object) -> None:
    check_json_depth(json_response(value).body, 32)


def test_language_is_chinese_unless_asked_otherwise() -> None:
    assert Request("GET", "/").language == "zh"
    assert Request("GET", "/", headers={"accept-language": "en-GB,en"}).language == "en"
    chosen = {"accept-language": "en", "cookie": "lang=zh"}
    assert Request("GET", "/", headers=chosen).language == "zh"


def test_nobody_is_the_caller_until_somebody_proved_it() -> None:
    with pytest.raises(Unauthenticated):
        _ = Request("GET", "/").caller


def test_a_body_without_length_is_refused_where_it_matters() -> None:
    with pytest.raises(LengthRequired):
        Request("POST", "/").require_length()
    Request("POST", "/", headers={"content-length": "0"}).require_length()


def test_malformed_cookies_are_no_cookies() -> None:
    assert Request("GET", "/", headers={"cookie": "a=1; b=2"}).cookies == {"a": "1", "b": "2"}
    assert Request("GET", "/", headers={"cookie": "\x00=;;"}).cookies == {}


def test_a_redirect_turns_every_method_into_get() -> None:
    answer = redirect("/x")
    assert (answer.status, answer.header("Location")) == (303, "/x")


def multipart(*parts: bytes) -> bytes:
    return b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"


KIND = "multipart/form-data; boundary=B"
FIELD = b'Content-Disposition: form-data; name="note"\r\n\r\n' + "备注".encode()
FILE = (
    b'Content-Disposition: form-data; name="file"; filename="a.esl"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\r\n--x\r\n"
)


def test_multipart_fields_and_files_come_out_as_they_went_in() -> None:
    form = parse_multipart(KIND, multipart(FIELD, FILE))
    assert form.fields == {"note": "备注"}
    assert form.files == {"file": Upload("a.esl", "application/octet-stream", b"\x00\r\n--x\r\n")}
    request = Request("POST", "/", headers={"content-type": KIND}, body=multipart(FIELD, FILE))
    assert (request.form, list(request.files)) == ({"note": "备注"}, ["file"])


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", multipart(FIELD)),
        ("multipart/form-data", multipart(FIELD)),
        ("multipart/form-data; boundary=" + "B" * 71, multipart(FIELD)),
        (KIND, multipart(FIELD)[:-6]),
        (KIND, multipart(FIELD, FIELD)),
        (KIND, multipart(b"Content-Disposition: form-data\r\n\r\nx")),
        (KIND, multipart(b"no header")),
        (KIND, multipart(b'Content-Disposition: form-data; name="a"\r\n\r\n\xff')),
        (KIND, multipart(*[b'Content-Disposition: form-data; name="a"\r\n\r\n'] * 51)),
        (KIND, b""),
    ],
)
def test_a_malformed_multipart_body_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(Invalid):
        parse_multipart(kind, body)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_multipart_reader(body: bytes) -> None:
    try:
        parse_multipart(KIND, b"--B\r\n" + body)
    except Invalid:
        return


@given(st.text(alphabet="ab=&+%2f;\xe4人 ", max_size=30))
def test_parameters_are_read_as_the_standard_library_reads_them(encoded: str) -> None:
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, errors="strict")
    except ValueError:
        pairs = None
    request = Request("GET", "/", query_string=encoded)
    if pairs is None or len(dict(pairs)) != len(pairs):
        with pytest.raises(Invalid):
            _ = request.query
    else:
        assert request.query == dict(pairs)


def test_more_parameters_than_anybody_needs_are_refused() -> None:
    with pytest.raises(Invalid):
        _ = Request("GET", "/", query_string="&".join(f"a{n}=1" for n in range(1_001))).query
