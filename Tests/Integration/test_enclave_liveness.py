"""The enclave under hostile, dying and numerous clients, and its own death."""

import collections
import ctypes
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from cloister_testlib import cells, enclave, release
from cloister_testlib.cells import OPERAND, seal
from cloister_testlib.enclave import GONE, NO_KEY, OK, TIMED_OUT, Client, NoSlot, TEE

KEY = os.urandom(32)
SLOTS = 4
NONDETERMINISTIC = 0x41  # und-u-ks-level2


@pytest.fixture
def tee(tmp_path):
    running = TEE(tmp_path, "--max-slots", str(SLOTS))
    running.release([(7, KEY, 3)])
    yield running
    running.stop()


def cell(value, counter=0, **more):
    return seal(KEY, 7, "int4", struct.pack(">i", value), counter=counter, **more)


def works(tee):
    with Client(tee.socket) as client:
        assert client.compare(cell(1), cell(2)) == (OK, -1)


def eventually(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_enclave_comes_back_without_keys(tee):
    client = Client(tee.socket)
    boot, pid, measurement = client.boot, tee.enclave_pid, tee.measurement
    os.kill(pid, signal.SIGKILL)
    started = time.monotonic()
    assert client.compare(cell(1), cell(2))[0] == GONE
    assert time.monotonic() - started < 2
    client.close()
    tee.wait_ready()
    assert tee.enclave_pid != pid and tee.measurement == measurement
    with Client(tee.socket) as again:
        assert again.boot != boot
        assert release.status(again.tunnel)[2] == []
        assert again.compare(cell(1), cell(2))[0] == NO_KEY
        tee.session(again).release([(7, KEY, 3)])
        assert again.compare(cell(1), cell(2)) == (OK, -1)
    assert "killed by signal 9" in tee.logged() and "starting it again in 100 ms" in tee.logged()


def test_a_session_does_not_survive_the_enclave(tee):
    with Client(tee.socket) as client:
        session = tee.session(client)
    os.kill(tee.enclave_pid, signal.SIGSEGV)
    tee.wait_ready()
    with Client(tee.socket) as client:
        assert client.tunnel(session.frame([(7, KEY, 3)])) == bytes([7, release.UNKNOWN_SESSION])


def test_repeated_deaths_are_slowed_down(tee):
    started = time.monotonic()
    for _ in range(4):
        os.kill(tee.enclave_pid, signal.SIGKILL)
        tee.wait_ready()
    assert 1.4 < time.monotonic() - started < 10  # 100 + 200 + 400 + 800 ms


def test_enclave_dies_with_its_platform(tee):
    tee.process.kill()
    tee.process.wait()
    eventually(lambda: not pathlib.Path(f"/proc/{tee.enclave_pid}").exists())


def test_no_restart(tmp_path):
    running = TEE(tmp_path, "--no-restart")
    os.kill(running.enclave_pid, signal.SIGKILL)
    assert running.process.wait(10) == 70


def is_stopped(pid):
    """All threads are: the first one alone stops sooner, when the tracer is told of the signal."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return all((task / "stat").read_text().rpartition(") ")[2][0] in "tT" for task in tasks)


def test_stopped_and_continued(tee):
    with Client(tee.socket) as client:
        os.kill(tee.enclave_pid, signal.SIGSTOP)
        eventually(lambda: is_stopped(tee.enclave_pid))
        client.post(enclave.PING, 0)
        assert client.wait(0.3) == TIMED_OUT
        os.kill(tee.enclave_pid, signal.SIGCONT)
        assert client.wait(5) == OK
    works(tee)
    os.kill(tee.enclave_pid, signal.SIGSTOP)
    assert tee.stop() == 0  # the platform can be stopped while its enclave is


def test_more_clients_than_slots(tee):
    first = [Client(tee.socket) for _ in range(SLOTS)]
    with pytest.raises(NoSlot):
        Client(tee.socket, timeout=0.3)
    served = []

    def wait_for_slot():
        with Client(tee.socket, timeout=10) as late:
            served.append(late.compare(cell(1), cell(1)))

    waiting = [threading.Thread(target=wait_for_slot) for _ in range(3 * SLOTS)]
    for thread in waiting:
        thread.start()
    time.sleep(0.3)
    assert served == []
    for client in first:
        assert client.call(enclave.PING) == OK
        client.close()
    for thread in waiting:
        thread.join(10)
    assert served == [(OK, 0)] * len(waiting)


def test_clients_that_die_in_a_call(tee):
    big = cell(0)[:8] + os.urandom(900_000)
    for number in range(60):
        child = os.fork()
        if child == 0:
            client = Client(tee.socket)
            library = client.lib
            ctypes.memmove(client.slot + enclave.DATA, big, len(big))
            client.post(enclave.HASH, len(big))
            if number % 2:
                time.sleep(0.0005)
            os._exit(0)
        os.waitpid(child, 0)
    clients = [Client(tee.socket) for _ in range(SLOTS)]
    for client in clients:
        assert client.compare(cell(3), cell(2)) == (OK, 1)
        client.close()


def test_garbage_in_slot_and_doorbell(tee):
    rng = random.Random(2)
    honest = Client(tee.socket)
    for round_ in range(200):
        with Client(tee.socket) as hostile:
            ctypes.memmove(hostile.slot, rng.randbytes(256), 256)
            if round_ % 3 == 0:
                ctypes.memmove(hostile.doorbell, rng.randbytes(4096), 4096)
            hostile.post(rng.choice([0, 1, 2, 3, 16, 2**32 - 1]), rng.choice([0, 1, 7, 8, 200, 2**20, 2**31, 2**32 - 1]))
        assert honest.compare(cell(round_), cell(100)) == (OK, (round_ > 100) - (round_ < 100))
    honest.close()
    ctypes_zero = Client(tee.socket)
    ctypes.memset(ctypes_zero.doorbell, 0, 4096)
    ctypes_zero.close()
    works(tee)


def test_the_request_changes_while_it_is_read(tee):
    """A second thread rewrites the cells all the time: answers may be refusals, never a crash, never a wrong order."""
    a, b = cell(1), cell(2)
    with Client(tee.socket) as client:
        stop = threading.Event()
        noise = [os.urandom(len(a)) for _ in range(50)] + [a, b]

        def scribble():
            while not stop.is_set():
                ctypes.memmove(client.slot + enclave.DATA + 8, random.choice(noise), len(a))
                ctypes.memmove(client.slot + 128, struct.pack("<II", 2, random.choice([0, 8, 8 + 2 * len(a), 2**32 - 1])), 8)

        thread = threading.Thread(target=scribble)
        thread.start()
        try:
            statuses = {client.compare(a, b)[0] for _ in range(2000)}
        finally:
            stop.set()
            thread.join()
        assert GONE not in statuses and TIMED_OUT not in statuses
    works(tee)


def test_descriptors_and_mappings_do_not_pile_up(tee):
    def used():
        root = pathlib.Path(f"/proc/{tee.enclave_pid}")
        return len(list((root / "fd").iterdir())), (root / "maps").read_text().count("cloister-slot")

    works(tee)
    eventually(lambda: used()[1] == 0)
    before = used()
    for _ in range(500):
        works_client = Client(tee.socket)
        works_client.call(enclave.PING)
        works_client.close()
    eventually(lambda: used() == before)


def test_a_small_enclave_can_not_be_filled_up(tmp_path):
    """8 MiB, and clients that send the largest requests, open sessions and release keys of their own."""
    running = TEE(tmp_path, "--region-mib", "8")
    running.release([(7, KEY, 3)])
    clients = [Client(running.socket) for _ in range(6)]
    half = seal(KEY, 7, "text", os.urandom(250_000))
    biggest = seal(KEY, 7, "text", os.urandom(480_000))
    icu = [seal(KEY, 7, "text", b"\xc3\x84 " * n, collation=NONDETERMINISTIC) for n in (160_000, 20_000, 2_000)]

    outcomes = collections.Counter()

    def hammer(client, seed):
        rng = random.Random(seed)
        for _ in range(60):
            choice = rng.randrange(5)
            if choice == 0:
                outcomes[client.compare(half, half)] += 1
            elif choice == 1:
                outcomes[client.hash(biggest)[0]] += 1
            elif choice == 2:
                outcomes[client.call(enclave.HASH, bytes(1_000_000))] += 1
            elif choice == 3:  # a language's rules: sort keys and small letters take many times the text
                outcomes[client.hash(rng.choice(icu))[0]] += 1
            else:
                try:
                    client.tunnel(b"\x01" + os.urandom(32))
                except ConnectionError as refused:
                    assert "status 7" in str(refused)

    threads = [threading.Thread(target=hammer, args=(client, seed)) for seed, client in enumerate(clients[1:])]
    for thread in threads:
        thread.start()
    session = running.session(clients[0])
    refused = None
    for start in range(1000, 9000, 100):
        try:
            answer = clients[0].tunnel(session.frame([(start + i, os.urandom(32), 3) for i in range(100)]))
        except ConnectionError as error:
            assert f"status {enclave.NO_MEMORY}" in str(error)
            continue
        if answer[0] == 7:
            refused = answer[1]
            break
    for thread in threads:
        thread.join()
    try:
        assert refused in (release.TOO_MANY_KEYS, release.UNKNOWN_SESSION, None)
        assert set(outcomes) <= {(OK, 0), (enclave.NO_MEMORY, 0), OK, enclave.TOO_LARGE, enclave.NO_MEMORY}, outcomes
        assert outcomes[(OK, 0)] + outcomes[OK] > 20 and outcomes[enclave.NO_MEMORY] > 0, outcomes
        assert clients[1].compare(cell(1), cell(2)) == (OK, -1)
        assert pathlib.Path(f"/proc/{running.enclave_pid}").exists() and "ended" not in running.logged()
        assert "killed" not in running.logged()
    finally:
        for client in clients:
            client.close()
        running.stop()


@pytest.mark.parametrize("mebibytes, workers", [(6, 2), (8, 2), (16, 4)])
def test_memory_runs_out_as_an_answer(tmp_path, mebibytes, workers):
    """Values of all sizes under all kinds of rules, patterns, sessions and keys at once: NO_MEMORY at times, and no crash."""
    running = TEE(tmp_path, "--region-mib", str(mebibytes), "--workers", str(workers))
    running.release([(7, KEY, 7)])
    outcomes = collections.Counter()

    def hammer(seed):
        rng = random.Random(seed)
        with Client(running.socket) as client:
            for number in range(100):
                text = rng.choice([b"\xc3\x84 ", b"abc", b"\xe4\xb8\xad", b"9%_"]) * int(2 ** rng.uniform(4, 18.8) / 3)
                rules = rng.choice([0, 0x41, 0x01, 0x0E, 0xC1])
                value = seal(KEY, 7, "text", text, counter=seed << 32 | number, collation=rules)
                choice = rng.randrange(4)
                if choice == 0:
                    outcomes["hash", client.hash(value)[0]] += 1
                elif choice == 1:
                    outcomes["compare", client.compare(value, value)[0]] += 1
                elif choice == 2:
                    wanted = b"%" + text[: rng.randrange(1, len(text) + 1) // 3 * 3] + b"%"
                    pattern = seal(KEY, 7, "text", wanted, counter=seed << 32 | number, role=OPERAND, collation=rules)
                    request = struct.pack("<III", rng.choice([1, 2, 3]), len(value), len(pattern)) + value + pattern
                    outcomes["match", client.call(4, request, timeout=60)] += 1
                else:
                    try:
                        keys = [(rng.randrange(10, 1 << 31), os.urandom(32), 3) for _ in range(rng.choice([1, 10, 100]))]
                        running.session(client).release(keys)
                        outcomes["release", OK] += 1
                    except ConnectionError as refused:
                        outcomes["release", int(str(refused).split()[-1])] += 1
                    except release.Refused:
                        outcomes["release", "too many"] += 1

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert running.logged() == ""
    assert {status for _, status in outcomes} <= {OK, enclave.NO_MEMORY, enclave.TOO_LARGE, 10, "too many"}, outcomes
    assert sum(count for (_, status), count in outcomes.items() if status == enclave.NO_MEMORY) > 0
    assert sum(count for (_, status), count in outcomes.items() if status == OK) > 50
    assert sum(outcomes.values()) == 500  # no thread gave up
    running.stop()


def test_a_talking_socket_is_closed(tee):
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(tee.socket))
        raw.recv(32)
        raw.send(b"hello")
        raw.settimeout(5)
        try:
            assert raw.recv(1) == b""
        except ConnectionResetError:
            pass
    works(tee)


def test_many_waiting_connections(tee):
    """More connections than the enclave keeps: the rest waits in the kernel's queue, nobody is lost."""
    held = [Client(tee.socket) for _ in range(SLOTS)]
    waiting = []
    for _ in range(1500):
        raw = socket.socket(socket.AF_UNIX)
        raw.connect(str(tee.socket))
        waiting.append(raw)
    for client in held:
        assert client.call(enclave.PING) == OK
        client.close()
    for raw in waiting[:SLOTS]:
        raw.settimeout(10)
        assert len(raw.recv(32)) == 32
    for raw in waiting:
        raw.close()
    works(tee)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_peer_user(tmp_path):
    os.chmod(tmp_path, 0o755)
    for parent in tmp_path.parents[:2]:
        os.chmod(parent, 0o755)
    running = TEE(tmp_path, "--peer-user", "postgres")

    def first_bytes(user):
        code = f"import socket; s=socket.socket(socket.AF_UNIX); s.connect({str(running.socket)!r}); s.settimeout(5); print(len(s.recv(32)))"
        return subprocess.run(["python3", "-c", code], user=user, capture_output=True, text=True, check=True).stdout.strip()

    try:
        assert first_bytes("postgres") == "32"
        assert first_bytes("nobody") == "0"
        assert first_bytes("root") == "32"
        assert oct(running.socket.stat().st_mode & 0o777) == "0o666"
    finally:
        running.stop()


def test_two_enclaves_do_not_share_a_socket(tee, tmp_path):
    second = subprocess.run(
        [enclave.executable("cloister-tee"), "run", "--enclave", tee.image, "--socket", tee.socket, "--state-dir", tmp_path / "other"],
        capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode == 70 and "Address already in use" in second.stderr
    works(tee)


def test_bad_options(tmp_path):
    for options in (["--max-slots", "0"], ["--max-slots", "5000"], ["--workers", "65"], ["--region-mib", "1"], ["--socket-mode", "9"]):
        ran = subprocess.run(
            [enclave.executable("cloister-tee"), "run", "--enclave", enclave.executable("cloister-enclave"), "--socket", tmp_path / "s",
             "--state-dir", tmp_path / "state", *options], capture_output=True, text=True, timeout=20, check=False)
        assert ran.returncode == 70 and "CL410" in ran.stderr, ran.stderr
    script = tmp_path / "script"
    script.write_text("no program")
    ran = subprocess.run(
        [enclave.executable("cloister-tee"), "run", "--enclave", script, "--socket", tmp_path / "s", "--state-dir", tmp_path / "state"],
        capture_output=True, text=True, timeout=20, check=False)
    assert ran.returncode == 70 and "could not be executed" in ran.stderr
