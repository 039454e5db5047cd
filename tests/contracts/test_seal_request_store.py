"""Requests for single uses, the same over SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kms.models.seal_requests import SealUseRequest
from kms.models.stamps import EdgePlace, Stamping, StampPlace
from kms.store.seal_requests import SqlSealUseRequestStore
from secops.adapters.spine import Spine
from secops.kernel.pages import PageRequest
from tests.fakes.clock import START

STORE = SqlSealUseRequestStore()
REQUEST = SealUseRequest(
    id="sur_1",
    org_id="org_a",
    seal_id="seal_1",
    requester_id="acc_1",
    requester="周",
    digest="ab" * 32,
    file_name="通知.ofd",
    form="ofd",
    stamping=Stamping((StampPlace(1, 20.5, 30.0),), EdgePlace(100.0, 1, 3)),
    document_class="公文",
    purpose="印发",
    document="cd" * 32,
    size=7,
    requested_at=5,
    expires_at=START + 9,
    approval_id="apr_1",
    subject_hash="hash",
)


def run(spine: Spine, method: Any, *args: Any, **kwargs: Any) -> Any:
    return spine.parts.transactions.run(lambda tx: method(tx, *args, **kwargs))


def test_a_request_comes_back_as_it_was_to_its_own_organisation(spine: Spine) -> None:
    bare = replace(REQUEST, id="sur_2", approval_id="apr_2", stamping=Stamping(), document="")
    for request in (REQUEST, bare):
        run(spine, STORE.insert_request, request)
        assert run(spine, STORE.request, "org_a", request.id) == request
        assert run(spine, STORE.request, "org_b", request.id) is None
    assert run(spine, STORE.requests, "org_b", PageRequest()) == []


def test_it_is_used_once(spine: Spine) -> None:
    run(spine, STORE.insert_request, REQUEST)
    assert run(spine, STORE.open_requests, "acc_1") == 1
    assert run(spine, STORE.mark_used, "sur_1", "use_1") is True
    assert run(spine, STORE.mark_used, "sur_1", "use_2") is False
    assert run(spine, STORE.request, "org_a", "sur_1").use_id == "use_1"
    assert run(spine, STORE.open_requests, "acc_1") == 0


def test_only_what_can_still_be_used_counts_as_open(spine: Spine) -> None:
    run(spine, STORE.insert_request, REQUEST)
    run(spine, STORE.insert_request, replace(REQUEST, id="s2", approval_id="a2", expires_at=START))
    other = replace(REQUEST, id="s3", approval_id="a3", requester_id="acc_2")
    run(spine, STORE.insert_request, other)
    assert run(spine, STORE.open_requests, "acc_1") == 1


def test_kept_files_are_found_those_that_end_first_before_others(spine: Spine) -> None:
    for number, ends in enumerate((9, 3, 6)):
        request = replace(REQUEST, id=f"s{number}", approval_id=f"a{number}", expires_at=ends)
        run(spine, STORE.insert_request, request)
    run(spine, STORE.insert_request, replace(REQUEST, id="s9", approval_id="a9", document=""))
    assert [each.id for each in run(spine, STORE.kept, 2)] == ["s1", "s2"]
    run(spine, STORE.forget_document, "s1")
    assert [each.id for each in run(spine, STORE.kept, 9)] == ["s2", "s0"]


def test_pages_come_newest_first_without_gap_or_repeat(spine: Spine) -> None:
    for number in range(5):
        request = replace(
            REQUEST, id=f"s{number}", approval_id=f"a{number}", requested_at=number // 2
        )
        run(spine, STORE.insert_request, request)
    first = run(spine, STORE.requests, "org_a", PageRequest(2))
    assert [each.id for each in first] == ["s4", "s3", "s2"]
    after = (first[1].requested_at, first[1].id)
    rest = run(spine, STORE.requests, "org_a", PageRequest(9, after))
    assert [each.id for each in rest] == ["s2", "s1", "s0"]
