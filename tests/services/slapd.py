"""OpenLDAP's server in a temporary folder, on loopback, without root's rights: a foreign judge.

Nothing of the package's own service is used: configuration, database and certificate are made
here, and the process is ended with the test.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from secops.cli.bench.served import free_port
from tests.services.certificates import write_authority

SLAPD = Path("/usr/sbin/slapd")
SUFFIX = "dc=county"
ROOT = f"cn=root,{SUFFIX}"
ROOT_PASSWORD = "root of the directory"
_START_SECONDS = 30.0
_SCHEMA = "/etc/ldap/schema"
_CONFIGURATION = """
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl'
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.11.1 NAME 'countyPerson' SUP inetOrgPerson STRUCTURAL
  MAY userAccountControl )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
allow bind_anon_cred
{tls}
database mdb
maxsize 10485760
suffix "{suffix}"
rootdn "{root}"
rootpw {password}
directory {folder}/data
overlay ppolicy
ppolicy_default "cn=policy,{suffix}"
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,{suffix}" read by * none
"""
_TLS = """TLSCACertificateFile {folder}/tls/authority.pem
TLSCertificateFile {folder}/tls/node.pem
TLSCertificateKeyFile {folder}/tls/node.key
"""


@dataclass
class Slapd:
    """A running server; ``entries`` are LDIF below ``SUFFIX``."""

    folder: Path
    entries: str
    tls: bool = True
    port: int = 0
    tls_port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def authority(self) -> Path:
        return self.folder / "tls" / "authority.pem"

    def start(self) -> None:
        """Make the database and serve it."""
        write_authority(self.folder / "tls", ["localhost"])
        (self.folder / "data").mkdir()
        made = _CONFIGURATION.format(
            schema=_SCHEMA,
            folder=self.folder,
            tls=_TLS.format(folder=self.folder) if self.tls else "",
            suffix=SUFFIX,
            root=ROOT,
            password=f'"{ROOT_PASSWORD}"',
        )
        (self.folder / "slapd.conf").write_text(made)
        (self.folder / "entries.ldif").write_text(self.entries)
        self._give_away()
        self._run("slapadd", "-f", "slapd.conf", "-l", "entries.ldif")
        self.port, self.tls_port = free_port(), free_port()
        places = f"ldap://127.0.0.1:{self.port}"
        if self.tls:
            places += f" ldaps://127.0.0.1:{self.tls_port}"
        self.process = subprocess.Popen(
            [str(SLAPD), "-f", "slapd.conf", "-h", places, "-d", "0"],
            cwd=self.folder,
            user=self._user(),
            stderr=subprocess.DEVNULL,
        )
        self._wait()

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(_START_SECONDS)

    def change(self, ldif: str) -> None:
        """Change entries as the directory's own administrator, by OpenLDAP's client."""
        subprocess.run(
            [
                *(shutil.which("ldapmodify") or "ldapmodify", "-x", "-e", "relax"),
                *("-H", f"ldap://127.0.0.1:{self.port}", "-D", ROOT, "-w", ROOT_PASSWORD),
            ],
            input=ldif.encode(),
            check=True,
            capture_output=True,
        )

    @staticmethod
    def _user() -> str | None:
        """Who runs it, where we are root: nobody may say that it only works with root's rights."""
        return "nobody" if os.geteuid() == 0 else None

    def _give_away(self) -> None:
        user = self._user()
        if user is None:
            return
        owner = pwd.getpwnam(user)
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _run(self, name: str, *arguments: str) -> None:
        program = str(SLAPD.with_name(name))
        subprocess.run(
            [program, *arguments],
            cwd=self.folder,
            user=self._user(),
            check=True,
            capture_output=True,
        )

    def _wait(self) -> None:
        until = time.monotonic() + _START_SECONDS
        for port in (self.port, *([self.tls_port] if self.tls else [])):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if time.monotonic() > until or self.process is None or self.process.poll():
                        raise
                    time.sleep(0.02)
