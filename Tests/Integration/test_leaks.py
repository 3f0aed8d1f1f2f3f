"""No value of a marked column reaches the server's side: not its files, WAL, log, statistics, activity view, nor the wire.

Fifty known values, half of them real names, half random ones whose binary forms are unmistakable, are loaded, queried, and
made to cause errors. Then everything on the server's side is searched for their text and binary forms. A control shows that
the search would find them: on the client's side of the proxy all of them are there.
"""

import contextlib
import csv
import os
import pathlib
import random
import shutil
import struct
import subprocess
import threading
import time
import uuid

import psycopg
import pytest

CONFIG = """
columns:
  public.people:
    player_id:  { type: text, encryption: deterministic, key: ids }
    name_first: { type: text, encryption: randomized, key: people }
    name_last:  { type: text, encryption: randomized, key: people }
    name_given: { type: text, encryption: randomized, key: people }
    birth_date: { type: date, encryption: randomized, key: people }
    death_date: { type: date, encryption: randomized, key: people }
    weight:     { type: int4, encryption: randomized, key: people }
  public.probe:
    a_text:  { type: text, encryption: randomized, key: probe }
    a_code:  { type: varchar, encryption: deterministic, key: probe_det }
    a_int8:  { type: int8, encryption: randomized, key: probe }
    a_float: { type: float8, encryption: randomized, key: probe }
    a_uuid:  { type: uuid, encryption: deterministic, key: probe_det }
    a_bytea: { type: bytea, encryption: randomized, key: probe }
    a_num:   { type: numeric, encryption: randomized, key: probe }
    a_time:  { type: timestamp, encryption: randomized, key: probe }
"""
SCHEMA = """
CREATE TABLE people (id int4 PRIMARY KEY, player_id text NOT NULL UNIQUE, name_first text, name_last text NOT NULL,
    name_given text, birth_date date, birth_country text, death_date date, weight int4, height int4, bats text, debut date);
CREATE TABLE probe (id int4 PRIMARY KEY, a_text text, a_code varchar UNIQUE, a_int8 int8, a_float float8, a_uuid uuid, a_bytea bytea,
    a_num numeric, a_time timestamp);
CREATE INDEX ON people (name_last);
CREATE INDEX ON people (birth_date);
CREATE INDEX ON probe (a_text);
CREATE INDEX ON probe (a_int8);
"""
NAMES = 30
PROBES = 4

needs_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("tcpdump"), reason="a capture needs root and tcpdump")


class Known:
    """The values and their forms."""

    def __init__(self, people):
        source = random.Random(20210207)
        with open(people, encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        unmarked = " ".join(f"{row['birth_country']} {row['bats']}" for row in rows)
        # Long enough that no accident of ciphertext's hexadecimal digits or of the server's own words looks like one.
        long = sorted({row["name_last"] for row in rows if len(row["name_last"]) >= 9 and row["name_last"] not in unmarked})
        self.names = source.sample(long, NAMES)
        self.probes = [
            {
                "a_text": f"secret {source.getrandbits(80):020x}",
                "a_code": f"{source.getrandbits(64):016X}-code",
                "a_int8": source.getrandbits(62) | 1 << 61,
                "a_float": struct.unpack(">d", struct.pack(">Q", 0x4142 << 48 | source.getrandbits(48)))[0],
                "a_uuid": uuid.UUID(int=source.getrandbits(128)),
                "a_bytea": source.randbytes(24),
            }
            for _ in range(PROBES)
        ]

    def __len__(self):
        return len(self.names) + sum(map(len, self.probes))

    def forms(self):
        """(what, bytes) for each form of each value."""
        for name in self.names:
            yield name, name.encode()
        for number, probe in enumerate(self.probes):
            for column, value in probe.items():
                for form in self._forms(value):
                    yield f"{column} of probe {number}", form

    @staticmethod
    def _forms(value):
        if isinstance(value, int):
            return [str(value).encode(), struct.pack(">q", value), struct.pack("<q", value)]
        if isinstance(value, float):
            return [repr(value).encode(), struct.pack(">d", value), struct.pack("<d", value)]
        if isinstance(value, uuid.UUID):
            return [str(value).encode(), value.bytes]
        if isinstance(value, bytes):
            return [value, value.hex().encode()]
        return [value.encode()]


def found(known, content):
    return sorted({what for what, form in known.forms() if form in content})


def files_below(*folders):
    for folder in folders:
        for path in pathlib.Path(folder).rglob("*"):
            if path.is_file():
                yield path


@contextlib.contextmanager
def capture(path, *ports):
    """tcpdump on the loopback device; the file is complete when the block ends."""
    expression = " or ".join(f"tcp port {port}" for port in ports)
    tool = subprocess.Popen(
        ["tcpdump", "-i", "lo", "-U", "-B", "65536", "-s", "0", "-Z", "root", "-w", path, expression],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    try:
        line = tool.stderr.readline()
        while line and "listening on" not in line:
            line = tool.stderr.readline()
        yield
        time.sleep(0.5)
    finally:
        tool.terminate()
        tool.communicate(timeout=20)


def streams(path, port):
    """The bytes of each direction of each TCP connection with a port, joined, so that no packet border hides a value."""
    data = pathlib.Path(path).read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    joined, seen, offset = {}, {}, 24
    while offset + 16 <= len(data):
        size = struct.unpack(order + "I", data[offset + 8 : offset + 12])[0]
        packet = data[offset + 16 : offset + 16 + size]
        offset += 16 + size
        ip = packet[14:]
        if len(ip) < 40 or ip[0] >> 4 != 4 or ip[9] != 6:
            continue
        tcp = ip[(ip[0] & 15) * 4 : int.from_bytes(ip[2:4], "big") or None]
        source, target, sequence = struct.unpack(">HHI", tcp[:8])
        if port not in (source, target):
            continue
        payload = tcp[(tcp[12] >> 4) * 4 :]
        key = source, target
        if payload and sequence not in seen.setdefault(key, set()):
            seen[key].add(sequence)
            joined.setdefault(key, []).append(payload)
    return [b"".join(parts) for parts in joined.values()]


def activity(stack, stop, samples):
    with stack.superuser() as connection:
        while not stop.is_set():
            samples.append(repr(connection.execute("SELECT * FROM pg_stat_activity").fetchall()))
            time.sleep(0.01)


def work(stack, known, people):
    """Loads and queries, in both protocols and formats, and provokes errors whose messages tell values if any do."""
    stack.psql("-c", SCHEMA)
    stack.psql("-c", f"\\copy people FROM '{people}' WITH (FORMAT csv, HEADER)")
    with stack.proxy() as client:
        columns = list(known.probes[0])
        for number, probe in enumerate(known.probes):
            client.execute(
                f"INSERT INTO probe (id, {', '.join(columns)}) VALUES (%s{', %s' * len(columns)})", [number, *probe.values()]
            )
        client.execute("ANALYZE people, probe")
        for binary in (False, True):
            cursor = client.cursor(binary=binary)
            for name in known.names:
                assert cursor.execute("SELECT * FROM people WHERE name_last = %s", [name]).fetchall()
                assert client.execute(f"SELECT * FROM people WHERE name_last = '{name.replace(chr(39), chr(39) * 2)}'").fetchall()
            for probe in known.probes:
                for column, value in probe.items():
                    assert len(cursor.execute(f"SELECT * FROM probe WHERE {column} = %s", [value]).fetchall()) == 1
        client.execute("SELECT name_last, count(*) FROM people GROUP BY 1 ORDER BY 1").fetchall()
        client.execute("SELECT a_text FROM probe ORDER BY a_text DESC").fetchall()
        first = known.probes[0]
        for statement, parameters in [
            ("INSERT INTO probe (id, a_code) VALUES (100, %s)", [first["a_code"]]),  # unique violation: DETAIL tells the key
            ("INSERT INTO people (id, name_last) VALUES (-1, %s)", [known.names[0]]),  # NOT NULL: DETAIL tells the row
            ("INSERT INTO probe (id, a_text) VALUES (0, %s)", [first["a_text"]]),
            ("SELECT * FROM probe WHERE a_int8 = %s", [first["a_text"]]),
        ]:
            with contextlib.suppress(psycopg.Error):
                client.execute(statement, parameters)
        client.execute("VACUUM people")


@needs_root
def test_nothing_on_the_servers_side(make_stack, lahman_data, tmp_path):
    known = Known(lahman_data / "people.csv")
    assert len(known) >= 50
    with make_stack(CONFIG) as stack:
        with stack.superuser() as superuser:
            for setting in ("log_statement = 'all'", "log_min_duration_statement = 0", "log_min_messages = 'debug1'",
                            "log_error_verbosity = 'verbose'", "track_activity_query_size = '1MB'"):
                superuser.execute(f"ALTER SYSTEM SET {setting}")
        stack.down()
        stack.up()
        stop, samples = threading.Event(), []
        watcher = threading.Thread(target=activity, args=(stack, stop, samples))
        watcher.start()
        try:
            with capture(tmp_path / "lo.pcap", stack.proxy_port, stack.direct_port):
                work(stack, known, lahman_data / "people.csv")
        finally:
            stop.set()
            watcher.join()
        with stack.superuser() as superuser:
            statistics = repr(superuser.execute("SELECT * FROM pg_stats").fetchall())
            statistics += repr(superuser.execute("SELECT starelid, staattnum, stavalues1::text, stavalues2::text, stavalues3::text FROM pg_statistic").fetchall())
            superuser.execute("CHECKPOINT")

        # Control: the search finds every value on the client's side.
        client_side = b"".join(streams(tmp_path / "lo.pcap", stack.proxy_port))
        assert found(known, client_side) == sorted({what for what, _ in known.forms()})

        server_side = streams(tmp_path / "lo.pcap", stack.direct_port)
        assert sum(map(len, server_side)) > 1_000_000
        for stream in server_side:
            assert found(known, stream) == []
        assert len(samples) > 10 and found(known, "\n".join(samples).encode()) == []
        assert "people" in statistics and found(known, statistics.encode()) == []
        searched = 0
        for path in files_below(stack.dir / "data", stack.dir / "log", stack.dir / "run"):
            content = path.read_bytes()
            searched += len(content)
            assert found(known, content) == [], path
        assert searched > 30_000_000
        assert "LOG:  statement" in stack.log("postgres") or "execute" in stack.log("postgres")
