"""A browser that signed in before keeps its owner in while strangers guess."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.console_site import Reader, open_console_site


def _ask(reader: Reader, name: str, password: str) -> int:
    transaction = reader._begin()
    form = {"transaction": transaction, "name": name, "password": password}
    return reader.post("/login", form).status


def test_guesses_from_elsewhere_lock_strangers_out_but_not_the_known_browser(
    tmp_path: Path,
) -> None:
    # a home of its own: lockouts would stay for other tests
    site = open_console_site(tmp_path / "home").site
    owner = Reader(site, remote="127.0.0.9")
    owner.sign_in("zhangwei")
    assert "device" in owner.jar
    stranger = Reader(site, remote="127.0.0.77")
    statuses = [_ask(stranger, "zhangwei", f"wrong-password-{n}") for n in range(6)]
    assert set(statuses) == {401}
    right = site.logins["zhangwei"].password
    assert _ask(stranger, "zhangwei", right) == 401
    again = Reader(site, remote="127.0.0.9", jar={"device": owner.jar["device"]})
    assert _ask(again, "zhangwei", right) == 200
