"""What collectors read of nginx and PostgreSQL servers of different age and care."""

from __future__ import annotations

from typing import Any

import pytest

from audits.core.collectors import nginx
from audits.core.collectors.bundle import open_bundle
from audits.core.collectors.facts import read_facts
from audits.models.collectors import Reading
from tests.fakes.bundles import bundle
from tests.fakes.collected_services import (
    NGINX_DEBIAN,
    NGINX_KYLIN,
    NGINX_OLD,
    PG_DEBIAN,
    PG_EULER,
    PG_OLD,
)

UNSAID = "ssl_protocols: not set, what is offered depends on the version of nginx"


def read(texts: dict[str, str], family: str) -> dict[str, Reading]:
    return {each.kind: each for each in read_facts(open_bundle(bundle(texts)), family)}


def of_nginx(config: str) -> Reading:
    return read({"nginx.config": f"# configuration file /n.conf:\n{config}"}, "nginx")[
        "nginx.config"
    ]


NGINX_FACTS: list[tuple[dict[str, str], dict[str, Any], tuple[str, ...]]] = [
    (
        NGINX_DEBIAN,
        {
            "version": "1.22.1",
            "servers": 4,
            "tls_sockets": 2,
            "plain_servers": 0,
            "plain_names": "",
            "weak_ciphers": 0,
            "weak_protocols": 0,
            "logs_off": 0,
            "logs_incomplete": 0,
            "listings": 0,
            "version_hidden": True,
            "plain_upstreams": 0,
        },
        (),
    ),
    (
        NGINX_KYLIN,
        {
            "servers": 5,
            "tls_sockets": 2,
            "plain_servers": 2,
            "plain_names": "c example",
            "weak_ciphers": 1,
            "weak_protocols": 1,
            "logs_off": 1,
            "logs_incomplete": 4,
            "listings": 1,
            "version_hidden": False,
            "plain_upstreams": 1,
        },
        (UNSAID,),
    ),
    (
        NGINX_OLD,
        {
            "servers": 3,
            "tls_sockets": 2,
            "plain_servers": 2,
            "plain_names": "_",
            "weak_ciphers": 0,
            "logs_off": 0,
            "logs_incomplete": 0,
            "listings": 0,
            "version_hidden": False,
            "plain_upstreams": 0,
        },
        (UNSAID,),
    ),
]


@pytest.mark.parametrize(("texts", "facts", "unread"), NGINX_FACTS)
def test_facts_of_nginx(
    texts: dict[str, str], facts: dict[str, Any], unread: tuple[str, ...]
) -> None:
    reading = read(texts, "nginx")["nginx.config"]
    assert (dict(reading.facts), reading.unread) == (facts, unread)


@pytest.mark.parametrize("text", ["", "nginx: [emerg] no", "server { listen 80; }"])
def test_what_is_no_dump_of_nginx_gives_no_facts(text: str) -> None:
    reading = read({"nginx.config": text}, "nginx")["nginx.config"]
    assert reading.facts == {}
    assert len(reading.unread) == 1


@pytest.mark.parametrize(
    "config",
    [
        "http { server { listen 80; } ",
        "http { server { listen 80; } } } } ;; {",
        "http { { } server { listen 80; } }",
    ],
)
def test_an_unfinished_configuration_is_read_as_far_as_it_goes(config: str) -> None:
    assert of_nginx(config).facts["plain_servers"] == 1


def test_behind_a_word_that_never_ends_servers_may_stand() -> None:
    found = of_nginx("http { server { listen 443 ssl; } 'unfinished server { listen 80; } }")
    assert found.facts == {}
    assert found.unread


@pytest.mark.parametrize(
    ("pattern", "plain"), [("^", 0), ("^/(.*)$", 0), (".*", 0), ("^/login", 1), ("^/a(.*)$", 1)]
)
def test_a_server_that_redirects_some_addresses_serves_the_others(pattern: str, plain: int) -> None:
    config = f"http {{ server {{ listen 80; rewrite {pattern} https://oa.example/ permanent; }} }}"
    assert of_nginx(config).facts["plain_servers"] == plain


def test_directives_without_arguments_are_none() -> None:
    facts = of_nginx(
        "http { log_format; server_tokens off; server { listen; listen 443 ssl;"
        " ssl_protocols TLSv1.2; rewrite x; return; access_log; proxy_pass; server_name;"
        " location / { } } }"
    ).facts
    assert (facts["plain_servers"], facts["logs_off"], facts["plain_names"]) == (0, 0, "")


def test_blocks_deeper_than_the_limit_and_includes_without_end_stop() -> None:
    deep = of_nginx("http { " + "a { " * 500 + "listen 80; " + "} " * 500 + "}")
    assert deep.facts["servers"] == 0
    # a file that includes itself a thousand times would be read a thousand to the twentieth
    bomb = of_nginx("include /n.conf;\n" * 1_000 + "http { }")
    assert bomb.facts == {}
    assert bomb.unread[0].startswith("nginx.config: more of it than is looked at")


def test_a_variable_in_braces_is_a_word() -> None:
    config = "http { server { listen 80; set ${a}b ${c}; return 301 https://${host}/; } }"
    assert of_nginx(config).facts["plain_servers"] == 0


def test_more_words_than_the_limit_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx, "_MOST_STEPS", 5)
    assert of_nginx("http { server { listen 80; } }").facts == {}


def test_facts_of_a_well_kept_postgresql() -> None:
    found = read(PG_DEBIAN, "pg")
    assert dict(found["pg.settings"].facts) == {
        "version": "15.12 (Debian)",
        "supported_until": "2027-11-11",
        "supported": True,
        "tls": True,
        "connections_logged": True,
        "disconnections_logged": True,
        "least_tls": "TLSv1.2",
        "hashing": "scram-sha-256",
        "statements_logged": "ddl",
        "remote": True,
        "prefix_complete": True,
        "audited": True,
        "locks_out": True,
        "checks_passwords": True,
        "idle_seconds": 900,
        "pending_restart": 0,
    }
    assert dict(found["pg.access"].facts) == {
        "errors": 0,
        "rules": 5,
        "trusted": 0,
        "trusted_remote": 0,
        "weak_methods": 0,
        "plain_remote": 0,
        "from_anywhere": 0,
        "superuser_remote": 0,
    }
    assert dict(found["pg.roles"].facts) == {
        "login": 2,
        "superusers": 1,
        "superuser_names": "postgres",
        "bypass_row_security": 0,
        "without_expiry": 1,
        "without_password": 0,
        "weakly_kept": 0,
        "public_may_create": False,
    }
    assert [each.unread for each in found.values()] == [(), (), ()]


def test_facts_of_a_careless_postgresql() -> None:
    found = read(PG_EULER, "pg")
    settings = found["pg.settings"].facts
    assert (settings["tls"], settings["remote"], settings["connections_logged"]) == (
        False,
        True,
        False,
    )
    assert (settings["supported"], settings["pending_restart"]) == (False, 1)
    assert (settings["prefix_complete"], settings["audited"], settings["locks_out"]) == (
        False,
        False,
        False,
    )
    assert dict(found["pg.access"].facts) == {
        "errors": 1,
        "rules": 6,
        "trusted": 2,
        "trusted_remote": 1,
        "weak_methods": 3,
        "plain_remote": 5,
        "from_anywhere": 2,
        "superuser_remote": 1,
    }
    roles = found["pg.roles"].facts
    assert (roles["without_password"], roles["weakly_kept"]) == (1, 2)
    assert (roles["bypass_row_security"], roles["public_may_create"]) == (1, True)


def test_an_old_postgresql_asked_by_nobody_special_says_what_was_not_read() -> None:
    found = read(PG_OLD, "pg")
    assert found["pg.settings"].facts == {
        "supported_until": "2021-11-11",
        "supported": False,
        "connections_logged": False,
        "remote": False,
        "audited": False,
        "locks_out": False,
        "checks_passwords": False,
    }
    assert found["pg.settings"].unread == ("pg.settings: this is not what COPY prints",)
    assert found["pg.access"].unread == ("pg.hba: not in the bundle",)
    assert found["pg.roles"].unread == (
        "pg.roles: how passwords are kept is told to a superuser alone",
    )
    assert "weakly_kept" not in found["pg.roles"].facts


def test_a_version_nobody_knows_yet_is_left_open() -> None:
    found = read({"pg.settings": "server_version_num\t990001\tdefault\tf\n"}, "pg")["pg.settings"]
    assert "supported" not in found.facts
    assert "not known" in found.unread[0]


def test_values_are_unescaped_as_copy_writes_them() -> None:
    prefix = r"%m\\t\t%u\n%h"
    found = read({"pg.settings": f"log_line_prefix\t{prefix}\tdefault\tf\n"}, "pg")["pg.settings"]
    assert found.facts["prefix_complete"] is True
