"""The SCIM 2.0 server: judged by scim2-tester, and what provisioning must never be able to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from iam.models.clients import ClientCredentials, NewClient
from iam.models.sessions import PasswordAttempt
from secops.kernel.actors import ROOT_ORG
from secops.kernel.errors import Unauthenticated
from tests.fakes.iam_home import OWNER, IamHome, open_iam_home
from tests.fakes.plane_wire import PlaneWire

BASE = "http://localhost:8080/scim/v2"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Site:
    """The plane's routes as a WSGI application, and calls with a personnel system's token."""

    def __init__(self, home: IamHome) -> None:
        self.home, self.wire = home, PlaneWire(home)
        self.token = self.token_of("personnel", frozenset({"scim"}), "integrator")

    def token_of(self, client_id: str, scopes: frozenset[str], role: str | None) -> str:
        services = self.home.services
        new = NewClient(client_id, client_id, scopes=scopes)
        issued = services.clients.make(OWNER, new, ROOT_ORG)
        if role is not None:
            run = self.home.spine.parts.transactions.run
            run(lambda tx: services.roles.grant_client(tx, OWNER, issued.client, role))
        credentials = ClientCredentials(client_id, issued.secret)
        tokens, _ = services.grants.client_credentials(credentials, None, None)
        return tokens.access_token

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        headers = {
            name.removeprefix("HTTP_").lower().replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        query = environ.get("QUERY_STRING", "")
        url = f"http://localhost:8080{environ['PATH_INFO']}" + (f"?{query}" if query else "")
        answer = self.wire.ask(environ["REQUEST_METHOD"], url, headers, body, 5.0)
        start_response(f"{answer.status} x", list(answer.headers))
        return [answer.body]

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["authorization"] = f"Bearer {self.token if token is None else token}"
        content = b"" if body is None else orjson.dumps(body)
        answer = self.wire.ask(method, f"{BASE}/{path}", sent, content, 5.0)
        return answer.status, orjson.loads(answer.body) if answer.body else None


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    home = open_iam_home(tmp_path)
    try:
        yield Site(home)
    finally:
        home.close()


def hire(site: Site, name: str, **more: Any) -> str:
    status, made = site.call("POST", "Users", {"schemas": [USER], "userName": name, **more})
    assert status == 201, made
    return str(made["id"])


def activate(site: Site, identifier: str, *, active: bool) -> tuple[int, Any]:
    operation = {"op": "replace", "path": "active", "value": active}
    return site.call(
        "PATCH", f"Users/{identifier}", {"schemas": [PATCH], "Operations": [operation]}
    )


def state(site: Site, identifier: str) -> str:
    services = site.home.services
    return services.accounts.get_account(site.home.actor("system-admin"), identifier).state


def test_a_foreign_tester_finds_nothing_wrong(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token}"}
    client = WSGISCIMClient(site, base_url=BASE, headers=headers)
    client.discover()
    results = check_server(client)
    bad = [
        (result.title, result.reason)
        for result in results
        if result.status not in (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)
    ]
    assert bad == []
    assert len([result for result in results if result.status is Status.SUCCESS]) > 100


def test_an_account_made_by_provisioning_holds_nothing(site: Site) -> None:
    identifier = hire(site, "li.si", roles=[{"value": "system-admin"}], password="Hunter2-Hunter2")
    services = site.home.services
    held = services.roles.list_roles(site.home.actor("system-admin"))
    assert held.get(identifier, frozenset()) == frozenset()
    assert state(site, identifier) == "pending"
    _, shown = site.call("GET", f"Users/{identifier}")
    assert "password" not in shown
    assert "Hunter2" not in str(site.home.leaves())
    with pytest.raises(Unauthenticated):
        services.sign_in.begin(PasswordAttempt("li.si", "Hunter2-Hunter2", "192.0.2.1"))


def test_names_are_one_name_however_they_are_spelled(site: Site) -> None:
    hire(site, "Li.Si")
    for name in ("li.si", "LI.SI", "\uff4c\uff49.si"):
        status, error = site.call("POST", "Users", {"schemas": [USER], "userName": name})
        assert (status, error["scimType"]) == (409, "uniqueness")
    status, error = site.call("POST", "Users", {"schemas": [USER], "userName": "a b/c"})
    assert (status, error["scimType"]) == (400, "invalidValue")


def test_suspending_locks_and_resuming_unlocks_only_what_provisioning_locked(site: Site) -> None:
    identifier = hire(site, "li.si")
    assert activate(site, identifier, active=False)[1]["active"] is False
    assert state(site, identifier) == "locked"
    assert activate(site, identifier, active=True)[1]["active"] is True
    assert state(site, identifier) == "pending"
    # enrolled meanwhile, then locked by the security administrator: personnel's word is not enough
    services, stores = site.home.services, site.home.services.scim.reader.means.stores
    run = site.home.spine.parts.transactions.run
    run(lambda tx: stores.accounts.set_state(tx, identifier, "active"))
    services.accounts.lock_account(site.home.actor("security-admin"), identifier, "a case")
    assert activate(site, identifier, active=True)[1]["active"] is False
    assert state(site, identifier) == "locked"


def test_deleting_closes_the_account_for_good(site: Site) -> None:
    identifier = hire(site, "li.si")
    assert site.call("DELETE", f"Users/{identifier}") == (204, None)
    assert state(site, identifier) == "closed"
    assert site.call("GET", f"Users/{identifier}")[0] == 404
    assert site.call("DELETE", f"Users/{identifier}")[0] == 404
    assert site.call("POST", "Users", {"schemas": [USER], "userName": "li.si"})[0] == 409


def test_administrators_and_accounts_made_by_hand_are_out_of_reach(site: Site) -> None:
    by_hand = site.home.actor("staff").id
    assert site.call("GET", f"Users/{by_hand}")[0] == 404
    identifier = hire(site, "li.si")
    services = site.home.services
    account = services.accounts.get_account(site.home.actor("system-admin"), identifier)
    run = site.home.spine.parts.transactions.run
    run(lambda tx: services.roles.grant(tx, OWNER, account, "audit-admin"))
    assert activate(site, identifier, active=False)[0] == 403
    assert site.call("DELETE", f"Users/{identifier}")[0] == 403
    assert state(site, identifier) == "pending"


def test_groups_are_lists_of_provisioned_people_and_give_nothing(site: Site) -> None:
    identifier = hire(site, "li.si")
    group = "urn:ietf:params:scim:schemas:core:2.0:Group"
    body = {"schemas": [group], "displayName": "system-admin", "members": [{"value": identifier}]}
    assert site.call("POST", "Groups", body)[0] == 201
    held = site.home.services.roles.list_roles(site.home.actor("system-admin"))
    assert identifier not in str(held)
    body["members"] = [{"value": site.home.actor("staff").id}]
    assert site.call("POST", "Groups", body)[0] == 400


def test_a_stale_etag_changes_nothing(site: Site) -> None:
    identifier = hire(site, "li.si")
    whole = {"schemas": [USER], "userName": "li.si", "displayName": "李四"}
    assert site.call("PUT", f"Users/{identifier}", whole, if_match='W/"1"')[0] == 200
    assert site.call("PUT", f"Users/{identifier}", whole, if_match='W/"1"')[0] == 412
    assert site.call("DELETE", f"Users/{identifier}", if_match='W/"1"')[0] == 412
    assert site.call("GET", f"Users/{identifier}", if_none_match='W/"2"') == (304, None)


def test_searches_page_and_filter(site: Site) -> None:
    for name in ("a.one", "b.two", "c.three"):
        hire(site, name)
    _, found = site.call("GET", "Users?filter=userName%20eq%20%22B.TWO%22")
    assert [one["userName"] for one in found["Resources"]] == ["b.two"]
    _, page = site.call("GET", "Users?startIndex=-3&count=2&sortBy=userName&sortOrder=descending")
    assert [one["userName"] for one in page["Resources"]] == ["c.three", "b.two"]
    assert (page["startIndex"], page["totalResults"]) == (1, 3)
    assert site.call("GET", "Users?count=0")[1]["totalResults"] == 3
    status, error = site.call("GET", "Users?filter=userName%20zz%201")
    assert (status, error["scimType"]) == (400, "invalidFilter")


def test_only_an_application_with_scope_and_role_provisions(site: Site) -> None:
    other = site.token_of("other", frozenset({"openid"}), "integrator")
    powerless = site.token_of("powerless", frozenset({"scim"}), None)
    for token in (other, powerless, "", "nonsense"):
        assert site.call("GET", "Users", token=token)[0] in (401, 403)
