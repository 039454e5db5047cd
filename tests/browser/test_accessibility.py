"""axe-core on every page in both themes: no violation of WCAG 2.2 A and AA."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

import pytest

from iam.core.rfc7636.pkce import challenge_of
from tests.browser.visitors import Visitors

pytestmark = [pytest.mark.browser, pytest.mark.service]

AXE = "axe-core@4.14.1"
PUBLIC = (
    "/login?transaction=",
    "/logout?client_id=secops-console",
    "/enrol",
    "/signed-out",
    "/verify",
    "/no-such-page",
)
CONSENT = "/oauth2/authorize?" + urlencode(
    {
        "response_type": "code",
        "client_id": "demo-app",
        "redirect_uri": "http://127.0.0.1/callback",
        "prompt": "consent",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
    }
)
PAGES = {
    "analyst": (
        "/",
        "/alerts",
        "/rules",
        "/coverage",
        "/rule-folders",
        "/log-sources",
        "/logs",
        "/models",
        "/logins",
        "/entities",
        "/situation",
        "/exceptions",
        "/suppressions",
        "/alerts?group=rule",
        "/alert-deadlines",
        "/bulk-actions",
        "/trace",
        "/data-policies",
        "/incidents",
        "/emergency-plans",
        "/response-times",
        "/runs",
        "/notices",
        "/notices/new",
        "/notice-scores",
        "/received-notices",
        "/early-warnings",
        "/rectification",
        "/waivers",
        "/risks",
        "/risks/findings",
        "/playbooks",
        "/bindings",
        "/bindings/new",
        "/duty",
        "/duty/calls",
        "/drills",
        "/notifications/subscriptions",
        "/accounts",
        "/me/factors",
        "/me/password",
        "/step-up",
        CONSENT,
        "/login/certificate?transaction=x",
        "/ledger",
    ),
    "system-admin": (
        "/me",
        "/notifications/channels",
        "/notifications/messages",
        "/me/mandates",
        "/approvals",
        "/legal-persons",
        "/organisations",
        "/people/import",
        "/systems",
        "/systems/this",
        "/systems/import",
        "/systems/grading?information_society=serious&service_citizens=grave",
        "/systems/this/filing-sheet",
        "/systems/log-sources",
        "/systems/suppliers",
        "/records",
        "/applications",
        "/applications/requests",
        "/silent-partners",
        "/trust-anchors",
        "/consents",
        "/me/consents",
        "/device",
    ),
    "auditor": (
        "/permissions",
        "/ledger",
        "/ledger/0",
        "/assessments",
        "/assessments/schedules",
        "/assessments/controls/gbt22239/L3-CES1-06",
        "/reports",
        "/report-templates",
        "/collectors",
        "/collectors/bundles",
        "/catalogues?level=3",
        "/catalogues/gbt22239/L3-CES1-23",
        "/seals",
        "/seals/use-requests",
        "/verify/report",
        "/openpgp",
        "/certificates",
        "/key-pool",
        "/keys",
        "/key-tenant",
        "/ecertificate-batches",
        "/keys/demo-sm2/limits",
    ),
}
FIRST_LINKS = {
    "analyst": ("/alerts", "/rules", "/accounts", "/playbooks"),
    "auditor": ("/seals", "/ecertificates", "/ecertificate-templates", "/assessments"),
}
DEEP = bool(os.environ.get("SECOPS_DEEP"))  # noqa: TID251 - test profile
ASK = """async () => (await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
"wcag22aa"]})).violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html))"""


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine: axe-core is not vendored")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run(
        [npm, "pack", AXE], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    if packed.returncode != 0:
        pytest.skip(f"npm can't fetch {AXE}: {packed.stderr.strip()[-200:]}")
    (archive,) = Path(folder).glob("*.tgz")
    with tarfile.open(archive) as files:
        script = files.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(
    visitors: Visitors, axe: str, scheme: Literal["light", "dark"]
) -> None:
    found: dict[str, list[str]] = {}
    for role, paths in {"": PUBLIC, **PAGES}.items():
        known = visitors.signed_in(role) if role else None
        visitor = visitors.stranger(scheme=scheme, signed_in_as=known)
        wanted = list(paths)
        for listing in FIRST_LINKS.get(role, ()):
            visitor.go(listing)
            first = visitor.page.locator("main tbody a").first.get_attribute("href") or listing
            wanted.append(first)
            if first.startswith("/alerts/"):
                wanted.append(f"{first.partition('?')[0]}/exception")
            if first.startswith("/assessments/"):
                wanted += [f"{first}/items/L3-CES1-04", f"{first}/items/L3-PES1-03"]
        # each page in one theme; in the deep run each in both
        for path in wanted if DEEP else wanted[scheme == "dark" :: 2]:
            visitor.go(path)
            visitor.picture(
                f"{scheme}-{role or 'public'}{path.partition('?')[0].replace('/', '-')}"
            )
            visitor.page.evaluate(axe)
            violations = visitor.page.evaluate(ASK)
            if violations:
                found[f"{role} {path}"] = violations
    assert found == {}
