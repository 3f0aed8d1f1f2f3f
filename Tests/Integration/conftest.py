"""The harness: where the built programs are, and private stacks of `cloister dev` to test against.

CLOISTER_BIN names the folder of `cloister` (default: .build/release, else .build/debug). Each stack lives in a folder of its
own under /tmp and is stopped and deleted at the end; with CLOISTER_KEEP=1 it stays.
"""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import psycopg
import pytest
from cloister_testlib import clinic as clinic_tables

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "demo"))


def binaries():
    if "CLOISTER_BIN" in os.environ:
        return pathlib.Path(os.environ["CLOISTER_BIN"])
    for build in ("release", "debug"):
        if (ROOT / ".build" / build / "cloister").exists():
            return ROOT / ".build" / build
    raise RuntimeError("cloister is not built: run 'make build'")


def run_cloister(*arguments, check=True, timeout=120, **more):
    ran = subprocess.run(
        [binaries() / "cloister", *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False, **more
    )
    if check and ran.returncode:
        raise AssertionError(f"cloister {' '.join(map(str, arguments))}: exit {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran


@pytest.fixture(scope="session")
def cloister():
    """Runs the command `cloister`."""
    return run_cloister


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """A running `cloister dev` stack."""

    def __init__(self, folder, port):
        self.dir = pathlib.Path(folder)
        self.proxy_port = port
        self.environment = {}

    def up(self, config=None, check=True):
        arguments = ["dev", "up", "--dir", self.dir, "--port", self.proxy_port]
        ran = run_cloister(*arguments, *(["--config", config] if config else []), check=check)
        if ran.returncode == 0:
            self.environment = dict(re.findall(r"^export (\w+)='(.*)'$", (self.dir / "env").read_text(), re.MULTILINE))
        return ran

    def down(self, *arguments, check=True):
        return run_cloister("dev", "down", "--dir", self.dir, *arguments, check=check)

    @property
    def direct_port(self):
        return int(self.environment["CLOISTER_DIRECT_PORT"])

    def log(self, service):
        return (self.dir / "log" / f"{service}.log").read_text(errors="replace")

    def _connect(self, port, role, secret, **more):
        values = self.environment
        return psycopg.connect(
            **{"host": values["PGHOST"], "port": port, "user": role, "password": secret, "dbname": values["PGDATABASE"],
               "autocommit": True, "connect_timeout": 20, **more}
        )

    def proxy(self, port=None, **more):
        """A psycopg connection through the proxy (or another one that listens on `port`), as the application's user."""
        return self._connect(port or self.proxy_port, self.environment["PGUSER"], self.environment["PGPASSWORD"], **more)

    def direct(self, **more):
        """The same user past the proxy."""
        return self._connect(self.direct_port, self.environment["PGUSER"], self.environment["PGPASSWORD"], **more)

    def superuser(self, **more):
        values = self.environment
        return self._connect(self.direct_port, values["CLOISTER_SUPERUSER"], values["CLOISTER_SUPERUSER_PASSWORD"], **more)

    def psql(self, *arguments, direct=False, check=True, **more):
        """psql through the proxy (or past it): -X -A -t -q, stops at the first error."""
        values = {**os.environ, **self.environment}
        if direct:
            values["PGPORT"] = values["CLOISTER_DIRECT_PORT"]
        ran = subprocess.run(
            ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", *map(str, arguments)], env=values, capture_output=True,
            text=True, timeout=300, check=False, **more,
        )
        if check and ran.returncode:
            raise AssertionError(f"psql {arguments}: exit {ran.returncode}\n{ran.stdout}{ran.stderr}")
        return ran


_numbers = itertools.count(1)


@contextlib.contextmanager
def running_stack(config):
    """A stack with a configuration: a path, or the YAML itself."""
    # Not pytest's tmp_path: its parents may be closed to PostgreSQL's user, and its paths are too long for sockets.
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"cloister-test-{next(_numbers)}-", dir="/tmp"))
    folder.chmod(0o755)
    if not isinstance(config, pathlib.Path):
        text, config = config, folder / "columns.yaml"
        config.write_text(text)
    stack = Stack(folder / "stack", free_port())
    try:
        stack.up(config)
        yield stack
    finally:
        if os.environ.get("CLOISTER_KEEP") != "1":
            stack.down("--purge", check=False)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def make_stack():
    """A context manager: `with make_stack("columns: …") as stack`."""
    return running_stack


@pytest.fixture(scope="session")
def lahman_data():
    """The folder of the demo's CSV files."""
    folder = ROOT / ".cloister" / "demo-data"
    if not (folder / "batting.csv").exists():
        subprocess.run([sys.executable, ROOT / "demo" / "prepare.py", folder], check=True)
    return folder


def load_lahman(stack, data, direct=False):
    """The demo's tables, through the proxy into public, or as plaintext past it into schema `plain`."""
    setup = ["-c", "CREATE SCHEMA plain; "] if direct else []
    path = ["-c", "SET search_path = plain"] if direct else []
    stack.psql(
        *setup, *path, "-f", ROOT / "demo/schema.sql", "-f", ROOT / "demo/load.sql", "-f", ROOT / "demo/indexes.sql", direct=direct, cwd=data
    )


@pytest.fixture(scope="session")
def lahman(make_stack, lahman_data):
    """A stack with the demo's tables: encrypted in `public` (loaded through the proxy), and the plaintext twin in `plain`."""
    with make_stack(ROOT / "demo" / "columns.yaml") as stack:
        load_lahman(stack, lahman_data)
        load_lahman(stack, lahman_data, direct=True)
        yield stack


# One table a client, so that they do not see each other's rows.
CLIENT_TABLES = [
    "patients_psql", "patients_pgbench", "patients_dump", "patients_psycopg2", "patients_psycopg3", "patients_asyncpg",
    "patients_pg8000", "patients_sqlalchemy", "patients_django", "patients_jdbc", "patients_node", "patients_go", "patients_odbc",
    "patients_catalog", "patients_pgadmin",
]


@pytest.fixture(scope="session")
def clinic(make_stack):
    """A stack for all client tests: a marked table for each of them, and schema `plain` for the twins."""
    with make_stack(clinic_tables.config(*CLIENT_TABLES)) as stack:
        with stack.superuser() as connection:
            connection.execute(f"CREATE SCHEMA plain AUTHORIZATION {stack.environment['PGUSER']}")
        yield stack


@pytest.fixture(scope="session")
def differential_stack():
    """Encrypted tables in `public`, their plaintext twins in `plain` (cloister_testlib/differential.py)."""
    from cloister_testlib import differential

    with running_stack(differential.CONFIG) as stack:
        differential.make_twins(stack)
        yield stack


@pytest.fixture(params=["index", "sequential"])
def paths(request):
    off = {"index": ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_sort"),
           "sequential": ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan", "enable_mergejoin")}[request.param]
    return "; ".join(f"SET {setting} = off" for setting in off)


@pytest.fixture
def binary(paths):
    """Results in binary with index paths, as text with sequential ones: each statement runs on both and in both."""
    return "enable_seqscan" in paths


@pytest.fixture
def sides(differential_stack, paths):
    """A session through the proxy, and one past it on the twins; with index paths forced, and with sequential ones."""
    with differential_stack.proxy() as client, differential_stack.direct() as twin:
        twin.execute("SET search_path = plain")
        for side in (client, twin):
            side.execute(paths)
            side.execute("SET statement_timeout = '20s'")
        yield client, twin
