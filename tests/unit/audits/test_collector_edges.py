"""Rare forms, damaged texts and bombs: read rightly, or said to be unread; never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from audits.core.collectors.bundle import open_bundle
from audits.core.collectors.facts import read_facts
from audits.models.collectors import Reading
from tests.fakes.bundles import bundle


def read(texts: dict[str, str], kind: str, **meta: str) -> Reading:
    found = read_facts(open_bundle(bundle(texts, **meta)), "host")
    return next(each for each in found if each.kind == kind)


def rule_set(policy: str, chains: dict[str, Any]) -> str:
    base = {"family": "inet", "table": "t", "type": "filter", "hook": "input", "policy": policy}
    entries: list[Any] = [{"chain": {**base, "name": "input"}}]
    for chain, several in chains.items():
        entries += [
            {"rule": {"family": "inet", "table": "t", "chain": chain, "expr": expr}}
            for expr in several
        ]
    return json.dumps({"nftables": entries})


def nft(*rules: list[dict[str, Any]], policy: str = "drop", **chains: list[Any]) -> Reading:
    """Return what is read of rules of the input chain; ``chains`` are others by name."""
    return read({"fw.nft": rule_set(policy, {"input": rules, **chains})}, "host.firewall")


def open_to_all(*rules: list[dict[str, Any]], **chains: list[Any]) -> bool:
    texts = {
        "fw.nft": rule_set("drop", {"input": rules, **chains}),
        "ssh.effective:root": "port 22\nallowgroups ops\n",
    }
    return bool(read(texts, "host.administration").facts["open_to_all"])


def match(left: dict[str, Any], right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def field(protocol: str, name: str) -> dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": name}}


ACCEPT: dict[str, Any] = {"accept": None}
TCP = {"meta": {"key": "l4proto"}}
SOURCE = field("ip", "saddr")
ANYWHERE = {"prefix": {"addr": "::", "len": 0}}


@pytest.mark.parametrize(
    ("rule", "is_open"),
    [
        ([ACCEPT], True),
        ([match(field("tcp", "dport"), 22), ACCEPT], True),
        ([match(field("tcp", "dport"), {"range": [20, 30]}), ACCEPT], True),
        ([match(field("tcp", "dport"), {"set": [80, {"range": [22, 23]}]}), ACCEPT], True),
        ([match(TCP, {"set": ["tcp", "udp"]}), match(field("th", "dport"), 22), ACCEPT], True),
        ([match(SOURCE, ANYWHERE), ACCEPT], True),
        ([match(SOURCE, "10.0.0.0", "!="), ACCEPT], True),
        ([match(field("tcp", "dport"), 443), ACCEPT], False),
        ([match(field("udp", "dport"), 22), ACCEPT], False),
        ([match(TCP, "udp"), ACCEPT], False),
        ([match(field("ip", "protocol"), 17), ACCEPT], False),
        ([match(SOURCE, "10.0.0.1"), ACCEPT], False),
        ([match(field("icmp", "type"), "echo-request"), ACCEPT], False),
        ([match(field("tcp", "dport"), "@named"), ACCEPT], False),
        ([match({"ct": {"key": "state"}}, "established"), ACCEPT], False),
        ([match({"meta": {"key": "iifname"}}, "lo"), ACCEPT], False),
        ([{"drop": None}], False),
        ([{"log": None}, {"mangle": {}}], False),
    ],
)
def test_which_rules_let_everybody_reach_ssh(rule: list[dict[str, Any]], is_open: bool) -> None:  # noqa: FBT001
    assert open_to_all(rule) is is_open


def test_a_jump_under_conditions_narrows_what_it_leads_to() -> None:
    jump = {"jump": {"target": "more"}}
    accept = [match(field("tcp", "dport"), 22), ACCEPT]
    assert open_to_all([jump], more=[accept]) is True
    assert open_to_all([match(SOURCE, "10.0.0.1"), jump], more=[accept]) is False
    assert open_to_all([{"goto": {"target": "none"}}]) is False
    vmap = [{"vmap": {"key": field("tcp", "dport"), "data": {"set": []}}}]
    assert nft(vmap).facts["any_accepts"] == 0


def test_rules_behind_one_that_decides_everything_are_never_reached() -> None:
    found = nft([ACCEPT], [{"drop": None}], policy="accept").facts
    assert (found["input_denied"], found["unreachable"], found["any_accepts"]) == (False, 1, 1)
    found = nft([{"reject": {"type": "icmp"}}], policy="accept").facts
    assert found["input_denied"] is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"nftables": 1}',
        '{"nftables": ' + "[" * 100 + "]" * 100 + "}",
        '{"a": "' + "[" * 100 + '"}',
    ],
)
def test_what_is_no_rule_set_gives_no_facts(text: str) -> None:
    found = read({"fw.nft": text}, "host.firewall")
    assert found.facts == {}
    assert "fw.nft: no rule set of `nft -j`, or one of too many steps" in found.unread


def test_a_rule_set_of_odd_values_is_read_as_rules_that_say_little() -> None:
    odd: list[Any] = [
        {"match": {"left": 1, "right": None}},
        {"match": {"left": {"payload": 1}, "right": {}}},
        {"counter": {"packets": "x"}},
        {"accept": None},
    ]
    found = nft(odd, "no list").facts  # type: ignore[arg-type] # what a stranger may send
    assert (found["rules"], found["any_accepts"]) == (2, 0)


def test_chains_that_jump_to_each_other_without_end_are_not_judged() -> None:
    jumps = [[{"jump": {"target": f"c{n}"}}] for n in range(3)] * 20
    chains = {f"c{n}": jumps for n in range(3)}
    found = nft(*jumps, **chains)
    assert found.facts == {}


def iptables(*lines: str) -> dict[str, Any]:
    text = "\n".join(["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", *lines, "COMMIT"])
    texts = {"fw.iptables": text, "ssh.effective:root": "allowgroups ops\n"}
    facts = dict(read(texts, "host.firewall").facts)
    return facts | read(texts, "host.administration").facts


@pytest.mark.parametrize(
    ("line", "is_open"),
    [
        ("-A INPUT -j ACCEPT", True),
        ("-A INPUT -p all -s 0.0.0.0/0 -j ACCEPT", True),
        ("-A INPUT -p tcp --dport 20:30 -j ACCEPT", True),
        ("-A INPUT -p tcp --dport :1024 -j ACCEPT", True),
        ("-A INPUT -p tcp --dport 10: -j ACCEPT", True),
        ('-A INPUT -p tcp --dport 22 -m comment --comment "for -s 10.0.0.1" -j ACCEPT', True),
        ("-A INPUT ! -s 10.0.0.1/32 -j ACCEPT", True),
        ("-A INPUT -i eth0 -p tcp -m tcp --dport 22 -j ACCEPT", True),
        ("-A INPUT -s 10.0.0.1/32 -j ACCEPT", False),
        ("-A INPUT -p udp --dport 22 -j ACCEPT", False),
        ("-A INPUT -p tcp --dport ssh -j ACCEPT", False),
        ("-A INPUT -j LOG --log-prefix x", False),
        ('-A INPUT -m comment --comment "unbalanced -j ACCEPT', False),
        ("-A", False),
        ("-N other chain", False),
        ("-A INPUT -j", False),
    ],
)
def test_which_lines_of_iptables_let_everybody_reach_ssh(line: str, is_open: bool) -> None:  # noqa: FBT001
    assert iptables(line)["open_to_all"] is is_open


def test_chains_of_iptables_are_followed_and_never_without_end() -> None:
    found = iptables("-A INPUT -s 10.0.0.0/8 -j in", "-A in -p tcp --dport 22 -j ACCEPT")
    assert (found["open_to_all"], found["loose_accepts"]) == (False, 1)
    loop = iptables("-A INPUT -j a", *["-A a -j a"] * 60)
    assert "input_denied" not in loop
    assert "open_to_all" not in loop


def test_a_table_without_our_chains_says_nothing_of_them() -> None:
    found = read({"fw.iptables": "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT"}, "host.firewall").facts
    assert (found["input_denied"], found["published"]) == (False, 0)


PAM = "pam:/etc/pam.d/"


def test_faillock_that_does_not_count_locks_nobody() -> None:
    found = read({f"{PAM}common-auth": "auth required pam_faillock.so preauth\n"}, "host.pam")
    assert (found.facts["lockout"], found.facts["failures"]) == ("none", 0)


def test_values_of_lock_out_that_are_no_numbers_are_left_out() -> None:
    text = "auth required pam_tally2.so deny=five unlock_time=soon\n"
    found = read({f"{PAM}sshd": text}, "host.pam").facts
    assert found["lockout"] == "pam_tally2"
    assert not {"failures", "unlock_seconds"} & set(found)


def test_tally_without_a_number_never_locks() -> None:
    found = read({f"{PAM}sshd": "auth required pam_tally.so\n"}, "host.pam").facts
    assert (found["failures"], found["unlock_seconds"]) == (0, 0)


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ("pam_unix.so minlen=9 obscure", {"quality": "none", "min_length": 9, "classes": 0}),
        ("pam_unix.so", {"quality": "none", "min_length": 0, "classes": 0}),
        ("pam_passwdqc.so min=8", {"quality": "pam_passwdqc"}),
        ("pam_pwquality.so minclass=4", {"quality": "pam_pwquality", "classes": 4}),
        (
            "pam_pwquality.so minlen=9 minclass=4 enforcing=0",
            {"quality": "none", "min_length": 0, "classes": 0},
        ),
    ],
)
def test_rules_for_passwords_in_their_forms(line: str, facts: dict[str, Any]) -> None:
    found = read({f"{PAM}common-password": f"password required {line}\n"}, "host.pam")
    assert {name: found.facts[name] for name in facts} == facts
    assert ("min_length" in found.facts) is ("min_length" in facts)


def test_stacks_for_other_things_alone_tell_nothing_of_sign_in() -> None:
    found = read({f"{PAM}su": "# nothing\n"}, "host.pam")
    assert dict(found.facts) == {"su_restricted": False}
    assert len(found.unread) == 2
    assert read({"pam:/elsewhere/x": "auth required x.so"}, "host.pam").facts == {}


def test_includes_without_end_are_not_judged() -> None:
    bomb = "@include sshd\n" * 200 + "auth required pam_tally2.so deny=3\n"
    found = read({f"{PAM}sshd": bomb}, "host.pam")
    assert dict(found.facts) == {}
    main = "ssh.file:/etc/ssh/sshd_config"
    found = read({main: "Include sshd_config\n" * 200 + "PermitRootLogin no\n"}, "host.ssh")
    assert dict(found.facts) == {}
    deep = "Include sshd_config\nPermitRootLogin no\n"
    assert read({main: deep}, "host.ssh").facts["root_login"] == "no"
    deep = "auth include sshd\nauth required pam_tally2.so deny=3\n"
    assert read({f"{PAM}sshd": deep}, "host.pam").facts["failures"] == 3
    deep = "@include sshd\nauth required pam_tally2.so deny=3\n"
    assert read({f"{PAM}sshd": deep}, "host.pam").facts["failures"] == 3


def test_times_of_sshd_are_read_in_every_form_and_nonsense_in_none() -> None:
    def grace(text: str) -> Any:
        found = read({"ssh.effective:root": f"logingracetime {text}\n"}, "host.ssh")
        return found.facts.get("grace_seconds")

    times = [grace(text) for text in ("90", "2m", "1h30m", "1W", "soon", "2m x")]
    assert times == [90, 120, 5_400, 604_800, None, None]


def test_lists_that_only_change_the_defaults_do_not_say_what_is_offered() -> None:
    text = "ciphers +aes128-cbc\nmacs -hmac-md5\npermitrootlogin without-password\n\nx\n"
    found = read({"ssh.effective:root": text}, "host.ssh").facts
    assert not {"weak_ciphers", "weak_macs"} & set(found)
    assert (found["root_login"], found["root_refused"]) == ("prohibit-password", False)


def test_a_line_without_a_value_is_none_and_an_empty_sshd_t_is_no_answer() -> None:
    texts = {"ssh.file:/etc/ssh/sshd_config": "PermitRootLogin\n\n???\nMatch User x\n"}
    found = read({**texts, "ssh.effective:root": "\n"}, "host.ssh")
    assert "root_login" not in found.facts
    assert found.facts["source"] == "files"


@pytest.mark.parametrize(
    ("name", "text", "kind", "absent"),
    [
        ("time.chrony", "506 Cannot talk to daemon", "host.time", "synchronised"),
        (
            "time.chrony",
            "Leap status: Normal\nStratum: 2\nSystem time: ?",
            "host.time",
            "offset_ms",
        ),
        ("time.ntpq", "*a b 2 u 1 64 377 0.5 wide 1", "host.time", "offset_ms"),
        ("time.ntpq", "*a b 2 u 1 64 377 0.5 NaN 1", "host.time", "offset_ms"),
        ("time.ntpq", "*short", "host.time", "stratum"),
        ("time.timedatectl", "NTPSynchronized=maybe", "host.time", "synchronised"),
        ("accounts.passwd", "x\n", "host.accounts", "accounts"),
        ("packages.rpm", "damaged", "host.packages", "installed"),
        ("os.release", "/etc/os-release\tNAME=x\n", "host.system", "name"),
        ("net.sockets", "a\nb\nc\n", "host.listeners", "exposed"),
        ("sysctl", "unknown = 1\n", "host.kernel", "weak"),
        ("av.clamav:/d", "ClamAV-VDB:31 Feb 2026 x", "host.antivirus", "base_age_days"),
        ("av.clamav:/d", "ClamAV-VDB:1 Foo 2026 x", "host.antivirus", "base_age_days"),
        ("audit.status", "", "host.audit", "enabled"),
    ],
)
def test_what_no_program_prints_is_no_fact(name: str, text: str, kind: str, absent: str) -> None:
    assert absent not in read({name: text, "processes": "clamd"}, kind).facts


@pytest.mark.parametrize(
    "line",
    ["x tty 1 2 3 4", "x Mon Foo 1 00:00:00 +0800 2026", "x Mon Feb 31 00:00:00 +0800 2026", "x y"],
)
def test_sign_ins_in_a_strange_form_are_not_read(line: str) -> None:
    texts = {
        "accounts.passwd": "x:shadow:1000:1000:/bin/sh\n",
        "accounts.shadow": "x:set-6:1:0:9:7::\n",
        "accounts.lastlog": f"Username Port From Latest\n{line}\n",
    }
    assert "idle" not in read(texts, "host.accounts").facts


def test_accounts_are_told_without_shadow() -> None:
    found = read({"accounts.passwd": "x:empty:1000:1000:/bin/sh\n"}, "host.accounts").facts
    assert found["accounts"] == 1
    assert "usable" not in found
    texts = {"accounts.shadow": "a:set-6:1:0:9:7::\n\nb\n"}
    passwords = read(texts, "host.passwords")
    assert passwords.facts["set"] == 1
    assert "accounts.shadow: 1 of 2 lines can be read" in passwords.unread
    assert "set" not in read({"accounts.shadow": "b\n"}, "host.passwords").facts


def test_a_day_no_calendar_has_is_after_all_support() -> None:
    texts = {"os.release": "/etc/os-release\tID=debian\n/etc/os-release\tVERSION_ID=12\n"}
    found = read(texts, "host.system", finished="999999999999").facts
    assert found["supported"] is False


def test_an_old_red_hat_and_one_nobody_knows() -> None:
    line = "/etc/redhat-release\tRed Hat Enterprise Linux Server release 6.9 (Santiago)\n"
    found = read({"os.release": line}, "host.system").facts
    assert (found["name"], found["version"], found["supported"]) == ("rhel", "6.9", False)
    line = "/etc/kylin-release\tNeoKylin Linux Server release 7.6 (x)\n"
    found = read({"os.release": line}, "host.system").facts
    assert (found["name"], "supported" in found) == ("neokylin", False)


def test_users_and_ports_of_files_are_those_of_all_their_lines() -> None:
    main = "ssh.file:/etc/ssh/sshd_config"
    text = "Port 22\nPort 2222\nAllowUsers a@10.1.9.1\nAllowUsers b\nMatch User c\nPort 9\n"
    found = read({main: text}, "host.ssh").facts
    assert (found["ports"], found["users_restricted"]) == ("22, 2222", True)
    assert found["addresses_restricted"] is False


def test_a_mask_that_is_none_leaves_the_address() -> None:
    texts = {"pg.hba": "1\thost\tall\tall\t10.0.0.1\tstrange\ttrust\tf\n"}
    assert _pg(texts)["trusted_remote"] == 1


def test_of_lists_read_in_part_only_what_was_seen_is_told() -> None:
    half = {"pg.hba": "1\thost\tall\tall\t10.0.0.1\t\\N\ttrust\tf\nhalf a line\n"}
    assert _pg(half)["trusted_remote"] == 1
    good = {"pg.hba": half["pg.hba"].replace("trust", "scram-sha-256")}
    assert "trusted" not in _pg(good)


def _pg(texts: dict[str, str]) -> dict[str, Any]:
    readings = read_facts(open_bundle(bundle(texts)), "pg")
    return dict(next(each for each in readings if each.kind == "pg.access").facts)
