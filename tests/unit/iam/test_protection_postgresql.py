"""The same stores on PostgreSQL: versions, recorded decisions, locks, devices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from iam.service.protection.locks import NewLock
from iam.service.zero_trust.policies import NewPolicies
from secops.kernel.access import Question
from secops.kernel.pages import PageRequest
from secops.kernel.permissions.iam import ACCOUNT_READ
from tests.fakes.device_agent import DeviceAgent
from tests.fakes.iam_home import open_iam_home

OWN = """@id("own.day") @title_zh("题") @title_en("t") @advice("a")
forbid (principal in Role::"analyst", action == Action::"iam.account.read", resource)
when { !context.device_registered };"""


@pytest.mark.postgresql
def test_policies_locks_and_devices_on_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    home = open_iam_home(tmp_path, url=postgresql_url)
    try:
        security, system = home.actor("security-admin"), home.actor("system-admin")
        analyst = home.actor("analyst")
        protection, decisions = home.services.protection, home.services.decisions
        question = Question(analyst, ACCOUNT_READ, "account:*")
        for _ in range(2):  # the second time adds up with the first
            decisions.decide(question)
            decisions.record.flush()
        tried = protection.policies.simulate_policies(security, NewPolicies("t", OWN))
        assert tried.changes == 2
        for number in (1, 2):
            draft = protection.policies.draft_policies(security, NewPolicies("t", OWN))
            assert draft.number == number
            protection.policies.propose_policies(security, draft.id, "r")
            protection.policies.decide_policies(system, draft.id, grant=True)
        assert not decisions.decide(question).allowed
        opened = home.sign_in("analyst")
        actor = replace(analyst, session_id=opened.session.id)
        challenge = protection.devices.challenge(actor)
        statement = DeviceAgent().say("register", now=home.clock.now(), challenge=challenge)
        device = protection.devices.register_device(actor, "laptop", statement)
        home.clock.elapsed += 1
        assert decisions.decide(replace(question, actor=actor)).allowed
        until = home.clock.now() + 3_600_000_000
        made = protection.locks.lock_subject(security, NewLock("person", "analyst", "lost", until))
        assert made.ended == {"sessions": 1, "devices": 1}
        page = protection.devices.list_devices(security, PageRequest())
        assert [(one.id, one.state) for one in page.items] == [(device.id, "revoked")]
        home.clock.advance(3_601)
        protection.locks.expire_locks()
        assert not protection.locks.list_locks(security, PageRequest()).items
        means = protection.locks.means
        removed = means.parts.transactions.run(
            lambda tx: means.stores.decisions.purge(tx, 10**9, 1)
        )
        assert removed > 0
    finally:
        home.close()
