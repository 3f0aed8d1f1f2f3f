"""Keys go to a proved enclave only, and go there again after a restart."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import psycopg
import pytest

from cloister_testlib.tap import tapped_proxy
from conftest import ROOT, binaries, free_port, running_stack

CONFIG = """
columns:
  public.t:
    a: { type: int4, encryption: randomized, key: rand }
    d: { type: text, encryption: deterministic, key: det }
"""


def enclave_file():
    if "CLOISTER_ENCLAVE" in os.environ:
        return pathlib.Path(os.environ["CLOISTER_ENCLAVE"])
    return (binaries() / "../enclave/release/cloister-enclave").resolve() if (binaries() / "../enclave/release").exists() else (
        ROOT / ".build/enclave/release/cloister-enclave"
    )


def tee_program():
    return os.environ.get("CLOISTER_TEE", str(binaries() / "cloister-tee"))


@pytest.fixture(scope="module")
def stack():
    with running_stack(CONFIG) as running:
        with running.proxy() as client:
            client.execute("CREATE TABLE t (id int4 PRIMARY KEY, a int4, d text)")
            client.execute("INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y')")
        yield running


def compares(stack):
    with stack.proxy() as client:
        return client.execute("SELECT id FROM t WHERE a > 15").fetchall() == [(2,)]


def eventually(check, seconds=15):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if check():
                return
        except (psycopg.Error, OSError):
            pass
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.1)


def new_log(stack, offset):
    return stack.log("proxy")[offset:]


def process(stack, name):
    state = json.loads((stack.dir / "dev.json").read_text())
    return next(entry["pid"] for entry in state["processes"] if entry["name"] == name)


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_log_tells_what_was_released(stack):
    assert re.search(r"1 keys? released to enclave version \d+, sha384:[0-9a-f]{96}, simulated platform, ", stack.log("proxy"))
    assert compares(stack)


def test_attest_accepts(stack, cloister):
    shown = cloister("attest", "--config", stack.dir / "cloister.yaml").stdout
    measured = subprocess.run([tee_program(), "measure", enclave_file()], capture_output=True, text=True, check=True).stdout.strip()
    assert measured in shown and "accepted" in shown


def test_keys_list_verifies(stack, cloister):
    shown = cloister("keys", "list", "--config", stack.dir / "cloister.yaml").stdout
    assert shown.count("verified") == 2 and "public.t.a" in shown and "enclave: compare, hash " in shown and "no enclave" in shown


def test_a_killed_enclave_gets_its_keys_again(stack):
    offset = len(stack.log("proxy"))
    enclaves = children(process(stack, "tee"))
    assert enclaves
    for pid in enclaves:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: compares(stack))
    eventually(lambda: "started again" in new_log(stack, offset))


def test_a_restarted_server_is_found_again(stack):
    offset = len(stack.log("proxy"))
    stack_pid = process(stack, "postgres")
    os.kill(stack_pid, signal.SIGINT)
    eventually(lambda: "connection lost" in new_log(stack, offset))
    eventually(lambda: not pathlib.Path(f"/proc/{stack_pid}").exists())
    stack.up()
    eventually(lambda: compares(stack))


def altered_copy(target):
    """The enclave with one byte flipped where it does no harm: in the compiler's signature."""
    content = bytearray(enclave_file().read_bytes())
    place = max(content.rfind(b"clang version"), content.rfind(b"GCC: ("), content.rfind(b"LLD "))
    assert place > 0
    content[place] ^= 0x20
    target.write_bytes(content)
    target.chmod(0o755)


def test_a_flipped_byte_gets_no_key(stack, tmp_path, cloister):
    altered = tmp_path / "cloister-enclave"
    altered_copy(altered)
    offset = len(stack.log("proxy"))
    os.kill(process(stack, "tee"), signal.SIGTERM)
    eventually(lambda: not (stack.dir / "run/enclave.sock").exists())
    with open(tmp_path / "tee.log", "wb") as log:
        impostor = subprocess.Popen(
            [tee_program(), "run", "--enclave", altered, "--socket", stack.dir / "run/enclave.sock", "--state-dir", stack.dir / "platform"],
            stdout=log, stderr=log,
        )
    try:
        eventually(lambda: b"ready measurement=" in (tmp_path / "tee.log").read_bytes())
        eventually(lambda: "CL4005" in new_log(stack, offset))
        line = next(line for line in new_log(stack, offset).splitlines() if "CL4005" in line)
        assert "no key released" in line and "measurement" in line and "enclave.measurements" in line
        with stack.proxy() as client:
            with pytest.raises(psycopg.Error) as refusal:
                client.execute("SET cloister.deadline = 500; SELECT id FROM t WHERE a > 15")
            assert refusal.value.sqlstate == "YE003"
            # What needs no enclave goes on.
            assert client.execute("SELECT a, d FROM t WHERE d = 'x'").fetchall() == [(10, "x")]
        ran = cloister("attest", "--config", stack.dir / "cloister.yaml", check=False)
        assert ran.returncode == 1 and "CL4005" in ran.stderr
    finally:
        impostor.terminate()
        impostor.wait(timeout=20)
    stack.up()
    eventually(lambda: compares(stack))


def test_a_root_that_is_not_trusted(stack, tmp_path, cloister):
    """A platform of someone else's: the same enclave, another root."""
    subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", tmp_path / "key.pem"], check=True)
    subprocess.run(["openssl", "ec", "-in", tmp_path / "key.pem", "-pubout", "-out", tmp_path / "tee-root.pem"], check=True, capture_output=True)
    config = stack.dir / "other.yaml"
    config.write_text((stack.dir / "cloister.yaml").read_text().replace("platform/tee-root.pem", str(tmp_path / "tee-root.pem")))
    ran = cloister("attest", "--config", config, check=False)
    assert ran.returncode == 1 and "CL4002" in ran.stderr


@pytest.mark.parametrize(
    "change, code",
    [
        (("minimum_version: 1", "minimum_version: 4000000000"), "CL4007"),
        (("allow: [memfd_secret]", "allow: [mlock]"), "CL4010"),
    ],
)
def test_other_refusals_of_the_policy(stack, cloister, change, code):
    text = (stack.dir / "cloister.yaml").read_text()
    if change[0] not in text:
        pytest.skip("this kernel has no memfd_secret")
    config = stack.dir / "strict.yaml"
    config.write_text(text.replace(*change))
    ran = cloister("attest", "--config", config, check=False)
    assert ran.returncode == 1 and code in ran.stderr


@pytest.mark.parametrize(
    "extra, code",
    [
        ("    z: { type: text, encryption: randomized, key: det }\n", "CL1052"),
        ("    z: { type: text, encryption: randomized, key: unmade }\n", "CL1051"),
    ],
)
def test_the_proxy_does_not_start_on_doubtful_keys(stack, cloister, extra, code):
    config = stack.dir / "doubtful.yaml"
    config.write_text((stack.dir / "cloister.yaml").read_text() + extra)
    ran = cloister("proxy", "--config", config, check=False, timeout=30)
    assert ran.returncode == 1 and code in ran.stderr and f"{config}:" in ran.stderr


def test_a_key_whose_metadata_the_server_changed(stack, cloister):
    with stack.superuser() as superuser:
        superuser.execute("UPDATE cloister.column_keys SET metadata = metadata || ' '::bytea WHERE name = 'det'")
        try:
            ran = cloister("proxy", "--config", stack.dir / "cloister.yaml", check=False, timeout=30)
            assert ran.returncode == 1 and "CL3022" in ran.stderr
        finally:
            superuser.execute("UPDATE cloister.column_keys SET metadata = substr(metadata, 1, length(metadata) - 1) WHERE name = 'det'")


def test_keys_by_hand(stack, cloister, tmp_path):
    """create-master and create-column as an administrator would run them."""
    (tmp_path / "passphrase").write_text("correct horse\n")
    (tmp_path / "passphrase").chmod(0o600)
    text = (stack.dir / "cloister.yaml").read_text()
    text = text.replace("vault: keys.sqlite, passphrase_file: passphrase, trusted_master_keys: [dev], ddl: true",
                        f"vault: {tmp_path}/keys.sqlite, passphrase_file: {tmp_path}/passphrase, trusted_master_keys: [main]")
    config = stack.dir / "by-hand.yaml"
    config.write_text(text[: text.index("columns:")] + "columns:\n  public.h:\n    x: { type: uuid, encryption: randomized, key: byhand }\n")
    values = stack.environment
    administrator = {**os.environ, "PGUSER": values["CLOISTER_SUPERUSER"], "PGPASSWORD": values["CLOISTER_SUPERUSER_PASSWORD"]}
    assert "made" in cloister("keys", "create-master", "main", "--config", config).stdout
    assert (tmp_path / "keys.sqlite").stat().st_mode & 0o077 == 0
    # Others may read keys, not write them.
    application = {**os.environ, "PGUSER": values["PGUSER"], "PGPASSWORD": values["PGPASSWORD"]}
    ran = cloister("keys", "create-column", "byhand", "--config", config, check=False, env=application)
    assert ran.returncode == 1 and "CL1021" in ran.stderr and "42501" in ran.stderr
    assert "public.h.x" in cloister("keys", "create-column", "byhand", "--config", config, env=administrator).stdout
    again = cloister("keys", "create-column", "byhand", "--config", config, env=administrator, check=False)
    assert again.returncode == 1 and "CL3010" in again.stderr
    config.write_text(config.read_text() + "    y: { type: uuid, encryption: deterministic, key: byhand }\n")
    cloister("keys", "create-column", "byhand", "--config", config, "--amend", env=administrator)
    listed = cloister("keys", "list", "--config", config).stdout
    assert "public.h.y" in listed and listed.count("verified") == 1 and "CL3021" in listed  # the others are dev's
    with stack.superuser() as superuser:
        superuser.execute("DELETE FROM cloister.column_keys WHERE name = 'byhand'")


def test_a_taken_port_is_told(stack, cloister):
    """The stack's own proxy has it."""
    ran = cloister("proxy", "--config", stack.dir / "cloister.yaml", check=False, timeout=30)
    assert ran.returncode == 1 and "CL1054" in ran.stderr and str(stack.proxy_port) in ran.stderr


def test_a_proxy_that_has_just_started_ends_at_once(stack):
    """Each time a connection has just come and gone, and may be caught by the listener's end before it is active."""
    for _ in range(6):
        with tapped_proxy(stack, binaries() / "cloister", free_port()) as (_, log):
            began = time.monotonic()
        assert time.monotonic() - began < 5, log.read_text()


def test_the_proxy_ends_well_on_sigterm(stack):
    pid = process(stack, "proxy")
    offset = len(stack.log("proxy"))
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: "stopped" in new_log(stack, offset))
    stack.up()
    assert compares(stack)
