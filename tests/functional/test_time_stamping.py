"""POST /tsa of a whole house, asked as foreign clients ask: openssl and rfc3161-client."""

from __future__ import annotations

import shlex
import ssl
import subprocess
from pathlib import Path

import orjson
import pytest
import rfc3161_client
from cryptography import x509

from kms.service.time_stamps import time_stamp_query
from secops.crypto.hashes import digest
from tests.fakes.demo_site import Answer, DemoSite

QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"
MESSAGE = "临江县人民政府".encode()


def ask(site: DemoSite, body: bytes, kind: str = QUERY) -> Answer:
    return site.call("POST", "/tsa", body=body, kind=kind)


def roots(site: DemoSite) -> str:
    return (site.house.settings.home / "ca" / "root.pem").read_text()


def commands_of_the_manual() -> list[list[str]]:
    page = (Path(__file__).parents[2] / "docs" / "manual" / "time_stamps.md").read_text()
    block = page.split("## Ask for one\n\n")[1].split("\n\n")[0]
    return [shlex.split(line) for line in block.splitlines()]


def test_the_manual_is_followed_to_the_letter(
    site: DemoSite, openssl_command: str, tmp_path: Path
) -> None:
    query, post, verify = commands_of_the_manual()
    (tmp_path / "report.pdf").write_bytes(MESSAGE)

    def run(command: list[str]) -> str:
        assert command[0] == "openssl"
        done = subprocess.run(
            [openssl_command, *command[1:]], cwd=tmp_path, capture_output=True, check=False
        )
        return (done.stdout + done.stderr).decode()

    run(query)
    # curl's part is taken by the application itself: no test opens a port for it
    asked = tmp_path / post[post.index("--data-binary") + 1].removeprefix("@")
    name, _, kind = post[post.index("-H") + 1].partition(": ")
    address = next(word for word in post if word.startswith("https://HOST"))
    answer = site.call(
        "POST", address.removeprefix("https://HOST"), body=asked.read_bytes(), kind=kind
    )
    assert (name, answer.status, answer.headers["content-type"]) == ("Content-Type", 200, REPLY)
    assert "no-store" in answer.headers["cache-control"]
    (tmp_path / post[post.index("-o") + 1]).write_bytes(answer.body)
    (tmp_path / "root.pem").write_text(roots(site))
    assert "Verification: OK" in run(verify)


def test_the_foreign_client_believes_the_answer(site: DemoSite) -> None:
    asked = rfc3161_client.TimestampRequestBuilder().data(MESSAGE).build()
    answer = rfc3161_client.decode_timestamp_response(ask(site, asked.as_bytes()).body)
    builder = rfc3161_client.VerifierBuilder.from_request(asked)
    # the client reads no SM2: only the root of P-256 is anything to it
    pem = roots(site).split("-----END CERTIFICATE-----\n")[1] + "-----END CERTIFICATE-----\n"
    root = x509.load_der_x509_certificate(ssl.PEM_cert_to_DER_cert(pem))
    verifier = builder.add_root_certificate(root).build()
    assert verifier.verify_message(answer, MESSAGE)


def test_what_can_not_be_granted_is_answered_by_the_protocol(site: DemoSite) -> None:
    answer = ask(site, b"hello")
    assert (answer.status, answer.headers["content-type"]) == (200, REPLY)
    assert answer.body.startswith(b"\x30")


@pytest.mark.parametrize(
    "kind", ["application/json", "", "text/plain; application/timestamp-query"]
)
def test_only_queries_are_asked_here(site: DemoSite, kind: str) -> None:
    answer = ask(site, time_stamp_query("sm3", digest("sm3", MESSAGE)), kind)
    assert (answer.status, answer.json()["code"]) == (415, "kms.not_a_time_stamp_query")


def test_a_long_query_is_not_read(site: DemoSite) -> None:
    assert ask(site, bytes(5_000)).status == 413


def test_each_token_and_each_refusal_is_in_the_ledger(site: DemoSite) -> None:
    ask(site, time_stamp_query("sm3", digest("sm3", b"for the ledger")))
    ask(site, b"refused")
    imprint = digest("sm3", b"for the ledger").hex().encode()
    journals = b"".join(
        path.read_bytes() for path in site.house.settings.home.rglob("*") if path.is_file()
    )
    assert imprint in journals
    assert orjson.dumps({"failure": "bad_data_format"}) in journals
