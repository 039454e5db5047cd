"""Bulk reads that become durable together share a leaf, and nothing of any is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from secops.kernel.actors import Actor
from secops.kernel.trail import MAX_RECORD, MOST_FOLDED, Act, encode_act, fold

ACTORS = [Actor("client", f"robot{n}", "org_root", "robot") for n in range(2)]
ONE = st.builds(
    Act,
    action=st.sampled_from(["iam.introspect_token", "iam.check_site"]),
    actor=st.sampled_from(ACTORS),
    target=st.sampled_from(["token:a", "token:b"]),
    outcome=st.sampled_from(["done", "refused"]),
    details=st.sampled_from([{}, {"active": True}]),
    request_id=st.sampled_from(["r1", None]),
    bulk=st.booleans(),
)


def unfolded(acts: list[Act]) -> list[tuple[object, ...]]:
    """Every single read and act that ``acts`` tell of."""
    told = []
    for act in acts:
        mine = (act.action, act.actor.id, act.outcome)
        if act.target.endswith(":folded"):
            assert act.details["count"] == len(act.details["each"])
            told += [(*mine, target, r, str(more)) for target, r, more in act.details["each"]]
        else:
            told.append((*mine, act.target, act.request_id, str(dict(act.details))))
    return sorted(told, key=str)


@given(st.lists(ONE, max_size=30))
def test_every_read_is_told_once_and_acts_stand_alone(acts: list[Act]) -> None:
    folded = list(fold(acts))
    assert unfolded(acts) == unfolded(folded)
    alone = [act for act in folded if not act.target.endswith(":folded")]
    assert [act for act in acts if not act.bulk] == [act for act in alone if not act.bulk]


def test_one_act_twice_stands_twice() -> None:
    act = Act("iam.issue_token", ACTORS[0], "token:a")
    assert list(fold([act, act])) == [act, act]


def test_the_fullest_leaf_fits() -> None:
    each = Act("iam.check_site", ACTORS[0], "site:" + "x" * 128, "done", {"method": "M" * 16})
    acts = [
        Act(each.action, each.actor, each.target, "done", each.details, "r" * 16, bulk=True)
        for _ in range(MOST_FOLDED + 1)
    ]
    folded = fold(acts)
    assert len(folded) == 2
    assert max(len(encode_act(act, 1)) for act in folded) <= MAX_RECORD
