"""What the tests of ValueCodec share: a private PostgreSQL 15, the executable value-probe, and comparisons of their answers."""

import os
import pathlib
import pwd
import random
import re
import shutil
import socket
import struct
import subprocess
import tempfile

import psycopg
import pytest

BIN = "/usr/lib/postgresql/15/bin"
ROOT = pathlib.Path(__file__).resolve().parents[3]
TYPES = {
    "boolean": ("boolean", "boolsend"), "int2": ("int2", "int2send"), "int4": ("int4", "int4send"), "int8": ("int8", "int8send"),
    "float8": ("float8", "float8send"), "numeric": ("numeric", "numeric_send"), "text": ("text", "textsend"),
    "varchar": ("varchar", "varcharsend"), "bytea": ("bytea", "byteasend"), "uuid": ("uuid", "uuid_send"),
    "date": ("date", "date_send"), "timestamp": ("timestamp", "timestamp_send"),
    "timestamptz": ("timestamptz", "timestamptz_send"), "float4": ("float4", "float4send"), "bpchar": ("bpchar", "bpcharsend"),
    "time": ("time", "time_send"), "timetz": ("timetz", "timetz_send"), "interval": ("interval", "interval_send"),
    "inet": ("inet", "inet_send"), "json": ("json", "json_send"), "jsonb": ("jsonb", "jsonb_send"),
}
OIDS = {
    "boolean": 16, "int2": 21, "int4": 23, "int8": 20, "float8": 701, "numeric": 1700, "text": 25, "varchar": 1043, "bytea": 17,
    "uuid": 2950, "date": 1082, "timestamp": 1114, "timestamptz": 1184, "float4": 700, "bpchar": 1042, "time": 1083, "timetz": 1266,
    "interval": 1186, "inet": 869, "json": 114, "jsonb": 3802,
}
SCALE = int(os.environ.get("CLOISTER_VALUE_SCALE", "1"))


def free_port():
    for port in range(21310, 21400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port")


@pytest.fixture(scope="module")
def server():
    """A private cluster, run as user postgres if we are root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="values-", dir="/tmp"))
    prefix = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        prefix = ["setpriv", "--reuid", "postgres", "--regid", str(pwd.getpwnam("postgres").pw_gid), "--clear-groups"]
    port = free_port()
    run = lambda *command: subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd="/tmp")
    run(f"{BIN}/initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses='' -c fsync=off -c max_wal_size=256MB"
    run(f"{BIN}/pg_ctl", "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"host={folder} port={port} user=postgres dbname=postgres"
    finally:
        run(f"{BIN}/pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture()
def db(server):
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SET client_encoding TO 'UTF8'")
        connection.execute("""
            CREATE OR REPLACE FUNCTION ask(query text, a bytea) RETURNS text LANGUAGE plpgsql AS $$
            DECLARE answer bytea;
            BEGIN
                EXECUTE query INTO answer USING a;
                RETURN 'ok ' || coalesce(nullif(encode(answer, 'hex'), ''), '-');
            EXCEPTION WHEN OTHERS THEN RETURN 'err ' || sqlstate;
            END $$""")
        yield connection


class Probe:
    def __init__(self):
        binary = pathlib.Path(os.environ.get("CLOISTER_VALUE_PROBE", ROOT / ".build/debug/value-probe"))
        if not binary.exists():
            pytest.fail(f"{binary} is not built (swift build)")
        self.binary = str(binary)
        self.settings = []

    def set(self, name, value):
        self.settings.append(f"set {name} {value.encode().hex()}")

    def ask(self, requests):
        text = "\n".join(self.settings + requests) + "\n"
        done = subprocess.run([self.binary], input=text.encode(), stdout=subprocess.PIPE, check=True)
        answers = done.stdout.decode().splitlines()
        assert len(answers) == len(self.settings) + len(requests), "the probe stopped early"
        for line, answer in zip(self.settings, answers):
            assert answer.startswith("ok"), line
        return answers[len(self.settings):]


@pytest.fixture()
def probe():
    return Probe()


def h(data):
    return data.hex() or "-"


def configure(db, probe, settings):
    for name, value in settings.items():
        db.execute(f"SELECT set_config(%s, %s, false)", (name, value))
        reported = db.info.parameter_status(name)
        probe.set(name, reported if reported is not None else value)


def server_answers(db, query, values):
    rows = db.execute("SELECT ask(%s, v) FROM unnest(%s::bytea[]) WITH ORDINALITY AS t(v, n) ORDER BY n", (query, values)).fetchall()
    return [row[0] for row in rows]


def compare(asked, expected, got, refusals=lambda value, server: False):
    """Equal answers; a refusal (0A000) counts as right only where `refusals` allows it."""
    wrong = []
    refused = 0
    for value, server, codec in zip(asked, expected, got):
        if server == codec:
            continue
        if codec == "err 0A000" and refusals(value, server):
            refused += 1
            continue
        # PostgreSQL's arithmetic overflows for a day of the year in a year beyond its calendar, and gives some other date.
        if codec == "err 22008" and isinstance(value, bytes) and re.match(rb"(?:[0-9]{8,}\.|[0-9]+\..*BC)", value, re.I | re.S):
            continue
        wrong.append((value, server, codec))
    assert not wrong, f"{len(wrong)} of {len(asked)} differ, such as {wrong[:12]}"
    return refused


def check_input(db, probe, kind, texts, **rules):
    texts = [t.encode() if isinstance(t, str) else t for t in texts]
    name, send = TYPES[kind]
    expected = server_answers(db, f"SELECT {send}(convert_from($1, 'UTF8')::{name})", texts)
    compare(texts, expected, probe.ask([f"in {kind} {h(t)}" for t in texts]), **rules)
    return [bytes.fromhex(e[3:].replace("-", "")) for e in expected if e.startswith("ok")]


def check_output(db, probe, kind, values):
    """Binary parameters in, the server's text out."""
    values = list(dict.fromkeys(values))
    expected = []
    for start in range(0, len(values), 500):
        part = values[start:start + 500]
        query = "SELECT " + ", ".join(f"${n + 1}::{TYPES[kind][0]}" for n in range(len(part)))
        result = db.pgconn.exec_params(query.encode(), part, [OIDS[kind]] * len(part), [1] * len(part), 0)
        assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, result.error_message
        expected += ["ok " + h(result.get_value(0, n)) for n in range(len(part))]
    compare(values, expected, probe.ask([f"out {kind} {h(v)}" for v in values]))


def mutate(rng, text):
    """A text near a valid one."""
    alphabet = "0123456789 -+.:/,eE\tTZxnNaifyzBC()_\\{}"
    text = list(text)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        action = rng.random()
        if action < 0.4 and text:
            text[at % len(text)] = rng.choice(alphabet)
        elif action < 0.7:
            text.insert(at, rng.choice(alphabet))
        elif text:
            del text[at % len(text)]
    return "".join(text)


def with_mutants(rng, texts, share=1.0):
    return texts + [mutate(rng, rng.choice(texts)) for _ in range(int(len(texts) * share))]


def check_binary(db, probe, kind, values):
    expected = []
    for value in values:
        result = db.pgconn.exec_params(b"SELECT $1", [value], [OIDS[kind]], [1], 1)
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        expected.append("err " + state.decode() if state else "ok " + h(result.get_value(0, 0)))
    compare(values, expected, probe.ask([f"recv {kind} {h(v)}" for v in values]))
