"""The hot door, in memory and in journal files."""

from __future__ import annotations

import hashlib

import pytest

from secops.kernel.actors import system_actor
from secops.kernel.trail import Act, encode_act
from tests.contracts.conftest import Kit

ACTOR = system_actor("test")


def test_each_act_has_a_receipt_with_its_leaf_hash(kit: Kit) -> None:
    acts = [Act("kernel.test", ACTOR, f"x:{number}") for number in range(3)]
    receipts = kit.parts.trail.append(acts)
    now = kit.clock.now()
    expected = [hashlib.sha256(b"\0" + encode_act(act, now)).digest() for act in acts]
    assert [receipt.leaf_hash for receipt in receipts] == expected
    assert len({(receipt.journal, receipt.offset) for receipt in receipts}) == 3


def test_no_acts_are_no_receipts(kit: Kit) -> None:
    assert list(kit.parts.trail.append([])) == []


def test_what_has_no_canonical_form_is_refused(kit: Kit) -> None:
    with pytest.raises(TypeError):
        kit.parts.trail.append([Act("kernel.test", ACTOR, "x:1", details={"x": object()})])
