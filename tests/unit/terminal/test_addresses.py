from __future__ import annotations

from secops.cli.operate import usable_addresses


def test_a_loopback_that_the_machine_lacks_is_left_out() -> None:
    # 203.0.113.1 (RFC 5737) is no address of any machine
    assert usable_addresses(("127.0.0.1", "203.0.113.1")) == ("127.0.0.1",)


def test_an_address_that_somebody_named_is_not_second_guessed() -> None:
    assert usable_addresses(("203.0.113.1",)) == ("203.0.113.1",)
    assert usable_addresses(("203.0.113.1", "203.0.113.2")) == ("203.0.113.1", "203.0.113.2")
