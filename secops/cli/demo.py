"""The demo home: accounts for each role, keys, a seal; sample logs and what they show."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from detectors.models.logs import IngestOptions
from detectors.service import DetectorsServices
from iam.service.people.beginnings import DEMO_CLIENT
from kms.errors.seals import FontMissing
from kms.models.ecertificates import IssueRequest
from kms.models.keys import KeyRequest
from kms.models.seal_registry import SealRequest
from secops.bridges.house import House
from secops.cli.demo_register import write_demo_register
from secops.kernel.actors import Actor
from secops.kernel.errors import Forbidden, NotFound
from secops.kernel.logs import Window
from secops.kernel.pages import PageRequest
from secops.terminal.output import progress_bar, say
from secops.terminal.session import session_of

ACCOUNTS_FILE: Final = "demo-accounts.txt"
_LEVEL: Final = 3
_SAMPLES: Final = ("sshd.log", "sudo.log", "nginx_access.log")
_KEYS: Final = (("demo-sm2", "sm2"), ("demo-p256", "ecdsa-p256"))
_SEAL: Final = "临江县数据局(演示)"
_LICENCE: Final = {
    "type_code": "11220000000000000X001",
    "name": "食品经营许可证(演示)",
    "authority": "临江县数据局(演示)",
    "authority_code": "11220000000000000X",
    "number_prefix": "YS",
    "fields": [
        {"name": "holder", "title": "经营者", "public": "shown", "max_length": 40},
        {"name": "leader", "title": "负责人", "public": "masked", "max_length": 20},
        {
            "name": "scope",
            "title": "经营项目",
            "kind": "choice",
            "choices": ["食品销售", "餐饮服务"],
            "public": "shown",
        },
        {"name": "founded", "title": "成立日期", "kind": "date", "required": False},
    ],
    "holder_field": "holder",
    "validity_days": 1_825,
}
"""A licence of nobody: codes that no authority has."""


def write_demo_accounts(house: House, actor: Actor) -> None:
    """Make the demo's accounts, application, keys and seal; idempotent."""
    made = house.iam.beginnings.create_demo_accounts(actor)
    application = house.iam.beginnings.create_demo_client(actor)
    if made:
        lines = ["演示账户 demo accounts (account  password  TOTP secret)", ""]
        lines += [f"{one.name:<15} {one.password}  {one.otp_secret}" for one in made]
        if application is not None:
            lines += ["", f"application {application.client_id}  secret {application.secret}"]
        file = house.settings.home / ACCOUNTS_FILE
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n")
    _make_keys(house)
    _make_seal(house)
    _make_ecertificate(house)
    _adopt_playbooks(house)


def _adopt_playbooks(house: House) -> None:
    """Adopt the playbooks of the release by two people, as everywhere: that signs them."""
    analyst, security = house.act_as("analyst"), house.act_as("security-admin")
    register = house.playbooks.playbooks
    for name in register.packaged():
        entry = register.adopt_playbook(analyst, name)
        if entry.state == "draft":
            register.approve_playbook(security, entry.content_hash, reason="演示")


def _make_keys(house: House) -> None:
    security = house.act_as("security-admin")
    known = {key.name for key in house.kms.keys.list_keys(security, PageRequest()).items}
    for name, kind in _KEYS:
        if name in known:
            continue
        house.kms.keys.create_key(security, KeyRequest(name, kind))
        for user in ("integrator", DEMO_CLIENT):
            house.kms.key_control.grant_key(security, name, user, ("sign", "verify"))


def _make_seal(house: House) -> None:
    applicant, security = house.act_as("seal-applicant"), house.act_as("security-admin")
    applications = house.kms.seal_applications.list_applications(security, PageRequest())
    if applications.items:
        return
    wish = SealRequest(
        name=_SEAL,
        shape="round",
        organization="临江县数据局",
        holders=("seal-holder",),
        reason="演示",
    )
    application = house.kms.seal_applications.apply_seal(applicant, wish)
    house.kms.seal_applications.decide_application(
        security, application.id, grant=True, reason="演示"
    )
    try:
        house.kms.seal_making.make_seal(security, application.id)
    except FontMissing as error:  # everything else of the demo works without a font
        say(f"the demo seal waits for 制章: {error.detail}; {error.remedy.en}")


def _make_ecertificate(house: House) -> None:
    """Put a template of a licence in force, and issue one by it."""
    applicant, security = house.act_as("seal-applicant"), house.act_as("security-admin")
    here = house.kms.ecertificates
    seals = house.kms.seal_registry.list_seals(security, PageRequest()).items
    if not seals or here.templates.list_ecertificate_templates(security, PageRequest()).items:
        return
    proposed = here.templates.propose_ecertificate_template(
        applicant, {**_LICENCE, "seal_id": seals[0].id}
    )
    here.templates.decide_ecertificate_template(security, proposed.id, grant=True, reason="演示")
    holder = {"holder": "临江县演示食品店", "scope": "食品销售", "leader": "张演示"}
    here.issuing.issue_ecertificate(house.act_as("seal-holder"), IssueRequest(proposed.id, holder))


@click.command("demo-data")
@click.option(
    "--samples",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("samples"),
    show_default=True,
)
@click.pass_context
def demo_data(ctx: click.Context, *, samples: Path) -> None:
    """Ingest the sample logs, run the detectors once, register systems (demo homes only).

    Example: secops --home ./.demo-home demo-data
    """
    session = session_of(ctx)
    house = session.house
    if not isinstance(house, House) or not house.settings.demo:
        raise Forbidden("this is for demo homes")
    detectors = session.services(DetectorsServices)
    analyst = house.act_as("analyst")
    files = [str(samples / name) for name in _SAMPLES if (samples / name).is_file()]
    if not files:
        raise NotFound(f"there are no sample logs in {samples}")
    with progress_bar("samples", len(files)) as bar:
        for file in files:
            detectors.logs.ingest_files(analyst, [file], IngestOptions())
            bar.advance()
    result = detectors.runs.run_detectors(analyst, Window())
    say(f"{result.events} 条日志, {len(result.alerts)} 个告警 ({result.events} events)")
    made = house.audits.assessments.assess(house.act_as("auditor"), "gbt22239", _LEVEL)
    judged, applicable = made.coverage
    say(f"自查 {made.id}: {judged}/{applicable} 项已核查 ({judged} of {applicable} items judged)")
    write_demo_register(house, made)
    say(f"下一步 next: {house.settings.origin} — 以 analyst 登录, 打开“告警”")
    say("口令后的 32 位密钥输入任一验证器应用 (or: oathtool --totp -b SECRET)")
