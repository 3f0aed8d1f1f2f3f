"""`cloister dev`: repeatable, several side by side, exact about what it stops and deletes."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import psycopg
import pytest

from conftest import Stack, binaries, free_port, running_stack

COLUMNS = "columns: { public.t: { v: { type: int4, encryption: randomized, key: one } } }\n"
MORE = "columns: { public.t: { v: { type: int4, encryption: randomized, key: one } }, public.u: { w: { type: text, encryption: deterministic, key: two } } }\n"
VARIABLES = {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "CLOISTER_DIRECT_PORT", "CLOISTER_SUPERUSER", "CLOISTER_SUPERUSER_PASSWORD"}


def processes(stack):
    return {process["name"]: process["pid"] for process in json.loads((stack.dir / "dev.json").read_text())["processes"]}


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def stack():
    with running_stack(COLUMNS) as running:
        with running.proxy() as client:
            client.execute("CREATE TABLE t (v int4)")
            client.execute("INSERT INTO t VALUES (41), (42)")
        yield running


def answer(stack):
    with stack.proxy() as client:
        return client.execute("SELECT v FROM t WHERE v > 41").fetchall()


def test_env_has_the_variables_and_is_private(stack):
    assert set(stack.environment) == VARIABLES
    assert (stack.dir / "env").stat().st_mode & 0o777 == 0o600
    shown = subprocess.run(["bash", "-c", f". {stack.dir}/env; env"], capture_output=True, text=True, check=True).stdout
    assert f"PGPORT={stack.proxy_port}" in shown
    assert stack.environment["CLOISTER_DIRECT_PORT"] != stack.environment["PGPORT"]


def test_secrets_are_private(stack):
    for name in ("dev.json", "env", "keys.sqlite", "passphrase", "proxy-password", "cloister.yaml"):
        assert (stack.dir / name).stat().st_mode & 0o077 == 0, name


def test_no_process_that_holds_keys_leaves_a_core_file(stack):
    limits = pathlib.Path(f"/proc/{processes(stack)['proxy']}/limits").read_text()
    (core,) = [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")]
    assert set(core) <= {"0", "1"}  # 1: refuses pipes too, core(5)


def test_server_is_not_root_and_wants_passwords(stack):
    assert pathlib.Path(f"/proc/{processes(stack)['postgres']}").stat().st_uid != 0
    with pytest.raises(psycopg.OperationalError):
        stack.superuser(password="wrong")
    with stack.superuser() as superuser:
        assert superuser.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)
        assert superuser.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert superuser.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'app'").fetchone() == (False,)


def test_up_again_changes_nothing(stack):
    before = processes(stack)
    ran = stack.up()
    assert "already running" in ran.stdout
    assert processes(stack) == before
    assert answer(stack) == [(42,)]


def test_status(stack, cloister):
    ran = cloister("dev", "status", "--dir", stack.dir)
    for name, pid in processes(stack).items():
        assert f"{name}" in ran.stdout and str(pid) in ran.stdout


def test_down_and_up_keeps_data_and_keys(stack, cloister):
    pids = processes(stack)
    stack.down()
    assert not any(map(alive, pids.values()))
    assert cloister("dev", "status", "--dir", stack.dir, check=False).returncode == 3
    stack.up()
    assert answer(stack) == [(42,)]


def test_a_dead_service_is_started_again(stack):
    before = processes(stack)
    os.kill(before["proxy"], signal.SIGKILL)
    stack.up()
    after = processes(stack)
    assert after["proxy"] != before["proxy"] and after["postgres"] == before["postgres"]
    assert answer(stack) == [(42,)]


def test_a_changed_configuration_makes_keys_and_keeps_the_old(stack, tmp_path):
    config = tmp_path / "more.yaml"
    config.write_text(MORE)
    stack.up(config)
    with stack.proxy() as client:
        client.execute("CREATE TABLE u (w text)")
        client.execute("INSERT INTO u VALUES ('x')")
        assert client.execute("SELECT w FROM u WHERE w = 'x'").fetchall() == [("x",)]
    with stack.direct() as direct:
        names = {row[0] for row in direct.execute("SELECT name FROM cloister.column_keys")}
        assert names == {"one", "two"}
        assert direct.execute("SELECT w::text FROM u").fetchone()[0].startswith("\\x0102")
    assert answer(stack) == [(42,)]


def test_another_port_while_it_runs_is_refused(stack):
    other = Stack(stack.dir, free_port())
    ran = other.up(check=False)
    assert ran.returncode == 1 and "CL1041" in ran.stderr and str(stack.proxy_port) in ran.stderr


def test_two_side_by_side(stack):
    with running_stack(COLUMNS) as other:
        with other.proxy() as client:
            client.execute("CREATE TABLE t (v int4)")
        assert other.direct_port != stack.direct_port
        assert not set(processes(other).values()) & set(processes(stack).values())
    assert answer(stack) == [(42,)]


def test_a_taken_port_is_told(cloister):
    with socket.socket() as taken, tempfile.TemporaryDirectory(prefix="cloister-test-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = cloister("dev", "up", "--dir", f"{folder}/d", "--port", port, check=False)
        assert ran.returncode == 1 and "CL1041" in ran.stderr and str(port) in ran.stderr
        cloister("dev", "down", "--dir", f"{folder}/d", "--purge")


def test_a_folder_of_others_is_left_alone(cloister, tmp_path):
    (tmp_path / "precious").write_text("x")
    for arguments in (("up", "--port", free_port()), ("down", "--purge")):
        ran = cloister("dev", arguments[0], "--dir", tmp_path, *arguments[1:], check=False)
        assert ran.returncode == 1 and "CL1040" in ran.stderr
    assert (tmp_path / "precious").read_text() == "x"


@pytest.mark.skipif(os.geteuid() != 0, reason="another user runs the server only if this one is root")
def test_a_closed_parent_folder_is_told(cloister):
    with tempfile.TemporaryDirectory(prefix="cloister-test-", dir="/tmp") as folder:  # mode 0700
        ran = cloister("dev", "up", "--dir", f"{folder}/d", "--port", free_port(), check=False)
        assert ran.returncode == 1 and "CL1040" in ran.stderr and folder in ran.stderr


def test_a_recycled_pid_is_not_killed(cloister):
    """A state file that names our own child, with another start time: down leaves it alone."""
    with running_stack("columns: {}\n") as stack, subprocess.Popen(["sleep", "60"]) as bystander:
        state = json.loads((stack.dir / "dev.json").read_text())
        real = next(process for process in state["processes"] if process["name"] == "proxy")
        kept = dict(real)
        real["pid"] = bystander.pid
        (stack.dir / "dev.json").write_text(json.dumps(state))
        stack.down()
        assert bystander.poll() is None
        bystander.kill()
        os.kill(kept["pid"], signal.SIGTERM)


def test_a_mistake_in_the_configuration_starts_nothing(cloister, tmp_path):
    config = tmp_path / "wrong.yaml"
    config.write_text("columns: { people: {} }\n")
    ran = cloister("dev", "up", "--dir", tmp_path / "d", "--port", free_port(), "--config", config, check=False)
    assert ran.returncode == 1 and f"{config}:1:12: CL1005" in ran.stderr
    assert not (tmp_path / "d").exists()


def test_interrupted_up_leaves_nothing_running():
    with tempfile.TemporaryDirectory(prefix="cloister-test-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        stack = Stack(f"{folder}/d", free_port())
        up = subprocess.Popen(
            [binaries() / "cloister", "dev", "up", "--dir", stack.dir, "--port", str(stack.proxy_port)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        while not (stack.dir / "data" / "postmaster.pid").exists() and up.poll() is None:
            time.sleep(0.01)
        up.send_signal(signal.SIGINT)
        _, errors = up.communicate(timeout=60)
        if up.returncode:  # it may just have been done
            assert "CL1044" in errors
            assert not (stack.dir / "data" / "postmaster.pid").exists()
        stack.up()
        with stack.proxy() as client:
            assert client.execute("SELECT 1").fetchone() == (1,)
        stack.down("--purge")
        assert not stack.dir.exists()
