"""Windows events keep two namespaces and lose nothing."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.formats.windows import (
    TooDeep,
    flatten_event,
    resolve,
    system_time,
    with_ecs,
)

LOG_CLEARED = {
    "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
    "System": {
        "Provider": {"#attributes": {"Name": "Microsoft-Windows-Eventlog", "Guid": "{fc65}"}},
        "EventID": {"#attributes": {"Qualifiers": 16384}, "#text": 104},
        "Version": 0,
        "Level": "4",
        "TimeCreated": {"#attributes": {"SystemTime": "2021-10-20T13:39:12.731904Z"}},
        "Correlation": None,
        "Execution": {"#attributes": {"ProcessID": 732, "ThreadID": 3728}},
        "Channel": "System",
        "Computer": "FS03.offsec.lan",
        "Security": None,
    },
    "UserData": {
        "LogFileCleared": {
            "#attributes": {"xmlns": "x", "xmlns:auto-ns3": "y"},
            "SubjectUserName": "admmig",
            "Channel": "Security",
        }
    },
}


def test_payload_and_system_are_two_namespaces_and_the_payload_reads_first() -> None:
    fields = flatten_event(LOG_CLEARED)

    assert fields["Channel"] == "Security"
    assert fields["System.Channel"] == "System"
    assert resolve(fields, "Channel") == "Security"
    assert resolve(fields, "EventID") == "104"
    assert resolve(fields, "Nothing") is None


def test_system_attributes_become_tag_attr_and_nulls_are_absent() -> None:
    fields = flatten_event(LOG_CLEARED)

    assert {name: value for name, value in fields.items() if name.startswith("System.")} == {
        "System.Provider_Name": "Microsoft-Windows-Eventlog",
        "System.Provider_Guid": "{fc65}",
        "System.EventID": "104",
        "System.EventID_Qualifiers": "16384",
        "System.Version": "0",
        "System.Level": "4",
        "System.TimeCreated_SystemTime": "2021-10-20T13:39:12.731904Z",
        "System.Execution_ProcessID": "732",
        "System.Execution_ThreadID": "3728",
        "System.Channel": "System",
        "System.Computer": "FS03.offsec.lan",
    }
    assert system_time(LOG_CLEARED) == "2021-10-20T13:39:12.731904Z"


def test_the_wrapper_of_user_data_and_xmlns_are_dropped() -> None:
    fields = flatten_event(LOG_CLEARED)

    assert {n for n in fields if not n.startswith("System.")} == {"SubjectUserName", "Channel"}


def test_ecs_names_stand_beside_the_sources_own() -> None:
    fields = with_ecs(flatten_event(LOG_CLEARED))

    assert fields["event.module"] == "windows"
    assert fields["event.code"] == "104"
    assert fields["host.name"] == "FS03.offsec.lan"
    assert fields["winlog.channel"] == "System"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"Data": {"#text": ["a", None, "b"]}, "Binary": ""}, {"Data": ("a", "b"), "Binary": ""}),
        ({"Data": {"#text": "one"}}, {"Data": "one"}),
        ({"Data": {"#text": []}}, {}),
        ({"New Value ": "1", " New Value": "2"}, {"New Value": ("1", "2")}),
        ({"On": True, "Size": 5.0, "Rate": 0.5}, {"On": "true", "Size": "5", "Rate": "0.5"}),
        ({"processId": 1, "ProcessId": "0x1"}, {"processId": "1", "ProcessId": "0x1"}),
        ({"App": "a", "App_1": "b", "App_2": "c"}, {"App": ("a", "b", "c")}),
        ({"Param_1": "kept"}, {"Param_1": "kept"}),
        ({"F": {"#attributes": {"ref": "x"}, "#text": "t"}}, {"F": "t", "F_ref": "x"}),
        ({"": "nameless"}, {}),
        ({"#attributes": {"Name": "DEBUG"}, "X": None}, {"EventData_Name": "DEBUG"}),
    ],
)  # fmt: skip
def test_bodies_are_flattened_by_the_rules(
    data: dict[str, object], expected: dict[str, object]
) -> None:
    assert flatten_event({"EventData": data}) == expected


def test_a_body_of_another_name_is_flattened_too_and_nothing_is_mandatory() -> None:
    assert flatten_event({"SubscriptionBookmarkEvent": {"SubscriptionId": "7"}}) == {
        "SubscriptionId": "7"
    }
    assert flatten_event({"EventData": None}) == {}
    assert flatten_event({"System": {"Security": {"#attributes": {"UserID": None}}}}) == {}
    assert flatten_event({"UserData": {"#attributes": {}, "Text": "bare"}}) == {"Text": "bare"}
    assert system_time({}) is None


def test_a_record_nested_too_deeply_is_refused() -> None:
    body: dict[str, object] = {"x": "y"}
    for _ in range(30):
        body = {"n": body}

    with pytest.raises(TooDeep):
        flatten_event({"EventData": body})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from(["#text", "#attributes"]), inner)
    ),
    max_leaves=12,
)


@given(body=st.dictionaries(st.sampled_from(["System", "EventData", "UserData", "X"]), JSON))
def test_any_json_becomes_texts_or_tuples_of_texts(body: dict[str, object]) -> None:
    event = orjson.loads(json.dumps(body).encode("utf-8", "replace")) if _plain(body) else {}
    for value in flatten_event(event).values():
        texts = value if isinstance(value, tuple) else (value,)
        assert all(type(text) is str for text in texts)
        assert texts


def _plain(body: object) -> bool:
    try:
        orjson.dumps(body)
    except TypeError:
        return False
    return True


@pytest.mark.corpus
def test_every_real_record_of_the_corpus_flattens(corpus: Path) -> None:
    lines = lzma.decompress(
        (corpus / "detection/hayabusa-sample-evtx.24661.jsonl.xz").read_bytes()
    ).splitlines()
    flat = [flatten_event(orjson.loads(line)["Event"]) for line in lines]

    assert len(flat) == 24_661
    assert sum("System.Channel" in fields for fields in flat) == 24_660
    assert sum("System.EventID" in fields for fields in flat) == 24_661
    assert sum(isinstance(fields.get("Data"), tuple) for fields in flat) >= 1_500
