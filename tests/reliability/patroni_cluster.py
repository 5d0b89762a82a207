"""Three PostgreSQL nodes under Patroni with synchronous replication, and etcd, all on loopback; each may be killed.

`make var/patroni/.installed` brings Patroni (from the Python index, outside the requirements of this project) and etcd
(Debian's). A node's account must be able to start the interpreter, so as root the system's Python runs Patroni.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from tests.support.accounts import Account, server_account, temporary_directory
from tests.support.ports import free_port
from tests.support.postgres_programs import find_programs

INSTALLED = Path(__file__).parents[2] / "var" / "patroni"
TTL = 20
"""Seconds for which a leader may be silent before another takes over; the least that Patroni takes."""
_DEADLINE = 180.0
_LOOK = 0.25


@dataclass
class Node:
    """One node: Patroni and the PostgreSQL it looks after."""

    name: str
    home: Path
    account: Account
    port: int = field(default_factory=free_port)
    rest: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, environment: dict[str, str]) -> None:
        """Start it, or start it again."""
        python = "/usr/bin/python3" if self.account.user is not None else sys.executable
        with (self.home / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [python, "-m", "patroni", str(self.home / f"{self.name}.yml")],
                user=self.account.user, group=self.account.group, cwd=self.home, env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self) -> None:
        """End Patroni and PostgreSQL at once, as a machine that loses its power does."""
        family = self._family()
        for one in family:
            _quietly(one.kill)
        psutil.wait_procs(family, timeout=30)
        if self.process is not None:
            self.process.wait(30)
            self.process = None

    def _family(self) -> list[psutil.Process]:
        roots: list[int] = [self.process.pid] if self.process is not None else []
        noted = self.home / self.name / "postmaster.pid"
        if noted.exists():
            roots.append(int(noted.read_text("ascii").split()[0]))
        found: list[psutil.Process] = []
        for pid in roots:
            try:
                root = psutil.Process(pid)
                found += [root, *root.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found


@dataclass
class Cluster:
    """The three nodes and the etcd that they agree by."""

    nodes: list[Node]
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """Give a URL that names all nodes."""
        return f"postgresql://postgres@{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}/postgres"

    def leader(self) -> Node:
        """Give the node that leads; waits for one, and for a synchronous standby that could take over."""
        until = time.monotonic() + _DEADLINE
        while time.monotonic() < until:
            members = self._members()
            roles = {member["role"]: member["name"] for member in members}
            well = [member for member in members if member["state"] in {"running", "streaming"}]
            if {"leader", "sync_standby"} <= roles.keys() and len(well) == len(self.nodes):
                return next(node for node in self.nodes if node.name == roles["leader"])
            time.sleep(_LOOK)
        logs = "\n".join((node.home / f"{node.name}.log").read_text("utf-8", "replace")[-2000:] for node in self.nodes)
        raise RuntimeError(f"the cluster does not come to rest: {self._members()}\n{logs}")

    def _members(self) -> list[dict[str, Any]]:
        for node in self.nodes:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{node.rest}/cluster", timeout=2) as answer:
                    members: list[dict[str, Any]] = json.load(answer)["members"]
                    return members
            except (urllib.error.URLError, OSError, ValueError):
                continue
        return []


@contextmanager
def patroni_cluster() -> Iterator[Cluster]:
    """Run a cluster until the block ends."""
    account = server_account()
    home = temporary_directory("consent-patroni-", account)
    programs = find_programs(home, account)
    etcd, client = _start_etcd(home, account)
    # Patroni's log and configuration stand beside the data; all of it goes at the end.
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(INSTALLED / "lib"), "HOME": str(home)}
    cluster = Cluster([Node(f"node{number}", home, account) for number in range(3)], environment)
    try:
        for node in cluster.nodes:
            path = home / f"{node.name}.yml"
            path.write_text(yaml.safe_dump(_configuration(node, programs, client)), "utf-8")
            account.take(path)
            node.start(environment)
        yield cluster
    finally:
        for node in cluster.nodes:
            node.kill()
        etcd.kill()
        etcd.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def _start_etcd(home: Path, account: Account) -> tuple["subprocess.Popen[bytes]", int]:
    client, peer = free_port(), free_port()
    mine = f"http://127.0.0.1:{peer}"
    program = shutil.which("etcd") or str(INSTALLED / "etcd" / "usr" / "bin" / "etcd")
    with (home / "etcd.log").open("ab") as log:
        process = subprocess.Popen(
            [
                program, "--data-dir", str(home / "etcd"),
                "--listen-client-urls", f"http://127.0.0.1:{client}",
                "--advertise-client-urls", f"http://127.0.0.1:{client}",
                "--listen-peer-urls", mine, "--initial-advertise-peer-urls", mine,
                "--initial-cluster", f"default={mine}",
            ],
            user=account.user, group=account.group, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    return process, client


def _configuration(node: Node, programs: Path, etcd: int) -> dict[str, Any]:
    return {
        "scope": "consent",
        "name": node.name,
        "restapi": {"listen": f"127.0.0.1:{node.rest}", "connect_address": f"127.0.0.1:{node.rest}"},
        "etcd3": {"host": f"127.0.0.1:{etcd}"},
        "bootstrap": {
            "dcs": {
                "ttl": TTL,
                "loop_wait": 2,
                "retry_timeout": 5,
                "synchronous_mode": True,
                "postgresql": {"use_pg_rewind": True},
            },
            "initdb": [{"encoding": "UTF8"}, "no-locale", "data-checksums"],
        },
        "postgresql": {
            "listen": f"127.0.0.1:{node.port}",
            "connect_address": f"127.0.0.1:{node.port}",
            "data_dir": str(node.home / node.name),
            "bin_dir": str(programs),
            "pgpass": str(node.home / f"{node.name}.pgpass"),
            "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "replicator"}},
            "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            "parameters": {"unix_socket_directories": "", "timezone": "UTC"},
        },
    }


def _quietly(act: Any) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return
