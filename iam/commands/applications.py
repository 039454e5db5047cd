"""``create-client``, ``rotate-secret``, ``disable-client``, ``list-clients``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from iam.commands.handing import hand_out
from iam.models.clients import (
    DEVICE_GRANT,
    ES256,
    TOKEN_ALGORITHMS,
    Client,
    IssuedClient,
    NewClient,
)
from iam.models.real_name import DEMANDS, NO_DEMAND
from iam.service import IamServices
from secops.kernel.pages import page_request
from secops.terminal.output import json_option, print_json, print_table, say
from secops.terminal.session import session_of

_GRANTS: Final = {
    "client_credentials": "client_credentials",
    "authorization_code": "authorization_code",
    "refresh_token": "refresh_token",
    "device_code": DEVICE_GRANT,
}
_output = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where the secret goes."
)


def _record(client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "public": client.public,
        "grants": sorted(client.grants),
        "scopes": sorted(client.scopes),
        "roles": sorted(client.roles),
        "redirect_uris": list(client.redirect_uris),
        "authentication": client.auth_method,
        "profile": client.profile,
        "dpop_bound": client.dpop_bound,
        "level": client.level,
        "real_name_level": client.real_name_level,
        "back_channel_uri": client.back_channel_uri,
        "consent": client.consent,
        "token_alg": client.token_alg,
        "disabled": client.disabled_at is not None,
    }


def _hand_out(issued: IssuedClient, output: Path | None) -> None:
    hand_out({**_record(issued.client), "secret": issued.secret}, output)


@click.command("create-client")
@click.argument("client_id")
@click.option("--name", default="", help="What people see when they sign in.")
@click.option("--redirect-uri", multiple=True, help="Exactly as it will be sent; repeatable.")
@click.option("--logout-uri", multiple=True, help="Where people may go after logout.")
@click.option("--grant", multiple=True, type=click.Choice(list(_GRANTS)))
@click.option("--scope", multiple=True, help="openid, profile, api, a plane or a permission.")
@click.option("--audience", multiple=True, help="Whom its tokens address; default our own API.")
@click.option("--public", is_flag=True, help="A browser or desktop application: no secret.")
@click.option("--jwks", type=click.File(), help="Its public keys, a JWK set: private_key_jwt.")
@click.option("--jwks-uri", help="Where its public keys are: private_key_jwt.")
@click.option("--assertion-alg", help="What it signs assertions with; default ES256.")
@click.option("--profile", type=click.Choice(["standard", "fapi2"]), default="standard")
@click.option("--dpop", is_flag=True, help="Its tokens are always bound to a key.")
@click.option("--par", is_flag=True, help="It always pushes its authorization requests.")
@click.option("--level", type=click.IntRange(1, 3), default=1, help="Least sign-in level.")
@click.option("--max-age", type=click.IntRange(0), help="Greatest age of a sign-in, seconds.")
@click.option(
    "--real-name-level",
    type=click.Choice(list(DEMANDS)),
    default=NO_DEMAND,
    help="How far the people who sign in must have been verified.",
)
@click.option("--back-channel-uri", help="Where it is told that a session ended.")
@click.option(
    "--token-alg",
    type=click.Choice(TOKEN_ALGORITHMS),
    default=ES256,
    help="What signs its tokens; SM2 needs crypto_profile gm.",
)
@click.option("--sector", help="Host whose applications know people by the same identifier.")
@_output
@click.pass_context
def create_client(ctx: click.Context, /, client_id: str, **given: Any) -> None:
    """Register an application; its secret is shown this once.

    Example: secops --as system-admin iam create-client oa --grant authorization_code
    --grant refresh_token --redirect-uri https://oa.example.gov.cn/callback --scope openid
    """
    session = session_of(ctx)
    grants = frozenset(_GRANTS[name] for name in given["grant"])
    if not grants:
        by_browser = bool(given["redirect_uri"])
        grants = frozenset({"authorization_code" if by_browser else "client_credentials"})
    new = NewClient(
        id=client_id,
        name=given["name"],
        redirect_uris=tuple(given["redirect_uri"]),
        grants=grants,
        scopes=frozenset(given["scope"]),
        audiences=tuple(given["audience"]),
        logout_uris=tuple(given["logout_uri"]),
        public=given["public"],
        jwks=given["jwks"].read() if given["jwks"] else None,
        jwks_uri=given["jwks_uri"],
        assertion_alg=given["assertion_alg"],
        profile=given["profile"],
        dpop_bound=given["dpop"],
        par_required=given["par"],
        level=given["level"],
        max_age=given["max_age"],
        real_name_level=given["real_name_level"],
        back_channel_uri=given["back_channel_uri"],
        sector=given["sector"],
        token_alg=given["token_alg"],
    )
    issued = session.services(IamServices).clients.create_client(session.actor, new)
    _hand_out(issued, given["output"])


@click.command("rotate-secret")
@click.argument("client_id")
@_output
@click.pass_context
def rotate_secret(ctx: click.Context, client_id: str, output: Path | None) -> None:
    """Replace an application's secret at once.

    Example: secops --as system-admin iam rotate-secret oa -o oa.json
    """
    session = session_of(ctx)
    issued = session.services(IamServices).clients.rotate_secret(session.actor, client_id)
    _hand_out(issued, output)


@click.command("disable-client")
@click.argument("client_id")
@click.option("--reason", default="", help="For the ledger.")
@click.pass_context
def disable_client(ctx: click.Context, client_id: str, reason: str) -> None:
    """Disable an application; its tokens end within a second.

    Example: secops --as system-admin iam disable-client oa --reason "retired"
    """
    session = session_of(ctx)
    session.services(IamServices).clients.disable_client(session.actor, client_id, reason)
    say(f"{client_id} is disabled")


@click.command("list-clients")
@json_option
@click.pass_context
def list_clients(ctx: click.Context, *, as_json: bool) -> None:
    """List applications.

    Example: secops --as system-admin iam list-clients
    """
    session = session_of(ctx)
    asked = page_request("200", None)
    page = session.services(IamServices).clients.list_clients(session.actor, asked)
    records = [_record(client) for client in page.items]
    if as_json:
        print_json({"items": records, "next": page.next})
        return
    rows = [(r["id"], r["name"], ", ".join(r["grants"]), ", ".join(r["roles"])) for r in records]
    print_table("Applications", ("id", "name", "grants", "roles"), rows)


COMMANDS: Final = (create_client, rotate_secret, disable_client, list_clients)
