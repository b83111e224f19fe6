"""A real Galera cluster of three nodes on this machine, that tests may kill."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from farm.simulator.owndatabase import hinders
from tests.databases import MariaDB
from tests.ports import free_port

LIBRARY = Path("/usr/lib/galera/libgalera_smm.so")

PROVIDER = "evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;evs.keepalive_period=PT0.5S;gcache.size=64M"
"""How soon a silent node is given up; docs/how-to/many-processes.md has the same."""


class Node(MariaDB):
    """One node. `first`: it makes the cluster, instead of joining it."""

    def __init__(self, folder: Path, cluster: dict[str, int], name: str) -> None:
        self.name = name
        self._cluster = cluster
        self._state = free_port()
        self._first = name == next(iter(cluster))
        super().__init__(folder)
        self._first = False

    def options(self) -> list[str]:
        """Return what makes a server a node."""
        others = [f"127.0.0.1:{port}" for name, port in self._cluster.items() if name != self.name]
        address = "" if self._first else ",".join(others)
        own = self._cluster[self.name]
        return [
            "--wsrep-on=ON",
            f"--wsrep-provider={LIBRARY}",
            f"--wsrep-cluster-address=gcomm://{address}",
            "--wsrep-cluster-name=distren",
            f"--wsrep-node-name={self.name}",
            "--wsrep-node-address=127.0.0.1",
            f"--wsrep-sst-receive-address=127.0.0.1:{self._state}",
            "--wsrep-sst-method=rsync",
            f"--wsrep-provider-options=base_port={own};gmcast.listen_addr=tcp://127.0.0.1:{own};"
            f"ist.recv_addr=127.0.0.1:{free_port()};{PROVIDER}",
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
            "--innodb-flush-log-at-trx-commit=1",
        ]

    def counted(self, url: str, table: str) -> int:
        """Return how many rows this node has in a table of a database."""
        name = url.rpartition("/")[2].partition("?")[0]
        with self.connect() as conn, conn.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {name}.{table}")
            (count,) = cursor.fetchone() or (0,)
            return int(count)

    def connections(self, url: str) -> int:
        """Return how many connections to a database this node has."""
        name = url.rpartition("/")[2].partition("?")[0]
        with self.connect() as conn, conn.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s", (name,))
            return int(cursor.fetchone()[0])


class Cluster:
    """Three nodes."""

    def __init__(self, folder: Path) -> None:
        ports = {name: free_port() for name in ("n1", "n2", "n3")}
        self.nodes: list[Node] = []
        try:
            for name in ports:
                self.nodes.append(Node(folder / name, ports, name))
        except BaseException:  # those that run must not stay
            self.stop()
            raise

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of an empty database, with all nodes in it."""
        name = f"farm_{secrets.token_hex(6)}"
        self.nodes[0].run(f"CREATE DATABASE {name}")
        hosts = "&".join(f"host=127.0.0.1:{node.port}" for node in self.nodes)
        yield f"mysql+pymysql://root@/{name}?{hosts}"

    def stop(self) -> None:
        """End all."""
        for node in reversed(self.nodes):
            node.stop()


@contextmanager
def galera_cluster() -> Iterator[Cluster]:
    """Run a cluster while the block runs."""
    if hinders() or not LIBRARY.exists():
        pytest.skip("Galera is not installed: apt-get install mariadb-server galera-4")
    folder = Path(tempfile.mkdtemp(prefix="distren-galera-"))
    folder.chmod(0o755)
    cluster = None
    try:
        cluster = Cluster(folder)
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
