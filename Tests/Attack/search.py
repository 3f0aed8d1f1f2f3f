"""Everything on the server's side, searched for every planted value and every key."""

import os
import pathlib
import subprocess
import threading
import time

import psycopg

from harness import Succeeded, attempt

from test_enclave_protection import readable_memory
from test_leaks import capture, files_below, streams
from test_liveness import pids


class Needles:
    """Many byte strings at once."""

    def __init__(self, pairs):
        self.pairs = [(what, form) for what, form in pairs if len(form) >= 8]

    def found(self, content):
        return sorted({what for what, form in self.pairs if form in content})


def descendants(pid):
    children = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            children += [int(child), *descendants(int(child))]
    return children


def busy(world, stop):
    """Clients at work while memory is read."""
    with world.stack.proxy() as client:
        while not stop.is_set():
            for row in world.planted[:10]:
                client.execute("SELECT * FROM people WHERE name = %s OR salary = %s", [row["name"], row["salary"]], prepare=True)
                client.execute("SELECT id FROM people WHERE ident = %s", [row["ident"]])
            client.execute("SELECT id FROM people ORDER BY salary, name")


@attempt("search", "memory of every PostgreSQL process, shared memory, the platform and what is readable of the enclave")
def memory(world):
    needles = Needles([*world.values(), *world.secrets()])
    stop = threading.Event()
    workers = [threading.Thread(target=busy, args=(world, stop)) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        time.sleep(1)
        server = pids(world.stack)["postgres"]
        seen = set()
        searched, processes = 0, [server, *descendants(server), world.tee, world.enclave]
        for pid in processes:
            try:
                for name, content in readable_memory(pid):
                    searched += len(content)
                    # Many processes share most of their pages: the same bytes are looked at once.
                    if hash(content) in seen:
                        continue
                    seen.add(hash(content))
                    hits = needles.found(content)
                    if hits:
                        raise Succeeded(f"{hits[:3]} in {name} of {pid}")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        # The control: the proxy's memory has keys and values.
        control = set()
        for _, content in readable_memory(pids(world.stack)["proxy"]):
            control.update(needles.found(content))
        assert any(what.startswith("column key") for what in control) and any("of row" in what for what in control), sorted(control)[:5]
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    return f"nothing in {searched >> 20} MiB of {len(processes)} processes; control: {len(control)} in the proxy"


@attempt("search", "data files, WAL, temporary files, logs, /dev/shm, sockets' folder")
def files(world):
    needles = Needles([*world.values(), *[(what, key) for what, key in world.secrets()]])
    with world.admin() as admin:
        for setting in ("log_statement = 'all'", "log_min_messages = 'debug1'", "log_temp_files = 0", "log_min_duration_statement = 0"):
            admin.execute(f"ALTER SYSTEM SET {setting}")
        admin.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)
    with world.stack.proxy() as client:
        client.execute("SET work_mem = '64kB'")
        client.execute("SELECT a.id FROM people a, people b, generate_series(1, 20) ORDER BY a.salary, b.name, a.photo")
        for row in world.planted:
            client.execute("SELECT id FROM people WHERE name = %s", [row["name"]])
            for bad in ("INSERT INTO people (id, ident) VALUES (5000, %s)", "INSERT INTO people (id, salary) VALUES (0, 1)"):
                try:
                    client.execute(bad, [row["ident"]] if "%s" in bad else None)
                except psycopg.Error:
                    pass
    with world.admin() as admin:
        admin.execute("CHECKPOINT")
    searched = 0
    folders = [world.stack.dir / name for name in ("data", "log", "run")] + [pathlib.Path("/dev/shm")]
    for path in files_below(*folders):
        try:
            content = path.read_bytes()
        except OSError:
            continue
        searched += len(content)
        hits = needles.found(content)
        if hits:
            raise Succeeded(f"{hits[:3]} in {path}")
    return f"nothing in {searched >> 20} MiB"


@attempt("search", "what goes over the wire to the server, pg_stat_activity, pg_stats")
def wire(world):
    needles = Needles([*world.values(), *world.secrets()])
    target = world.folder / "lo.pcap"
    samples, stop = [], threading.Event()

    def watch():
        with world.admin() as admin:
            while not stop.is_set():
                samples.append(repr(admin.execute("SELECT * FROM pg_stat_activity").fetchall()))
                time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with capture(target, world.stack.proxy_port, world.stack.direct_port), world.stack.proxy() as client:
            for row in world.planted:
                client.execute("SELECT * FROM people WHERE name = %s OR other = %s OR salary = %s OR ident = %s OR photo = %s",
                               [row["name"], row["other"], row["salary"], row["ident"], row["photo"]])
                client.execute(f"SELECT * FROM people WHERE name = '{row['name']}' AND salary = {row['salary']}")
    finally:
        stop.set()
        watcher.join()
    seen = needles.found(b"".join(streams(target, world.stack.proxy_port)))
    expected = {what for what, _ in world.values()}
    assert set(seen) >= expected, f"the control found {len(seen)} of {len(expected)}"
    sent = b"".join(streams(target, world.stack.direct_port))
    with world.admin() as admin:
        statistics = repr(admin.execute("SELECT * FROM pg_stats").fetchall())
    for where, content in (("the wire", sent), ("pg_stat_activity", "\n".join(samples).encode()), ("pg_stats", statistics.encode())):
        hits = needles.found(content)
        if hits:
            raise Succeeded(f"{hits[:3]} on {where}")
    return f"nothing in {len(sent) >> 10} KiB and {len(samples)} samples; control: {len(expected)} values to the client"
