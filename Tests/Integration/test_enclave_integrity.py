"""Altered code, before, during and after the start: it does not run, or not for long, and not with keys."""

import hashlib
import os
import pathlib
import re
import struct
import subprocess
import time

import pytest

from cloister_testlib import enclave, release
from cloister_testlib.cells import seal
from cloister_testlib.enclave import HERE, OK, ROOT, Client, TEE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="plays the host's root")
KEY = os.urandom(32)
DISABLED = 8


def cell(value):
    return seal(KEY, 7, "int4", struct.pack(">i", value), counter=value)


@pytest.fixture
def tee(tmp_path):
    running = TEE(tmp_path)
    running.release([(7, KEY, 3)])
    yield running
    running.stop()


def symbol(program, name):
    listing = subprocess.run(["nm", str(program)], capture_output=True, text=True, check=True).stdout
    return int(re.search(rf"^([0-9a-f]+) \w {name}$", listing, re.M)[1], 16)


def mappings(pid):
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
        yield int(found[1], 16), int(found[2], 16), found[3], found[4]


def test_root_writes_nowhere(tee):
    """Not into code, constants, data, stacks or heap: /proc/PID/mem takes writes to slots only, which anyone may write to."""
    with Client(tee.socket) as client:
        written, refused = [], 0
        with open(f"/proc/{tee.enclave_pid}/mem", "r+b", 0) as memory:
            for start, end, access, name in mappings(tee.enclave_pid):
                if name == "[vsyscall]" or access.startswith("---"):
                    continue
                for address in {start, (start + end) // 2 & ~7, end - 8}:
                    try:
                        os.pwrite(memory.fileno(), b"\xcc" * 8 if "secretmem" in name else bytes(8), address)
                        written.append(name)
                    except OSError:
                        refused += 1
        assert {name.split()[0] for name in written} <= {"/memfd:cloister-slot", "/memfd:cloister-doorbell"}
        assert any("slot" in name for name in written) and refused > 20  # the control, and the rest
    with Client(tee.socket) as client:
        assert client.compare(cell(1), cell(2)) == (OK, -1)


def test_all_it_can_write_is_secret(tee):
    """Heap, stacks, thread-local storage, data and bss, of OpenSSL and ICU as well: no private mapping is left at all."""
    with Client(tee.socket) as client:
        german = seal(KEY, 7, "text", "ä".encode(), collation=13)
        assert client.compare(german, german) == (OK, 0)
        kinds = {(access, name.split()[0] if name else "") for _, _, access, name in mappings(tee.enclave_pid)}
    assert kinds == {
        ("r-xs", "/memfd:cloister-enclave"), ("r--s", "/memfd:cloister-enclave"), ("r--s", "/secretmem"), ("rw-s", "/secretmem"),
        ("---s", "/secretmem"), ("---p", ""), ("rw-s", "/memfd:cloister-slot"), ("rw-s", "/memfd:cloister-doorbell"), ("--xp", "[vsyscall]")}


def test_stacks_have_guard_pages_on_both_sides(tee):
    known = list(mappings(tee.enclave_pid))
    stacks = set()
    for thread in os.listdir(f"/proc/{tee.enclave_pid}/task"):
        words = pathlib.Path(f"/proc/{tee.enclave_pid}/task/{thread}/syscall").read_text().split()
        if words[0] == "running":
            continue
        pointer = int(words[-2], 16)
        index = next(i for i, (start, end, *_) in enumerate(known) if start <= pointer < end)
        start, end, access, name = known[index]
        assert access == "rw-s" and "secretmem" in name and end - start <= 256 << 10
        assert known[index - 1][2].startswith("---") and known[index - 1][1] == start
        assert known[index + 1][2].startswith("---") and known[index + 1][0] == end
        stacks.add(start)
    assert len(stacks) >= 2


def gdb_in_the_platform(tee, script):
    commands = tee.folder / "commands"
    commands.write_text(script)
    ran = subprocess.run(
        ["gdb", "-q", "-nx", "-batch", "--readnever", "-p", str(tee.process.pid), "-x", str(commands)], capture_output=True, text=True,
        timeout=60, check=False)
    return ran.stdout + ran.stderr


def test_the_tracer_writes_nowhere_either(tee):
    """Root with gdb in cloister-tee itself, the enclave's tracer: ptrace pokes neither code nor data."""
    text = symbol(tee.image, "cloister_start")
    data = symbol(tee.image, "channel")
    script = f"""
call (long)ptrace(0x4207, {tee.enclave_pid}, 0, 0)
call (int)waitpid({tee.enclave_pid}, 0, 0x40000000)
printf "code %ld\\n", (long)ptrace(4, {tee.enclave_pid}, {text}, 0)
printf "text-poke %ld\\n", (long)ptrace(5, {tee.enclave_pid}, {text}, -1)
printf "data-poke %ld\\n", (long)ptrace(5, {tee.enclave_pid}, {data}, -1)
printf "resumed %ld\\n", (long)ptrace(7, {tee.enclave_pid}, 0, 0)
"""
    shown = gdb_in_the_platform(tee, script)
    assert "text-poke -1" in shown and "data-poke -1" in shown and "resumed 0" in shown, shown
    with Client(tee.socket) as client:
        assert client.compare(cell(1), cell(2)) == (OK, -1)


def unmap_a_page_of_code(tee):
    """With gdb in cloister-tee: the enclave's main thread executes munmap(2) of a page of its own code."""
    instruction = subprocess.run(
        ["objdump", "-d", "--disassemble=epoll_wait", str(tee.image)], capture_output=True, text=True, check=True).stdout
    syscall = int(re.search(r"^\s*([0-9a-f]+):\s+0f 05\s", instruction, re.M)[1], 16)
    page = symbol(tee.image, "cloister_start") & ~4095
    script = f"""
set $pid = {tee.enclave_pid}
set $r = (unsigned long *)(long)malloc(4096)
call (long)ptrace(0x4207, $pid, 0, 0)
call (int)waitpid($pid, 0, 0x40000000)
call (long)ptrace(12, $pid, 0, $r)
set $r[10] = 11
set $r[15] = -1
set $r[14] = {page}
set $r[13] = 4096
set $r[16] = {syscall}
call (long)ptrace(13, $pid, 0, $r)
call (long)ptrace(9, $pid, 0, 0)
call (int)waitpid($pid, 0, 0x40000000)
printf "stepped %ld\\n", (long)ptrace(12, $pid, 0, $r)
printf "result %ld\\n", $r[10]
"""
    shown = gdb_in_the_platform(tee, script)
    assert "stepped 0" in shown and "result 0" in shown, shown


def test_an_altered_enclave_is_ended_and_the_environment_disabled(tee):
    pid = tee.enclave_pid
    unmap_a_page_of_code(tee)
    tee.wait_ready(timeout=5)
    assert tee.enclave_pid != pid and not pathlib.Path(f"/proc/{pid}").exists()
    assert "CL4106: the enclave was ended: code is missing" in tee.logged() and "the environment is disabled" in tee.logged()
    with Client(tee.socket) as client:
        assert client.compare(cell(1), cell(2))[0] == DISABLED and client.hash(cell(1))[0] == DISABLED
        assert client.call(enclave.PING) == DISABLED
        with pytest.raises(ConnectionError, match="status 8"):
            tee.session(client)
    # Killing it does not enable it again.
    os.kill(tee.enclave_pid, 9)
    tee.wait_ready()
    with Client(tee.socket) as client:
        assert client.compare(cell(1), cell(2))[0] == DISABLED


@pytest.fixture(scope="module")
def code_writer(tmp_path_factory):
    target = tmp_path_factory.mktemp("writer") / "code_writer"
    subprocess.run(["cc", "-O2", str(HERE / "code_writer.c"), "-o", str(target)], check=True)
    return target


@pytest.mark.parametrize("where", ["cloister_start", "cloister_start_mappings", "main", "cloister_harden"])
def test_code_written_to_during_the_start(tee, code_writer, where):
    """Each start is attacked until one write has come in time: that start never gets ready, and the platform says why."""
    address = f"{symbol(tee.image, where):x}"
    for _ in range(20):
        attacker = subprocess.Popen([str(code_writer), str(tee.process.pid), "0.6", address], stdout=subprocess.PIPE, text=True)
        time.sleep(0.05)
        os.kill(tee.enclave_pid, 9)
        try:
            tee.wait_ready(timeout=15)
        except TimeoutError:
            assert int(attacker.communicate()[0].split()[0]) > 0
            assert tee.process.wait(5) == 70
            assert "CL4106: the enclave was ended: code was written to during the start" in tee.logged()
            return
        assert int(attacker.communicate()[0].split()[0]) == 0, "written to, and it started"
    pytest.fail("the attacker was never quick enough: this test shows nothing")


MISDEEDS = ["none", "anonymous", "executable", "altered_code", "other_code", "moved_code", "executes", "forks"]


def impostor(folder, misdeed, *flags):
    ready = b"CLRD".ljust(24, b"\0")
    digest = ",".join(f"{word}ull" for word in struct.unpack("<4Q", hashlib.sha256(ready).digest()))
    target = folder / "impostor"
    runtime = ROOT / "Sources/CEnclaveRuntime"
    subprocess.run(
        ["cc", "-O1", "-static", "-no-pie", f"-DDIGEST={digest}", f"-DMISDEED={misdeed.upper()}", f"-I{runtime}", str(HERE / "impostor.c"),
         str(runtime / "start.c"), *flags, "-o", str(target)], check=True)
    return target


def test_an_unaltered_impostor_would_stay(tmp_path):
    """The control of the next test."""
    running = TEE(tmp_path, enclave=impostor(tmp_path, "none", "-Wl,--entry=cloister_start"))
    time.sleep(2.5)
    assert running.process.poll() is None and running.logged() == ""
    running.stop()


@pytest.mark.parametrize("misdeed, reason", [
    ("anonymous", "memory that is neither secret nor sealed"), ("executable", "executable memory that is not the measured image"),
    ("altered_code", "code is missing"), ("other_code", "executable memory that is not the measured image"),
    ("moved_code", "a part of the image in a place that is not its own"), ("executes", "it executed another program"), ("forks", "it forked")])
def test_what_the_measured_program_never_does(tmp_path, misdeed, reason):
    running = TEE(tmp_path, enclave=impostor(tmp_path, misdeed, "-Wl,--entry=cloister_start"))
    pid = running.enclave_pid
    running.wait_ready(timeout=4)  # ... of the start that would answer DISABLED, which offends again
    assert running.enclave_pid != pid
    assert running.process.wait(5) == 70
    assert running.logged().count(f"CL4106: the enclave was ended: {reason}") == 2, running.logged()


def test_an_unprotected_program_never_gets_ready(tmp_path):
    with pytest.raises(TimeoutError, match=r"CL4106: the enclave was ended: system call \d+ during the start: not a protected enclave"):
        TEE(tmp_path, enclave=impostor(tmp_path, "none"))


def test_looking_costs_little(tee):
    """Mappings and two MiB a second, all code before each report."""
    def spent():
        fields = pathlib.Path(f"/proc/{tee.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = spent()
    time.sleep(10)
    assert spent() - before <= 0.05 + 0.01  # 0.5 %, and a tick
    before = spent()
    with Client(tee.socket) as client:
        for _ in range(20):
            release.Session(client.tunnel).open(tee.root, tee.expected_measurement(), int(time.time()))
    assert (spent() - before) / 20 < 0.05


def test_a_debug_build_says_so(tmp_path, monkeypatch):
    debug = ROOT / ".build/debug/cloister-tee"
    if not debug.exists():
        pytest.skip("no debug build: swift build")
    monkeypatch.setenv("CLOISTER_TEE", str(debug))
    running = TEE(tmp_path)
    try:
        with Client(running.socket) as client, pytest.raises(release.Refused, match="debug"):
            running.session(client)
    finally:
        running.stop()
