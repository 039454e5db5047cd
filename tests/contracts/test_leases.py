"""Leases, in memory and over every database."""

from __future__ import annotations

from tests.contracts.conftest import Kit


def test_a_held_lease_is_refused_to_another(kit: Kit) -> None:
    leases = kit.parts.leases
    mine = leases.acquire("job", "me", 10)
    assert mine is not None
    assert (mine.owner, mine.fence, mine.until) == ("me", 1, kit.clock.now() + 10_000_000)
    assert leases.acquire("job", "you", 10) is None
    assert leases.acquire("other", "you", 10) is not None


def test_a_lease_that_ran_out_goes_to_another_under_a_greater_fence(kit: Kit) -> None:
    leases = kit.parts.leases
    mine = leases.acquire("job", "me", 10)
    assert mine is not None
    kit.clock.advance(10)
    yours = leases.acquire("job", "you", 10)
    assert yours is not None
    assert yours.fence == mine.fence + 1
    assert leases.renew(mine, 10) is None


def test_a_lease_that_ran_out_is_not_renewed_even_if_nobody_took_it(kit: Kit) -> None:
    mine = kit.parts.leases.acquire("job", "me", 10)
    assert mine is not None
    kit.clock.advance(10)
    assert kit.parts.leases.renew(mine, 10) is None


def test_a_clock_that_was_set_back_does_not_make_a_lease_last_for_an_hour(kit: Kit) -> None:
    leases = kit.parts.leases
    mine = leases.acquire("job", "me", 10)
    assert mine is not None
    kit.clock.advance(-3_600)
    yours = leases.acquire("job", "you", 10)
    assert yours is not None
    assert yours.fence == mine.fence + 1


def test_renewing_prolongs_under_the_same_fence(kit: Kit) -> None:
    leases = kit.parts.leases
    mine = leases.acquire("job", "me", 10)
    assert mine is not None
    kit.clock.advance(9)
    renewed = leases.renew(mine, 10)
    assert renewed is not None
    assert (renewed.fence, renewed.until) == (mine.fence, kit.clock.now() + 10_000_000)
    kit.clock.advance(5)
    assert leases.acquire("job", "you", 10) is None


def test_a_released_lease_is_free_at_once_and_an_old_one_releases_nothing(kit: Kit) -> None:
    leases = kit.parts.leases
    mine = leases.acquire("job", "me", 10)
    assert mine is not None
    leases.release(mine)
    yours = leases.acquire("job", "you", 10)
    assert yours is not None
    leases.release(mine)
    assert leases.acquire("job", "me", 10) is None


def test_the_owner_takes_it_anew_under_a_new_fence(kit: Kit) -> None:
    leases = kit.parts.leases
    first, second = leases.acquire("job", "me", 10), leases.acquire("job", "me", 10)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1
    assert leases.renew(first, 10) is None
