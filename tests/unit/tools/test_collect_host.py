"""The script that operators carry: it reads, writes one file, and carries no secret away."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from audits.core.collectors.bundle import open_bundle
from audits.core.collectors.facts import read_facts
from audits.models.collectors import Bundle
from audits.models.evidence import Fact
from tests.services.postgresql import PostgresqlServer, postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]

SCRIPT = Path(__file__).resolve().parents[3] / "tools" / "collect_host.sh"
HASH = "$6$salt5678$Zc1aQqVnQ9pYwX3bN0uTzEr4KfLmHs7dJgPo2Iv8Cy5Rt6Ua"
SECRETS = (HASH, "hunter2", "s3cr3t", "T0ken", "张三丰")
FILES = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "etc/passwd": "root:x:0:0:张三丰:/root:/bin/bash\nold::500:500::/home/old:/bin/sh\n"
    "locked:x:501:501::/home/l:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nwheel:s3cr3t:10:root\n",
    "etc/shadow": f"root:{HASH}:19000:0:99999:7:::\nold::19000:0:99999:7:::\n"
    f"locked:!{HASH}:19000:0:99999:7:::\ndes:aaHunterhunt2:1:0:9:7:::\nodd:abc:1:0:9:7:::\n",
    "etc/sudoers": "# the password is hunter2\nroot ALL=(ALL) ALL\n",
    "etc/login.defs": "PASS_MAX_DAYS 99999\n",
    "etc/ssh/sshd_config": "Include sshd_config.d/*.conf\nPort 22\n",
    "etc/ssh/sshd_config.d/a b.conf": "PermitRootLogin yes\n",
    "etc/ssh/sshd_config.d/a.conf": "PermitRootLogin no\n",
    "etc/pam.d/sshd": "auth required pam_mysql.so passwd=hunter2 user=x\n",
    "etc/rsyslog.conf": '*.* action(type="omfwd" target="10.0.0.1")\n'
    'action(type="ommysql" pwd=s3cr3t)\n*.* http://u:hunter2@h/\n',
    "etc/profile": "TMOUT=600\n# TMOUT=1 hunter2\n",
    "etc/security/faillock.conf": "deny = 5\n",
}
NGINX = """
# configuration file /n.conf:
http { # the token is T0ken
    # hunter2
    server {
        listen 80;
        set $api_key "s3cr3t";
        proxy_set_header Authorization "Basic hunter2";
        proxy_set_header Host $host;
        add_header Set-Cookie T0ken;
        secure_link_md5 "$uri s3cr3t";
        proxy_pass http://user:hunter2@10.0.0.9/;
        return 301 https://$host$request_uri;
    }
}
"""
PROGRAMS = {
    "auditctl": '[ "$1" = -s ] && echo "enabled 1" && exit\n'
    "echo no rights, password=hunter2 >&2; exit 4",
    "nginx": f"[ $1 = -v ] && exec echo nginx version: nginx/1.26.3\ncat <<'CONFIG'\n{NGINX}CONFIG",
    "iptables": "exit 0",
    "apt-get": "echo Inst openssl [1] '(2 Debian-Security:12/stable [amd64])'",
    "chronyc": "head -c 5000000 /dev/zero | tr '\\0' 'x'",
}


@dataclass(frozen=True)
class Host:
    """A made-up host: the script reads this folder instead of /etc, its programs first."""

    folder: Path
    script: Path
    collected: bytes = b""

    def run(self, *options: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", str(self.script), *options],
            cwd=self.folder / "out",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            user=user,
            env={"PATH": "/nowhere", "TMPDIR": str(self.folder / "tmp")},
        )

    def collect(self, *options: str, user: int | None = None) -> bytes:
        done = self.run("-o", "made.gsb", *options, user=user)
        assert (done.returncode, done.stderr) == (0, "")
        return (self.folder / "out" / "made.gsb").read_bytes()


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    # not under pytest's folder: another user has to reach it too
    with tempfile.TemporaryDirectory(prefix="collect-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for path, text in FILES.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        (folder / "etc" / "shadow").chmod(0o600)
        os.mkfifo(folder / "etc" / "ssh" / "sshd_config.d" / "pipe.conf")
        (folder / "bin").mkdir()
        for program, body in PROGRAMS.items():
            path = folder / "bin" / program
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)
        for place in ("out", "tmp"):
            (folder / place).mkdir()
            (folder / place).chmod(0o777)
        script = folder / "collect_host.sh"
        text = SCRIPT.read_text().replace("/etc/", f"{folder}/etc/")
        script.write_text(text.replace("PATH=/usr/sbin", f"PATH={folder}/bin:/usr/sbin"))
        host = Host(folder, script)
        yield replace(host, collected=host.collect("--only", "host,nginx"))


@pytest.fixture
def host(made: Host) -> Iterator[Host]:
    _empty(made)
    yield made
    _empty(made)


def _empty(made: Host) -> None:
    for left in (made.folder / "out").iterdir():
        left.unlink()
    assert list((made.folder / "tmp").iterdir()) == [], "what was written in between is gone"


def facts(bundle: Bundle, family: str, kind: str) -> dict[str, Fact]:
    return next(dict(r.facts) for r in read_facts(bundle, family) if r.kind == kind)


def test_one_file_is_written_for_its_owner_alone(host: Host) -> None:
    host.collect("--only", "nginx")
    (written,) = (host.folder / "out").iterdir()
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_no_secret_is_carried_away(made: Host) -> None:
    bundle = open_bundle(made.collected)
    assert [secret for secret in SECRETS if secret.encode() in made.collected] == []
    assert bundle.sections["nginx.config"].text.count("<redacted>") == 5
    assert "proxy_set_header Host $host;" in bundle.sections["nginx.config"].text


def test_states_of_passwords_are_told_and_no_hash(made: Host) -> None:
    bundle = open_bundle(made.collected)
    if os.getuid() != 0:
        pytest.skip("reading another owner's shadow needs root")
    lines = bundle.sections["accounts.shadow"].text.splitlines()
    states = {line.split(":")[0]: line.split(":")[1] for line in lines}
    assert states == {
        "root": "set-6",
        "old": "empty",
        "locked": "locked",
        "des": "set-des",
        "odd": "unusable",
    }
    passwords = facts(bundle, "host", "host.passwords")
    assert (passwords["empty"], passwords["weak_scheme"], passwords["unlimited"]) == (1, 1, 1)


def test_included_files_of_sshd_are_carried_and_a_pipe_is_not_waited_for(made: Host) -> None:
    bundle = open_bundle(made.collected)
    folder = f"{made.folder}/etc/ssh/"
    names = [name for name in bundle.sections if name.startswith("ssh.file:")]
    assert [name.removeprefix(f"ssh.file:{folder}") for name in names] == [
        "sshd_config",
        "sshd_config.d/a b.conf",
        "sshd_config.d/a.conf",
        "sshd_config.d/pipe.conf",
    ]
    assert bundle.sections[names[-1]].state == "failed"


def test_what_a_program_refuses_or_lacks_is_said_and_endless_output_is_cut(made: Host) -> None:
    bundle = open_bundle(made.collected)
    assert (bundle.sections["audit.status"].state, bundle.sections["audit.status"].text) == (
        "ok",
        "enabled 1\n",
    )
    assert (bundle.sections["audit.rules"].state, bundle.sections["audit.rules"].exit_code) == (
        "failed",
        4,
    )
    assert "no rights" in bundle.sections["audit.rules"].text
    assert bundle.sections["time.ntpq"].state == "missing"
    assert bundle.sections["time.chrony"].state == "cut"
    assert len(bundle.sections["time.chrony"].text) == 4 << 20


def test_without_root_it_says_what_it_could_not_read(host: Host) -> None:
    if os.getuid() != 0:
        pytest.skip("becoming another user needs root")
    bundle = open_bundle(host.collect("--only", "host", user=65_534))
    assert bundle.meta["uid"] == "65534"
    assert bundle.sections["accounts.shadow"].state == "denied"
    reading = next(r for r in read_facts(bundle, "host") if r.kind == "host.passwords")
    assert "set" not in reading.facts
    assert any("not readable by uid 65534" in line for line in reading.unread)


def test_it_writes_over_nothing_and_follows_no_link(host: Host) -> None:
    out = host.folder / "out"
    (out / "there.gsb").write_text("kept")
    (out / "link.gsb").symlink_to(host.folder / "elsewhere")
    for name in ("there.gsb", "link.gsb"):
        done = host.run("--only", "nginx", "-o", name)
        assert done.returncode in (2, 3)
        assert done.stdout == ""
    assert (out / "there.gsb").read_text() == "kept"
    assert not (host.folder / "elsewhere").exists()


def test_the_file_is_named_by_host_and_time_unless_told(host: Host) -> None:
    assert host.run("--only", "nginx").returncode == 0
    (name,) = (path.name for path in (host.folder / "out").iterdir())
    assert name.endswith("Z.gsb")


@pytest.mark.parametrize(
    "options", [["--only"], ["--only", "windows"], ["x"], ["-o"], ["--psql", "a'; rm -rf '"]]
)
def test_wrong_usage_is_told(host: Host, options: list[str]) -> None:
    done = host.run(*options, *(["--only", "postgresql"] if "--psql" in options else []))
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


def test_this_machine_is_collected_as_it_is(tmp_path: Path) -> None:
    """Over the real files and programs that are here, but for apt, which takes seconds."""
    target, script = tmp_path / "here.gsb", tmp_path / "collect.sh"
    script.write_text(SCRIPT.read_text().replace("apt-get", "no-apt-get"))
    options = ["-o", str(target), "--only", "host"]
    subprocess.run(["/bin/sh", str(script), *options], check=True, capture_output=True)
    bundle = open_bundle(target.read_bytes())
    assert bundle.host == os.uname().nodename
    assert bundle.meta["uid"] == str(os.getuid())
    assert facts(bundle, "host", "host.packages")["manager"] == "dpkg"
    accounts = facts(bundle, "host", "host.accounts")
    lines = Path("/etc/passwd").read_text().splitlines()
    assert accounts["accounts"] == len(lines)
    effective = bundle.sections["ssh.effective:root"]
    assert effective.state in ("ok", "failed", "missing")


def test_real_nginx_is_read(tmp_path: Path) -> None:
    real = shutil.which("nginx", path="/usr/sbin:/usr/bin") or pytest.skip("no nginx")
    (tmp_path / "n.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/e; events {{}}\n"
        f"http {{ access_log {tmp_path}/a; include {tmp_path}/*.inc; }}\n"
    )
    (tmp_path / "s.inc").write_text("server { listen 8099; autoindex on; }")
    wrapper = tmp_path / "nginx"
    wrapper.write_text(f'#!/bin/sh\nexec {real} -e {tmp_path}/e -c {tmp_path}/n.conf "$@"\n')
    wrapper.chmod(0o755)
    target = tmp_path / "made.gsb"
    options = ["-o", str(target), "--only", "nginx", "--nginx", str(wrapper)]
    subprocess.run(["/bin/sh", str(SCRIPT), *options], check=True, capture_output=True)
    found = facts(open_bundle(target.read_bytes()), "nginx", "nginx.config")
    assert (found["servers"], found["plain_servers"], found["listings"]) == (1, 1, 1)
    assert found["version"]


@pytest.mark.postgresql
def test_a_real_postgresql_is_read(postgresql_server: PostgresqlServer, tmp_path: Path) -> None:
    target = tmp_path / "made.gsb"
    place = {"PGHOST": str(postgresql_server.folder), "PGUSER": "secops", "PGDATABASE": "postgres"}
    subprocess.run(
        ["/bin/sh", str(SCRIPT), "-o", str(target), "--only", "postgresql"],
        check=True,
        capture_output=True,
        env=place,
    )
    bundle = open_bundle(target.read_bytes())
    settings = facts(bundle, "pg", "pg.settings")
    assert (settings["tls"], settings["remote"], settings["pending_restart"]) == (False, False, 0)
    assert settings["hashing"] == "scram-sha-256"
    access = facts(bundle, "pg", "pg.access")
    assert (access["errors"], access["trusted_remote"]) == (0, 0)
    assert int(access["trusted"]) > 0
    roles = facts(bundle, "pg", "pg.roles")
    assert (roles["superuser_names"], roles["without_password"]) == ("secops", 1)


def test_the_script_is_clean_posix_shell() -> None:
    judge = shutil.which("shellcheck") or pytest.skip("no shellcheck (Debian: shellcheck)")
    done = subprocess.run([judge, "-s", "sh", str(SCRIPT)], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
