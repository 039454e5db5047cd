"""A real Elasticsearch of our own: from Maven Central, on loopback, with TLS and users.

``elasticsearch`` gives a test a running node; it skips where Java, Maven or the network is
missing. The server is started once for the whole run, as nobody when we are root.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.services.certificates import write_authority

VERSION = "8.19.21"
RECIPE = Path(__file__).with_name("elasticsearch_node")
PLUGIN = "security-index-analysis"
USER = "secops"
_START_SECONDS = 240
_STOP_SECONDS = 30
_ROUNDS = 10_000


class Unavailable(Exception):
    """Something of this machine that the server needs is missing."""


@dataclass(slots=True)
class Node:
    """One server process."""

    name: str
    folder: Path
    http: int
    transport: int
    launch: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id."""
        return int((self.folder / "pid").read_text())


@dataclass(slots=True)
class ElasticsearchServer:
    """A running cluster; ``url`` and ``authority`` are what the product is told."""

    folder: Path
    nodes: list[Node]
    password: str
    authority: Path
    prefixes: int = field(default=0)

    @property
    def url(self) -> str:
        """The first node with its administrator, as a log store's URL."""
        return f"elasticsearch+https://{USER}:{self.password}@localhost:{self.nodes[0].http}"

    @property
    def urls(self) -> list[str]:
        """Every node's plain https address."""
        return [f"https://localhost:{node.http}" for node in self.nodes]

    def new_prefix(self) -> str:
        """Return index names' beginning that nobody has used."""
        self.prefixes += 1
        return f"t{self.prefixes:05d}"

    def ask(
        self, method: str, path: str, body: Any = None, *, node: int = 0, authorization: str = ""
    ) -> tuple[int, Any]:
        """Return status and JSON of one request, by the standard library alone."""
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        target = self.urls[node] + path
        request = urllib.request.Request(target, content, method=method)  # noqa: S310 - https, ours
        request.add_header("Content-Type", "application/json")
        own = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        request.add_header("Authorization", authorization or f"Basic {own}")
        trusted = ssl.create_default_context(cafile=str(self.authority))
        try:
            with urllib.request.urlopen(request, timeout=60, context=trusted) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def kill(self, node: int) -> None:
        """End a node the hard way."""
        os.kill(self.nodes[node].pid, signal.SIGKILL)

    def stop(self) -> None:
        """End all nodes and remove what they wrote."""
        for node in self.nodes:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                os.kill(node.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline and any(map(_runs, self.nodes)):
            time.sleep(0.1)
        for node in filter(_runs, self.nodes):
            os.kill(node.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def _runs(node: Node) -> bool:
    try:
        os.kill(node.pid, 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False
    return True


def installed() -> Path:
    """Return the unpacked server, fetched and completed when it is asked for first."""
    for program, package in (("javac", "openjdk-17-jdk-headless"), ("mvn", "maven")):
        if shutil.which(program) is None:
            msg = f"no {program} (Debian: {package})"
            raise Unavailable(msg)
    cache = _cache()
    home = cache / f"elasticsearch-{VERSION}"
    recipe = hashlib.sha256((RECIPE / "SecurityIndexAnalysis.java").read_bytes()).hexdigest()
    done = cache / f"ready-{recipe[:16]}"
    if done.is_file():
        return home
    shutil.rmtree(home, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        archive = _fetched(Path(scratch))
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(cache)
        for program in (home / "bin").iterdir():
            program.chmod(0o755)
        _add_plugin(home, Path(scratch))
    done.touch()
    return home


def _cache() -> Path:
    """Return a folder that the server's user can read, too: root's own home is closed to it."""
    is_root = os.geteuid() == 0
    folder = Path("/var/cache/govsecops-tests") if is_root else Path.home() / ".cache/govsecops"
    folder.mkdir(parents=True, exist_ok=True)
    if is_root:
        folder.chmod(0o755)
    return folder


def _fetched(folder: Path) -> Path:
    command = ["mvn", "-q", "-B", "-f", str(RECIPE / "pom.xml"), "dependency:copy-dependencies"]
    options = ["-DincludeTypes=zip", "-DexcludeTransitive=true", f"-DoutputDirectory={folder}"]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if ended.returncode:
        msg = f"Maven could not fetch Elasticsearch: {ended.stdout.strip()[-300:]}"
        raise Unavailable(msg)
    return folder / f"elasticsearch-{VERSION}.zip"


def _add_plugin(home: Path, scratch: Path) -> None:
    classes, plugin = scratch / "classes", home / "plugins" / PLUGIN
    source = RECIPE / "SecurityIndexAnalysis.java"
    path = f"{home}/lib/*"
    subprocess.run(
        ["javac", "-proc:none", "-nowarn", "-cp", path, "-d", str(classes), str(source)],
        check=True,
        capture_output=True,
    )
    plugin.mkdir(parents=True)
    with zipfile.ZipFile(plugin / f"{PLUGIN}.jar", "w") as jar:
        for file in sorted(classes.rglob("*.class")):
            jar.write(file, file.relative_to(classes))
    described = {
        "name": PLUGIN,
        "description": "analysis parts of the security index, for tests",
        "version": "1",
        "classname": "govsecops.tests.SecurityIndexAnalysis",
        "elasticsearch.version": VERSION,
        "java.version": "17",
    }
    lines = "".join(f"{key}={value}\n" for key, value in described.items())
    (plugin / "plugin-descriptor.properties").write_text(lines)


def start_cluster(count: int = 1, heap: str = "512m") -> ElasticsearchServer:
    """Return a cluster of ``count`` nodes that answers; raises ``Unavailable``."""
    home = installed()
    folder = Path(tempfile.mkdtemp(prefix="es"))
    folder.chmod(0o755)
    authority = write_authority(folder / "tls", ["localhost"])
    ports = _free_ports(2 * count)
    nodes = [
        Node(f"node{n}", folder / f"node{n}", ports[2 * n], ports[2 * n + 1]) for n in range(count)
    ]
    server = ElasticsearchServer(folder, nodes, secrets.token_hex(16), authority)
    try:
        for node in nodes:
            _configure(home, server, node, heap)
            _launch(home, node)
        for node in nodes:
            _await(node)
        _await_cluster(server)
    except BaseException:
        server.stop()
        raise
    return server


def _configure(home: Path, server: ElasticsearchServer, node: Node, heap: str) -> None:
    config = node.folder / "config"
    for name in ("config/jvm.options.d", "data", "logs", "tmp"):
        (node.folder / name).mkdir(parents=True)
    for name in ("log4j2.properties", "roles.yml", "role_mapping.yml"):
        shutil.copy(home / "config" / name, config)
    for name in ("authority.pem", "node.pem", "node.key"):
        shutil.copy(server.folder / "tls" / name, config)
    options = [f"-Xms{heap}", f"-Xmx{heap}", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=1"]
    (config / "jvm.options").write_text("\n".join([*options, "-Djava.io.tmpdir=${ES_TMPDIR}\n"]))
    salt, rounds = secrets.token_bytes(32), _ROUNDS
    proof = hashlib.pbkdf2_hmac("sha512", server.password.encode(), salt, rounds, 32)
    texts = [base64.b64encode(part).decode() for part in (salt, proof)]
    (config / "users").write_text(f"{USER}:{{PBKDF2}}{rounds}${texts[0]}${texts[1]}\n")
    (config / "users_roles").write_text(f"superuser:{USER}\n")
    lines = (f"{key}: {json.dumps(value)}\n" for key, value in _settings(server, node).items())
    (config / "elasticsearch.yml").write_text("".join(lines))


def _settings(server: ElasticsearchServer, node: Node) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "cluster.name": "govsecops-tests",
        "node.name": node.name,
        "path.data": str(node.folder / "data"),
        "path.logs": str(node.folder / "logs"),
        "network.host": "127.0.0.1",
        "http.port": node.http,
        "transport.port": node.transport,
        "node.store.allow_mmap": False,
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "action.destructive_requires_name": True,
        "xpack.security.enabled": True,
        "xpack.security.autoconfiguration.enabled": False,
    }
    for layer in ("http", "transport"):
        settings |= {
            f"xpack.security.{layer}.ssl.enabled": True,
            f"xpack.security.{layer}.ssl.certificate": "node.pem",
            f"xpack.security.{layer}.ssl.key": "node.key",
            f"xpack.security.{layer}.ssl.certificate_authorities": ["authority.pem"],
        }
    settings["xpack.security.transport.ssl.verification_mode"] = "certificate"
    if len(server.nodes) == 1:
        return settings | {"discovery.type": "single-node"}
    return settings | {
        "discovery.seed_hosts": [f"127.0.0.1:{each.transport}" for each in server.nodes],
        "cluster.initial_master_nodes": [each.name for each in server.nodes],
    }


def _launch(home: Path, node: Node) -> None:
    java = Path(shutil.which("java") or "/usr/bin/java").resolve().parents[1]
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(node.folder),
        "ES_JAVA_HOME": str(java),
        "ES_PATH_CONF": str(node.folder / "config"),
        "ES_TMPDIR": str(node.folder / "tmp"),
        "CLI_JAVA_OPTS": "-Xmx64m -XX:TieredStopAtLevel=1",
    }
    command = [str(home / "bin" / "elasticsearch"), "-d", "-p", str(node.folder / "pid")]
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:  # Elasticsearch refuses root
        nobody = pwd.getpwnam("nobody")
        owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for path in (node.folder, *node.folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    with (node.folder / "start.log").open("wb") as log:
        node.launch = subprocess.Popen(
            command,
            env=environment,
            cwd=node.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **owner,
        )


def _await(node: Node) -> None:
    """Wait until the launcher has gone: the node is ready then."""
    if node.launch is None or node.launch.wait(_START_SECONDS):
        said = (node.folder / "start.log").read_text(errors="replace")[-2_000:]
        msg = f"{node.name} did not start:\n{said}"
        raise RuntimeError(msg)


def _await_cluster(server: ElasticsearchServer) -> None:
    count = len(server.nodes)
    path = f"/_cluster/health?wait_for_nodes={count}&wait_for_status=yellow&timeout=60s"
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if server.ask("GET", path)[0] == 200:
                return
        time.sleep(0.5)
    msg = "the nodes do not find one another"
    raise RuntimeError(msg)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[ElasticsearchServer]:
    """One node for the whole run."""
    try:
        server = start_cluster()
    except Unavailable as missing:
        pytest.skip(str(missing))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def elasticsearch_cluster() -> Iterator[ElasticsearchServer]:
    """Three nodes, for the test that kills one."""
    try:
        server = start_cluster(3)
    except Unavailable as missing:
        pytest.skip(str(missing))
    yield server
    server.stop()
