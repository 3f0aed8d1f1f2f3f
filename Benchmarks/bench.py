#!/usr/bin/env python3
"""Paired timings of Cloister against plaintext PostgreSQL and pgbouncer.

    . DIR/env; Benchmarks/bench.py [--quick] [--json FILE]

needs a running `cloister dev` stack whose configuration marks the columns of COLUMNS below (`make bench` starts one).
Every figure is a ratio of two measurements taken in turn within one run, with the spread of the pairs; absolute times
of a shared machine say little.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import psycopg

ROWS = 100_000
DOMAIN = 1_000_003  # prime: (id * 48271) % DOMAIN is a shuffle without repetition
BIN = subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True, text=True).stdout.strip()


class Stack:
    """Where the proxy and the server of a `cloister dev` stack listen."""

    def __init__(self):
        self.host = os.environ["PGHOST"]
        self.proxy_port = int(os.environ["PGPORT"])
        self.direct_port = int(os.environ["CLOISTER_DIRECT_PORT"])
        self.database = os.environ["PGDATABASE"]
        self.user = os.environ["PGUSER"]
        self.password = os.environ["PGPASSWORD"]

    def connect(self, port):
        return psycopg.connect(
            host=self.host, port=port, dbname=self.database, user=self.user, password=self.password, autocommit=True
        )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def pgbouncer(stack):
    """A pgbouncer in session mode in front of the stack's server; yields its port."""
    with tempfile.TemporaryDirectory(prefix="cloister-bench-") as folder:
        os.chmod(folder, 0o755)
        port = free_port()
        users = pathlib.Path(folder, "users.txt")
        users.write_text(f'"{stack.user}" "{stack.password}"\n')
        users.chmod(0o644)
        ini = pathlib.Path(folder, "pgbouncer.ini")
        ini.write_text(
            "[databases]\n"
            f"* = host=127.0.0.1 port={stack.direct_port} user={stack.user} password={stack.password}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
            f"auth_file = {users}\npool_mode = session\nmax_client_conn = 100\ndefault_pool_size = 64\n"
            "log_connections = 0\nlog_disconnections = 0\nlog_stats = 0\n"
            "ignore_startup_parameters = extra_float_digits\n"
        )
        ini.chmod(0o644)
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            [*as_user, "pgbouncer", "-q", str(ini)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait()


def pgbench(stack, port, clients, seconds, *arguments):
    """Transactions a second of one pgbench run."""
    environment = dict(os.environ, PGHOST="127.0.0.1", PGPORT=str(port))
    done = subprocess.run(
        [f"{BIN}/pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds), *arguments, stack.database],
        env=environment, capture_output=True, text=True,
    )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if done.returncode != 0 or not found or "failed transactions: 0 " not in done.stdout:
        sys.exit(f"pgbench against port {port} failed:\n{done.stdout}\n{done.stderr}")
    return float(found.group(1))


def spread(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values), "n": len(values)}


class Report:
    def __init__(self):
        self.rows = []

    def add(self, name, base, other, ratios, figures):
        """`ratios`: one per pair, oriented so that above 1 is slower than the base."""
        self.rows.append({"name": name, "base": base, "compared": other, "slowdown": spread(ratios), "figures": figures})
        s = self.rows[-1]["slowdown"]
        print(f"{name:46} {other:>22} vs {base:18} x{s['median']:.2f}  [{s['min']:.2f} .. {s['max']:.2f}]  n={s['n']}", flush=True)


def in_turn(rounds, **measures):
    """Runs the measures in turn, `rounds` times; name -> list of figures."""
    figures = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            figures[name].append(measure())
    return figures


def untouched(stack, report, rounds, seconds):
    """pgbench -S -M prepared: direct, through pgbouncer in session mode, through Cloister with nothing to encrypt."""
    environment = dict(os.environ, PGHOST="127.0.0.1", PGPORT=str(stack.direct_port))
    subprocess.run([f"{BIN}/pgbench", "-i", "-q", "-s", "1", stack.database], env=environment, check=True, capture_output=True)
    with pgbouncer(stack) as bouncer:
        for clients in (1, 8):
            tps = in_turn(
                rounds,
                direct=lambda: pgbench(stack, stack.direct_port, clients, seconds, "-S"),
                pgbouncer=lambda: pgbench(stack, bouncer, clients, seconds, "-S"),
                cloister=lambda: pgbench(stack, stack.proxy_port, clients, seconds, "-S"),
            )
            for base, other in (("direct", "pgbouncer"), ("direct", "cloister"), ("pgbouncer", "cloister")):
                ratios = [a / b for a, b in zip(tps[base], tps[other])]
                report.add(f"pgbench -S prepared, {clients} client(s)", base, other, ratios, {k: spread(v) for k, v in tps.items()})


def make_tables(stack):
    """bench_plain, bench_det and bench_enc: ROWS rows each, loaded through the proxy by COPY."""
    with stack.connect(stack.proxy_port) as c:
        for kind in ("plain", "det", "enc"):
            c.execute(f"DROP TABLE IF EXISTS public.bench_{kind}")
            c.execute(f"CREATE TABLE public.bench_{kind} (id int, v int)")
    seconds = {}
    with stack.connect(stack.proxy_port) as c:
        for kind in ("plain", "det", "enc"):
            start = time.perf_counter()
            with c.cursor().copy(f"COPY public.bench_{kind} (id, v) FROM STDIN") as copy:
                copy.write("".join(f"{i}\t{i * 48271 % DOMAIN}\n" for i in range(1, ROWS + 1)))
            seconds[kind] = time.perf_counter() - start
            c.execute(f"VACUUM ANALYZE public.bench_{kind}")
    return seconds


def timed(connection, sql, parameters=()):
    start = time.perf_counter()
    connection.execute(sql, parameters)
    return time.perf_counter() - start


def single(stack, report, rounds):
    """Whole-table work by one client; the plaintext table direct and the encrypted one through the proxy, in turn."""
    with stack.connect(stack.direct_port) as direct, stack.connect(stack.proxy_port) as proxy:
        for c in (direct, proxy):
            c.execute("SET max_parallel_workers_per_gather = 0")
            c.execute("SET jit = off")
            c.execute("SET work_mem = '64MB'")
            c.execute("SET maintenance_work_mem = '256MB'")
        half = DOMAIN // 2
        for name, sql in (
            ("count(*) WHERE v > x, sequential", "SELECT count(*) FROM public.bench_{} WHERE v > %s"),
            ("full sort (ORDER BY, last row)", "SELECT id FROM public.bench_{} WHERE id > %s ORDER BY v OFFSET 99999"),
        ):
            argument = (half,) if "count" in name else (0,)
            times = in_turn(
                rounds,
                plain=lambda: timed(direct, sql.format("plain"), argument),
                enc=lambda: timed(proxy, sql.format("enc"), argument),
            )
            report.add(name, "plain direct", "enc", [b / a for a, b in zip(times["plain"], times["enc"])], {k: spread(v) for k, v in times.items()})

        def index(connection, kind):
            connection.execute(f"DROP INDEX IF EXISTS public.bench_{kind}_v")
            return timed(connection, f"CREATE INDEX bench_{kind}_v ON public.bench_{kind} (v)")

        times = in_turn(rounds, plain=lambda: index(direct, "plain"), det=lambda: index(proxy, "det"), enc=lambda: index(proxy, "enc"))
        for kind in ("det", "enc"):
            report.add("CREATE INDEX (btree)", "plain direct", kind, [b / a for a, b in zip(times["plain"], times[kind])], {k: spread(v) for k, v in times.items()})


def lookups(stack, report, rounds, seconds):
    """Indexed point lookups by pgbench, prepared: plaintext, det, enc through the same proxy, and plaintext direct."""
    with tempfile.TemporaryDirectory() as folder:
        scripts = {}
        for kind in ("plain", "det", "enc"):
            scripts[kind] = pathlib.Path(folder, kind)
            scripts[kind].write_text(
                f"\\set i random(1, {ROWS})\n\\set x :i * 48271 % {DOMAIN}\nSELECT id FROM public.bench_{kind} WHERE v = :x;\n"
            )
        for clients in (1, 8):
            run = lambda port, kind: pgbench(stack, port, clients, seconds, "-f", str(scripts[kind]))
            tps = in_turn(
                rounds,
                direct=lambda: run(stack.direct_port, "plain"),
                plain=lambda: run(stack.proxy_port, "plain"),
                det=lambda: run(stack.proxy_port, "det"),
                enc=lambda: run(stack.proxy_port, "enc"),
            )
            for base, other in (("plain", "det"), ("plain", "enc"), ("direct", "det"), ("direct", "enc")):
                label = {"plain": "plain via proxy", "direct": "plain direct"}[base]
                report.add(
                    f"point lookup by index, {clients} client(s)", label, other,
                    [a / b for a, b in zip(tps[base], tps[other])], {k: spread(v) for k, v in tps.items()},
                )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    arguments.add_argument("--json", type=pathlib.Path, help="write the raw figures here")
    options = arguments.parse_args()
    rounds, seconds = (3, 3) if options.quick else (7, 6)
    stack, report = Stack(), Report()
    print(f"{platform.machine()} {os.cpu_count()} cores, Linux {platform.release()}; slowdown: median [min .. max] of pairs\n")
    untouched(stack, report, rounds, seconds)
    load = make_tables(stack)
    print(f"{'COPY in, ' + str(ROWS) + ' rows through the proxy':46} " + ", ".join(f"{k} {v:.2f} s" for k, v in load.items()))
    single(stack, report, rounds)
    lookups(stack, report, rounds, seconds)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"machine": platform.platform(), "cores": os.cpu_count(), "copy_seconds": load, "rows": report.rows}, indent=1))


if __name__ == "__main__":
    main()
