"""The whole stack when the enclave dies, stops or is absent: an error within the deadline, never a hang, never a server
restart, and everything works again by itself once the enclave is back."""

import contextlib
import json
import os
import pathlib
import signal
import threading
import time

import psycopg
import pytest

from conftest import running_stack

CONFIG = """
columns:
  public.live:
    v: { type: int4, encryption: randomized, key: live }
    d: { type: int4, encryption: deterministic, key: live_det }
"""
ROWS = 20_000
DEADLINE = 5  # seconds: cloister.deadline's default
LONG = "SELECT count(*) FROM public.live a, public.live b WHERE a.v < b.v"  # hours of comparisons


@pytest.fixture(scope="module")
def stack():
    with running_stack(CONFIG) as running:
        with running.proxy() as client:
            client.execute("CREATE TABLE public.live (id int, v int4, d int4)")
            with client.cursor().copy("COPY public.live (id, v, d) FROM STDIN") as copy:
                copy.write("".join(f"{i}\t{i}\t{i}\n" for i in range(ROWS)))
            client.execute("CREATE INDEX live_v ON public.live (v)")
        yield running


@pytest.fixture(autouse=True)
def server_never_restarts(stack):
    """Holds for every test here: PostgreSQL itself goes on, with no backend crash."""
    def started():
        with stack.superuser() as superuser:
            return superuser.execute("SELECT pg_postmaster_start_time()").fetchone()[0]
    before, crashes = started(), stack.log("postgres").count("terminating any other active server processes")
    yield
    assert started() == before
    assert stack.log("postgres").count("terminating any other active server processes") == crashes


def pids(stack):
    return {process["name"]: process["pid"] for process in json.loads((stack.dir / "dev.json").read_text())["processes"]}


def enclave_pid(stack):
    """The enclave is the platform's only child."""
    tee = pids(stack)["tee"]
    for _ in range(100):
        for task in pathlib.Path(f"/proc/{tee}/task").iterdir():
            children = (task / "children").read_text().split()
            if children:
                return int(children[0])
        time.sleep(0.1)
    raise AssertionError("the platform has no enclave")


def works_again(stack, within=15):
    """A query that needs the enclave gives the right answer, after at most `within` seconds."""
    end = time.monotonic() + within
    while True:
        try:
            with stack.proxy() as client:
                assert client.execute("SELECT id FROM public.live WHERE v = 17").fetchall() == [(17,)]
                return
        except psycopg.Error as error:
            assert error.sqlstate is None or error.sqlstate.startswith("YE"), error
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


class Running:
    """A statement in a thread of its own."""

    def __init__(self, stack, sql, *setup):
        self.client = stack.proxy()
        for statement in setup:
            self.client.execute(statement)
        self.error, self.rows, self.seconds = None, None, None
        self.thread = threading.Thread(target=self._run, args=(sql,))
        self.thread.start()

    def _run(self, sql):
        start = time.monotonic()
        try:
            self.rows = self.client.execute(sql).fetchall()
        except psycopg.Error as error:
            self.error = error
        self.seconds = time.monotonic() - start

    def finish(self, within):
        self.thread.join(within)
        assert not self.thread.is_alive(), f"no answer within {within} s"
        with contextlib.suppress(psycopg.Error):
            self.client.close()
        return self


@contextlib.contextmanager
def stopped(stack):
    """Neither the platform nor the enclave runs, but both exist."""
    processes = [pids(stack)["tee"], enclave_pid(stack)]
    os.kill(processes[1], signal.SIGSTOP)
    time.sleep(0.2)
    os.kill(processes[0], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(processes[0], signal.SIGCONT)
        os.kill(processes[1], signal.SIGCONT)


def test_enclave_killed_in_the_middle_of_a_query(stack):
    running = Running(stack, LONG)
    time.sleep(1)
    killed = time.monotonic()
    os.kill(enclave_pid(stack), signal.SIGKILL)
    # The platform starts it again and the proxy releases the keys again, so the query goes on or ends with an error.
    time.sleep(DEADLINE + 2)
    if running.thread.is_alive():
        running.client.cancel()
    running.finish(within=5)
    assert running.error is not None and running.error.sqlstate[:2] in ("YE", "57"), running.error
    assert time.monotonic() - killed < DEADLINE + 10
    works_again(stack)


def test_idle_sessions_do_not_notice_a_restart_of_the_enclave(stack):
    with stack.proxy() as client:
        assert client.execute("SELECT id FROM public.live WHERE v = 3").fetchall() == [(3,)]
        os.kill(enclave_pid(stack), signal.SIGKILL)
        time.sleep(0.5)
        works_again(stack)
        assert client.execute("SELECT id FROM public.live WHERE v = 4").fetchall() == [(4,)]


def test_stopped_enclave_gives_an_error_within_the_deadline(stack):
    with stopped(stack):
        running = Running(stack, "SELECT count(*) FROM public.live WHERE v > 100").finish(within=DEADLINE + 5)
        assert running.error is not None and running.error.sqlstate == "YE002"
        assert running.seconds < DEADLINE + 3
    works_again(stack)


def test_statement_timeout_works_while_the_enclave_is_stopped(stack):
    with stopped(stack):
        running = Running(stack, "SELECT count(*) FROM public.live WHERE v > 100", "SET statement_timeout = '500ms'").finish(within=5)
        assert running.error is not None and running.error.sqlstate == "57014"
        assert running.seconds < 3
    works_again(stack)


def test_cancel_works_while_the_enclave_is_stopped(stack):
    with stopped(stack):
        running = Running(stack, "SELECT count(*) FROM public.live WHERE v > 100")
        time.sleep(0.5)
        running.client.cancel()
        running.finish(within=3)
        assert running.error is not None and running.error.sqlstate == "57014"
    works_again(stack)


def test_backend_terminated_in_a_call(stack):
    with stopped(stack):
        running = Running(stack, "SELECT count(*) FROM public.live WHERE v > 100", "SET application_name = 'victim'")
        time.sleep(0.5)
        with stack.superuser() as superuser:
            superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'")
        running.finish(within=3)
        # 57014 where an index page was locked: the error lets go of it, and the session ends after that.
        assert running.error is not None and running.error.sqlstate in ("57P01", "57014", None)
        with stack.superuser() as superuser:
            gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim'"
            assert superuser.execute(gone).fetchone() == (0,)
    works_again(stack)


def test_deterministic_columns_need_no_enclave(stack):
    with stopped(stack), stack.proxy() as client:
        assert client.execute("SELECT id, d FROM public.live WHERE d = 5").fetchall() == [(5, 5)]
        assert client.execute("SELECT v FROM public.live WHERE id = 6").fetchall() == [(6,)]
    works_again(stack)


def test_absent_platform_and_enclave(stack):
    tee = pids(stack)["tee"]
    os.kill(tee, signal.SIGKILL)  # the enclave dies with its platform
    time.sleep(0.5)
    running = Running(stack, "SELECT count(*) FROM public.live WHERE v > 100").finish(within=DEADLINE + 3)
    assert running.error is not None and running.error.sqlstate == "YE001"
    stack.up()
    works_again(stack)
