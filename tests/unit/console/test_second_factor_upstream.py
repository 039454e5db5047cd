"""Who comes from a provider that counts for one factor is asked for a second one here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from iam.errors import SecondFactorNeeded
from iam.models.sessions import PasswordAttempt
from iam.models.upstream import UpstreamArrival
from iam.service.upstream.sign_in import UpstreamSignIn
from secops.console.parts import ConsoleParts, Desk
from secops.console.render import Renderer
from secops.console.signin import upstream
from secops.web.messages import Request
from tests.fakes.console_site import ConsoleSite


@dataclass(frozen=True)
class OneFactor:
    """A provider whose sign-in counts for one factor."""

    reference: str

    def complete(
        self, upstream_id: str, cookie: str, parameters: object, arrival: UpstreamArrival
    ) -> None:
        raise SecondFactorNeeded(self.reference)

    def transaction_of(self, cookie: str) -> str:
        return f"transaction of {cookie}"


def test_the_page_for_the_second_factor_is_the_one_of_a_password(console: ConsoleSite) -> None:
    house = console.site.house
    login = console.site.logins["staff"]
    reference = house.iam.sign_in.begin(PasswordAttempt("staff", login.password, "127.0.0.1"))
    arriving = cast("UpstreamSignIn", OneFactor(reference))
    desk = Desk(
        ConsoleParts(
            clock=house.parts.clock,
            demo=True,
            version="0",
            iam=replace(house.iam, upstream_sign_in=arriving),
            kms=house.kms,
            detectors=house.detectors,
            playbooks=house.playbooks,
            audits=house.audits,
        ),
        Renderer(demo=True, version="0"),
    )
    callback = upstream.routes(desk)[-1]
    request = Request(
        method="GET",
        path="/login/upstream/province/callback",
        headers={"cookie": "upstream=kept"},
        args={"upstream": "province"},
        remote="127.0.0.1",
    )
    answer = callback.handler(request)
    page = answer.body.decode()
    assert answer.status == 401
    assert f'value="{reference}"' in page
    assert 'value="transaction of kept"' in page
    assert "还需第二因素" in page
