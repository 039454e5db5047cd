"""Sign-in by an identity provider upstream: there, back, and in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from iam.errors import SecondFactorNeeded
from iam.models.upstream import UpstreamArrival
from secops.console.parts import Desk, get_page, post_page
from secops.console.signin.shared import ask_factor, go_on, same_origin
from secops.kernel.errors import SecopsError
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Public, Route

_PAGES: Final = Public("sign-in by the organisation's identity provider: nobody is known yet")
_COOKIE_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class _Upstream:
    desk: Desk

    def begin(self, request: Request) -> Response:
        """Send the browser to the provider, or ask for the directory's name and password."""
        iam = self.desk.parts.iam
        upstream_id = request.args["upstream"]
        transaction = request.query.get("transaction", "")
        if not transaction:
            return redirect("/signin")
        iam.authorize.client_name(transaction)  # a foreign or old reference ends here
        try:
            begun = iam.upstream_sign_in.begin(upstream_id, transaction)
        except SecopsError as error:
            return self._refusal(request, error)
        header = iam.console.cookie_header("upstream", begun.cookie, max_age=_COOKIE_SECONDS)
        if begun.location:
            return redirect(begun.location, headers=(("set-cookie", header),))
        return self._ask(request, cookie=header)

    def _ask(
        self, request: Request, *, cookie: str = "", error: SecopsError | None = None
    ) -> Response:
        """Return the form for a directory."""
        buttons = self.desk.parts.iam.upstream_sign_in.buttons()
        upstream_id = request.args["upstream"]
        title = next((one.title for one in buttons if one.id == upstream_id), "")
        status = error.status if error else 200
        page = self.desk.page(
            request,
            "signin/upstream_form.html",
            status,
            upstream=upstream_id,
            title=title,
            error=error,
        )
        kept = (("set-cookie", cookie),) if cookie else ()
        return Response(page.status, (*page.headers, *kept), page.body)

    def check_directory(self, request: Request) -> Response:
        """Check name and password at the directory."""
        same_origin(request)
        fields = {name: request.form.get(name, "") for name in ("name", "password")}
        return self._complete(request, fields, asked_here=True)

    def callback(self, request: Request) -> Response:
        """Take the provider's answer."""
        return self._complete(request, request.query, asked_here=False)

    def _complete(
        self, request: Request, parameters: Mapping[str, str], *, asked_here: bool
    ) -> Response:
        iam = self.desk.parts.iam
        name = iam.console.cookie_name
        cookie = request.cookies.get(name("upstream"), "")
        arrival = UpstreamArrival(
            request.remote,
            request.headers.get("user-agent", ""),
            request.cookies.get(name("device"), ""),
        )
        upstream_id = request.args["upstream"]
        try:
            done = iam.upstream_sign_in.complete(upstream_id, cookie, parameters, arrival)
        except SecondFactorNeeded as error:
            # a local factor: the provider's sign-in counts for one
            transaction = iam.upstream_sign_in.transaction_of(cookie)
            return ask_factor(self.desk, request, (transaction, error.reference), error)
        except SecopsError as error:
            again = asked_here and error.code == "iam.upstream_refused"
            return self._ask(request, error=error) if again else self._refusal(request, error)
        onward = go_on(iam.console, done.transaction, done.opened)
        begun = ("set-cookie", iam.console.cookie_header("upstream", ""))
        return Response(onward.status, (*onward.headers, begun), onward.body)

    def _refusal(self, request: Request, error: SecopsError) -> Response:
        return self.desk.page(request, "signin/upstream_refused.html", error.status, error=error)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of sign-in upstream."""
    here = _Upstream(desk)
    one = "/login/upstream/<upstream>"
    return (
        get_page(one, "begin_upstream_sign_in", _PAGES, here.begin),
        post_page(one, "check_directory_password", _PAGES, here.check_directory),
        get_page(f"{one}/callback", "complete_upstream_sign_in", _PAGES, here.callback),
    )
