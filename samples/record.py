#!/usr/bin/env python3
"""Record the demo logs from real daemons on loopback: sshd, sudo, nginx, rsyslog.

Needs root and the Debian packages openssh-server, openssh-client, sudo, nginx-light, rsyslog.
Everything runs from a temporary folder on high loopback ports; two throw-away accounts are
made and removed. What the daemons write is kept as it is.

Usage: python samples/record.py [FOLDER]
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SSH_PORT = 22022
WEB_PORT = 18080
ZONE = {"TZ": "Asia/Shanghai", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
CLERK, OPERATOR = "zhangwei", "liying"
ATTACKER = "127.0.0.66"

RSYSLOG = """
global(workDirectory="{folder}" localHostname="gov-gateway")
module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0")
if $programname startswith "sshd" then {{
    action(type="omfile" file="{folder}/sshd.log" template="RSYSLOG_TraditionalFileFormat")
}} else {{
    action(type="omfile" file="{folder}/sudo.log" template="RSYSLOG_TraditionalFileFormat")
}}
"""
SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
UsePAM yes
PasswordAuthentication yes
PermitRootLogin no
MaxStartups 100
LoginGraceTime 20
"""
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx_error.log;
events {{ }}
http {{
    access_log {folder}/nginx_access.log combined;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/site;
        location /api/ {{ return 401; }}
    }}
}}
"""
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
PAGES = ("/", "/index.html", "/notice.html", "/service.html", "/style.css", "/logo.svg")
PROBES = (
    "/.git/config", "/.env", "/wp-login.php", "/phpmyadmin/", "/actuator/env", "/admin/login",
    "/../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/cgi-bin/../../bin/sh",
    "/index.php?id=1%27%20UNION%20SELECT%20username,password%20FROM%20users--",
    "/search?q=%3Cscript%3Ealert(1)%3C/script%3E", "/?x=${jndi:ldap://127.0.0.1/a}",
    "/solr/admin/info/system", "/struts2-showcase/index.action", "/backup.zip", "/db.sql",
    "/shell.jsp", "/.ssh/id_rsa", "/server-status", "/console/",
)  # fmt: skip


def run(*command: str, check: bool = True, text: str | None = None) -> int:
    """Run a program quietly and return its exit code."""
    done = subprocess.run(  # noqa: S603 - fixed programs
        command, check=check, input=text, text=True, capture_output=True, env=ZONE, timeout=60
    )
    return done.returncode


@contextlib.contextmanager
def daemon(*command: str, port: int | None = None) -> Iterator[None]:
    """Run a daemon in the foreground while the block runs."""
    with subprocess.Popen(command, env=ZONE, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            for _ in range(100):
                if port is None or is_open(port):
                    break
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def is_open(port: int) -> bool:
    """Tell whether something listens on loopback ``port``."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def accounts(passwords: dict[str, str]) -> Iterator[None]:
    """Make throw-away accounts; the first may use sudo. They are gone afterwards."""
    rule = Path("/etc/sudoers.d/secops-samples")
    try:
        for name, password in passwords.items():
            run("useradd", "--create-home", "--shell", "/bin/bash", name)
            run("chpasswd", text=f"{name}:{password}\n")
        rule.write_text(f"{OPERATOR} ALL=(ALL) /usr/bin/id, /usr/bin/cat\n")
        rule.chmod(0o440)
        yield
    finally:
        rule.unlink(missing_ok=True)
        for name in passwords:
            run("userdel", "--remove", name, check=False)


class Ssh:
    """Signs in to the recorded sshd from any loopback address."""

    def __init__(self, folder: Path) -> None:
        self._ask = folder / "ask.sh"
        self._ask.write_text('#!/bin/sh\necho "$SAMPLE_PASSWORD"\n')
        self._ask.chmod(0o700)

    def try_password(self, user: str, password: str, address: str, tries: int = 1) -> int:
        """Try ``password`` up to ``tries`` times in one connection; return ssh's exit code."""
        options = (
            "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
            "PubkeyAuthentication=no", "PreferredAuthentications=password",
            f"NumberOfPasswordPrompts={tries}", f"BindAddress={address}",
        )  # fmt: skip
        command = ["ssh", "-p", str(SSH_PORT), *(f"-o{option}" for option in options)]
        environment = {
            **ZONE,
            "SSH_ASKPASS": str(self._ask),
            "SSH_ASKPASS_REQUIRE": "force",
            "SAMPLE_PASSWORD": password,
        }
        done = subprocess.run(  # noqa: S603 - fixed program
            [*command, f"{user}@127.0.0.1", "true"],
            check=False,
            env=environment,
            capture_output=True,
            timeout=120,
        )
        return done.returncode


def office_hours(ssh: Ssh, passwords: dict[str, str]) -> None:
    """Ordinary sign-ins, with the odd mistyped password."""
    for number in range(12):
        user = CLERK if number % 3 else OPERATOR
        address = f"127.0.0.{11 + number % 4}"
        if number % 5 == 1:
            ssh.try_password(user, "mistyped", address)
        ssh.try_password(user, passwords[user], address)


def slow_guessing(ssh: Ssh) -> None:
    """Let a few addresses try one well-known name each."""
    for number, name in enumerate(("admin", "test", "oracle", "postgres", "ubuntu", "deploy")):
        ssh.try_password(name, "123456", f"127.0.0.{81 + number}", tries=2)


def brute_force(ssh: Ssh, passwords: dict[str, str]) -> None:
    """One address guesses many passwords, first of unknown accounts, and then gets in."""
    for name in ("root", "admin", "guest", "user from 10.0.0.1 port 22 ssh2"):
        ssh.try_password(name, "password", ATTACKER, tries=3)
    for guess in ("zhangwei123", "Zhangwei@2026", "qwerty123456"):
        ssh.try_password(CLERK, guess, ATTACKER, tries=3)
    if ssh.try_password(CLERK, passwords[CLERK], ATTACKER) != 0:
        sys.exit("the last sign-in must succeed")


def strangers() -> None:
    """Clients that do not speak SSH."""
    for number in range(3):
        with socket.socket() as client:
            client.bind((f"127.0.0.{91 + number}", 0))
            client.connect(("127.0.0.1", SSH_PORT))
            client.recv(100)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            client.recv(100)


def use_sudo(passwords: dict[str, str]) -> None:
    """Use sudo, be refused, type wrong passwords, be a stranger to sudoers."""

    def as_user(name: str, command: str, typed: str) -> None:
        run("su", "-", name, "-c", f"sudo -k; sudo -S -p '' {command}", check=False, text=typed)

    right, wrong = passwords[OPERATOR] + "\n", "wrong\n" * 3
    for _ in range(3):
        as_user(OPERATOR, "/usr/bin/id", right)
    as_user(OPERATOR, "/usr/bin/cat /etc/hostname", right)
    as_user(OPERATOR, "/usr/bin/id", wrong)
    as_user(OPERATOR, "/usr/bin/passwd root", right)
    as_user(OPERATOR, "/usr/bin/cat /etc/shadow", right)
    for _ in range(2):
        as_user(CLERK, "/bin/bash", passwords[CLERK] + "\n")


def ask(address: str, path: str, agent: str, method: str = "GET") -> None:
    """Ask nginx for ``path`` exactly as written, from ``address``."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", WEB_PORT, timeout=5, source_address=(address, 0)
    )
    connection.putrequest(method, path, skip_accept_encoding=True)
    connection.putheader("User-Agent", agent)
    connection.endheaders()
    connection.getresponse().read()
    connection.close()


def browse() -> None:
    """People reading the site, a scanner, and a client that guesses an API's password."""
    for number in range(60):
        ask(f"127.0.0.{21 + number % 7}", PAGES[number % len(PAGES)], BROWSER)
    for path in PROBES:
        ask(ATTACKER, path, "Mozilla/5.0 (compatible; Nmap Scripting Engine)")
    for path in PROBES[:8]:
        ask("127.0.0.67", path, "sqlmap/1.8 (https://sqlmap.org)")
    for _ in range(15):
        ask("127.0.0.68", "/api/token", "python-requests/2.32", "POST")


def site(folder: Path) -> None:
    """Make the pages nginx serves; its workers are not root."""
    folder.chmod(0o755)
    (folder / "site").mkdir()
    for page in PAGES[1:]:
        (folder / "site" / page.strip("/")).write_text(f"<title>{page}</title>\n")


def record(folder: Path) -> None:
    """Run everything in ``folder``; sshd.log, sudo.log and nginx_access.log lie there then."""
    passwords = {OPERATOR: secrets.token_urlsafe(12), CLERK: secrets.token_urlsafe(12)}
    site(folder)
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's chroot for the network part
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key"))
    for name, text, port in (
        ("rsyslog", RSYSLOG, 0),
        ("sshd", SSHD, SSH_PORT),
        ("nginx", NGINX, WEB_PORT),
    ):
        (folder / f"{name}.conf").write_text(text.format(folder=folder, port=port))
    rsyslog = ("rsyslogd", "-n", "-f", f"{folder}/rsyslog.conf", "-i", f"{folder}/rsyslog.pid")
    with daemon(*rsyslog):
        time.sleep(1)
        sshd = ("/usr/sbin/sshd", "-D", "-f", f"{folder}/sshd.conf")
        nginx = ("nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/nginx_start.log")
        with accounts(passwords), daemon(*sshd, port=SSH_PORT), daemon(*nginx, port=WEB_PORT):
            ssh = Ssh(folder)
            with ThreadPoolExecutor() as pool:
                work = [
                    pool.submit(office_hours, ssh, passwords),
                    pool.submit(slow_guessing, ssh),
                    pool.submit(brute_force, ssh, passwords),
                    pool.submit(use_sudo, passwords),
                    pool.submit(browse),
                    pool.submit(strangers),
                ]
                for each in work:
                    each.result()
        time.sleep(1)


def main() -> None:
    """Record into the folder named, by default this script's."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    if os.geteuid() != 0:
        sys.exit("needs root: it makes two throw-away accounts and reads /dev/log")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record(folder)
        for log in ("sshd.log", "sudo.log", "nginx_access.log"):
            shutil.copyfile(folder / log, target / log)


if __name__ == "__main__":
    main()
