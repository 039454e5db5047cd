"""A PostgreSQL of our own: in a temporary folder, on a Unix socket, never as root.

``postgresql_url`` gives a test a database of its own; it skips where there is no server.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from secops.adapters.database.engine import make_engine
from secops.migrations import upgrade

_FALLBACK_USERS = ("postgres", "nobody")


@dataclass(slots=True)
class PostgresqlServer:
    """A running server; ``new_database`` returns the URL of an empty database."""

    folder: Path
    user: str | None
    binaries: Path
    made: list[str] = field(default_factory=list)
    template: str | None = None

    def new_database(self, template: str = "template1") -> str:
        """Return the URL of a new database, a copy of ``template``."""
        name = f"t{len(self.made):05d}"
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[call-overload]
        self.made.append(name)
        return f"postgresql://secops@/{name}?host={self.folder}"

    def migrated_template(self) -> str:
        """Return the name of a migrated database; migrating for each test takes too long."""
        if self.template is None:
            engine = make_engine(self.new_database())
            upgrade(engine)
            engine.dispose()
            self.template = self.made[-1]
        return self.template

    def drop(self, url: str) -> None:
        name = url.partition("@/")[2].partition("?")[0]
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]

    def run(self, *command: str) -> None:
        """Run one of PostgreSQL's programs as the server's user."""
        subprocess.run(
            [str(self.binaries / command[0]), *command[1:]],
            user=self.user,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )

    def start(self) -> None:
        data = str(self.folder / "data")
        self.run("initdb", "-D", data, "-U", "secops", "-A", "trust", "-E", "UTF8", "--no-sync")
        # contracts are about answers; durability has fault tests of its own
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", data, "-w", "-t", "30", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def _conninfo(self, database: str) -> str:
        return f"host={self.folder} user=secops dbname={database}"


def binaries() -> Path | None:
    """Return where PostgreSQL's server programs lie: Debian keeps them off PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def unprivileged_user() -> str | None:
    """Return who the server runs as: it refuses root. None is ourselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _FALLBACK_USERS if name in names), None)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A server for the whole run."""
    where = binaries()
    if where is None:
        pytest.skip("no PostgreSQL server programs (Debian: postgresql)")
    user = unprivileged_user()
    if os.geteuid() == 0 and user is None:
        pytest.skip("PostgreSQL refuses root, and there is no other user")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    server = PostgresqlServer(folder, user, where)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The URL of a migrated, empty database of the test's own."""
    url = postgresql_server.new_database(postgresql_server.migrated_template())
    yield url
    postgresql_server.drop(url)
