"""Debuggers, dumps, copies of descriptors and system calls: what root can try on the running enclave, and on one that starts."""

import ctypes
import errno
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from cloister_testlib import enclave, release
from cloister_testlib.cells import seal
from cloister_testlib.enclave import HERE, OK, ROOT, Client, TEE

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="plays the host's root")
KEY = os.urandom(32)
LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_OPEN, PIDFD_GETFD, KCMP = 434, 438, 312


@pytest.fixture
def tee(tmp_path):
    running = TEE(tmp_path)
    running.release([(7, KEY, 3)])
    yield running
    running.stop()


def works(tee):
    a, b = (seal(KEY, 7, "int4", struct.pack(">i", value), counter=value) for value in (1, 2))
    with Client(tee.socket) as client:
        assert client.compare(a, b) == (OK, -1)


@pytest.mark.parametrize("command, refusal", [
    (["gdb", "-nx", "-q", "-batch", "-p", "PID"], "Operation not permitted"),
    (["strace", "-f", "-p", "PID"], "Operation not permitted"),
    (["gcore", "-o", "CORE", "PID"], "Operation not permitted")])
def test_debuggers(tee, command, refusal):
    words = [word.replace("PID", str(tee.enclave_pid)).replace("CORE", str(tee.folder / "core")) for word in command]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert refusal in ran.stdout + ran.stderr, ran
    assert not list(tee.folder.glob("core*"))
    works(tee)


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def test_a_debugger_that_waits_for_the_start(tee):
    """Attaches as soon as there is a process. It may get there before the image runs: then the image never runs."""
    PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
    stop, tries, caught = threading.Event(), [0], []

    def attack():
        while not stop.is_set():
            for child in children(tee.process.pid):
                tries[0] += 1
                if LIBC.ptrace(PTRACE_SEIZE, child, None, None) == 0:
                    caught.append((child, pathlib.Path(f"/proc/{child}/cmdline").read_bytes()))
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0x40000000)

    attacker = threading.Thread(target=attack)
    attacker.start()
    try:
        for _ in range(4):
            os.kill(tee.enclave_pid, signal.SIGKILL)
            try:
                tee.wait_ready(timeout=5)
            except TimeoutError:  # the platform found its child traced by somebody else
                assert caught and tee.process.wait(5) != 0 and "CL4104" in tee.logged()
                break
            status = pathlib.Path(f"/proc/{tee.enclave_pid}/status").read_text()
            assert re.search(rf"^TracerPid:\t{tee.process.pid}$", status, re.M)
    finally:
        stop.set()
        attacker.join()
    assert tries[0] > 100
    assert not [what for _, what in caught if what.startswith(b"cloister-enclave")]


CORE_SIGNALS = [signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGSYS,
                signal.SIGXCPU, signal.SIGXFSZ]


@pytest.fixture
def cores(tmp_path):
    """A folder that core files go to, through a program: for those the limit of size says nothing."""
    setting = pathlib.Path("/proc/sys/kernel/core_pattern")
    before = setting.read_text()
    os.chmod(tmp_path, 0o777)
    setting.write_text(f"|/bin/cp /dev/stdin {tmp_path}/core.%p")
    yield tmp_path
    setting.write_text(before)


def test_no_core_on_any_signal(tmp_path, cores):
    control = subprocess.Popen(["sleep", "60"])
    time.sleep(0.1)
    control.send_signal(signal.SIGQUIT)
    control.wait()
    for _ in range(100):
        if (cores / f"core.{control.pid}").exists():
            break
        time.sleep(0.05)
    assert (cores / f"core.{control.pid}").exists()  # the way works
    for number in CORE_SIGNALS:
        running = TEE(tmp_path, "--no-restart")
        running.release([(7, KEY, 3)])
        os.kill(running.enclave_pid, number)
        assert running.process.wait(10) == 70
        assert f"killed by signal {int(number)} " in running.logged()
        running.stop()
    time.sleep(0.5)
    assert [path.name for path in cores.glob("core.*")] == [f"core.{control.pid}"]


def copies_of_descriptors(pid):
    """{number: a copy in this process} of all that a process has, the way root can."""
    handle = LIBC.syscall(PIDFD_OPEN, pid, 0)
    assert handle >= 0
    copies = {int(name): LIBC.syscall(PIDFD_GETFD, handle, int(name), 0) for name in os.listdir(f"/proc/{pid}/fd")}
    os.close(handle)
    return {number: copy for number, copy in copies.items() if copy >= 0}


def test_copies_of_descriptors_are_worth_nothing(tee):
    """The kernel gives root copies; none is of the region, and the one of the platform's channel gets no report signed."""
    copies = copies_of_descriptors(tee.enclave_pid)
    assert 3 in copies  # the attack is possible at all
    names = [os.readlink(f"/proc/self/fd/{copy}") for copy in copies.values()]
    assert not any("secretmem" in name for name in names) and not any(name.startswith("/memfd:cloister-enclave") for name in names)
    for number, copy in copies.items():
        LIBC.syscall(KCMP, os.getpid(), tee.enclave_pid, 0, copy, number)  # tells that they are the same, and no more
    channel = socket.socket(fileno=copies.pop(3))
    try:
        # Root's own key in a report about the genuine enclave, if it were signed.
        wanted = b"CLRQ" + struct.pack(">I", 0x7fffffff) + bytes([1, 1, 0, 0]) + struct.pack(">I", 1) + os.urandom(32) + os.urandom(64)
        assert len(wanted) == 112
        channel.send(wanted)
        channel.settimeout(1.5)
        with pytest.raises(TimeoutError):
            channel.recv(4096)
        with Client(tee.socket) as client:
            tee.session(client)  # the enclave itself is still answered
    finally:
        channel.close()
        for copy in copies.values():
            os.close(copy)
    works(tee)


def test_the_region_can_not_be_opened_as_a_file(tee):
    found = 0
    for name in os.listdir(f"/proc/{tee.enclave_pid}/map_files"):
        path = f"/proc/{tee.enclave_pid}/map_files/{name}"
        if "secretmem" in os.readlink(path):
            found += 1
            with pytest.raises(OSError) as refused:
                os.open(path, os.O_RDWR)
            assert refused.value.errno == errno.ENXIO
    assert found >= 4


def test_memory_is_not_copied_out(tee):
    """process_vm_readv and process_vm_writev, on every page that is not shared with others anyway."""
    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    buffer = ctypes.create_string_buffer(16)
    local = Vector(ctypes.addressof(buffer), 16)
    tried = 0
    for line in pathlib.Path(f"/proc/{tee.enclave_pid}/maps").read_text().splitlines():
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) .*secretmem", line)
        if not found:
            continue
        for address in (int(found[1], 16), int(found[2], 16) - 16):
            remote = Vector(address, 16)
            for call in (LIBC.process_vm_readv, LIBC.process_vm_writev):
                assert call(tee.enclave_pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) == -1 and ctypes.get_errno() == errno.EFAULT
                tried += 1
    assert tried >= 20


@pytest.fixture
def tracing(tmp_path):
    """The kernel's tracing files."""
    folder = tmp_path / "tracing"
    folder.mkdir()
    if LIBC.mount(b"tracefs", str(folder).encode(), b"tracefs", 0, None) != 0 or not (folder / "uprobe_events").exists():
        pytest.skip("this kernel has no uprobes")
    yield folder
    events = folder / "events/cloister_attack/enable"
    if events.exists():
        events.write_text("0")
        control = os.open(folder / "uprobe_events", os.O_WRONLY | os.O_APPEND)
        for name in ("start", "serve"):
            os.write(control, f"-:cloister_attack/{name}\n".encode())
        os.close(control)
    LIBC.umount(str(folder).encode())


def test_the_kernels_probes_do_not_reach_shared_code(tee, tracing):
    """A uprobe is a breakpoint that root has the kernel write into code; from there a BPF program could read the region."""
    symbols = subprocess.run(["nm", str(tee.image)], capture_output=True, text=True, check=True).stdout
    offsets = {name: int(re.search(rf"^([0-9a-f]+) \w {symbol}$", symbols, re.M)[1], 16) - 0x400000
               for name, symbol in (("start", "cloister_start"), ("serve", "cloister_slot_wake"))}
    image = next(f"/proc/{tee.process.pid}/fd/{n}" for n in os.listdir(f"/proc/{tee.process.pid}/fd")
                 if os.readlink(f"/proc/{tee.process.pid}/fd/{n}").startswith("/memfd:cloister-enclave"))
    events = os.open(tracing / "uprobe_events", os.O_WRONLY | os.O_APPEND)
    for name, offset in offsets.items():
        os.write(events, f"p:cloister_attack/{name} {image}:{offset:#x}\n".encode())
    os.close(events)
    (tracing / "events/cloister_attack/enable").write_text("1")
    with open(f"/proc/{tee.enclave_pid}/mem", "rb", 0) as memory:
        for offset in offsets.values():
            assert os.pread(memory.fileno(), 1, 0x400000 + offset) != b"\xcc"
    with Client(tee.socket) as client:
        for _ in range(20):
            client.post(enclave.PING, 0)
            time.sleep(0.01)
            client.wait(5)
    # The control: another process of the same image, from private pages.
    subprocess.run([image], capture_output=True, check=False)
    hits = {line.split()[1]: int(line.split()[2]) for line in (tracing / "uprobe_profile").read_text().splitlines()}
    assert hits["start"] >= 1 and hits["serve"] == 0, hits
    time.sleep(1.2)
    works(tee)


ALLOWED = """futex sched_yield clock_gettime gettimeofday sendto getrandom getpid gettid epoll_ctl getsockopt sendmsg memfd_create ftruncate
time""".split()


@pytest.fixture(scope="module")
def confined(tmp_path_factory):
    target = tmp_path_factory.mktemp("confined") / "confined"
    runtime = ROOT / "Sources/CEnclaveRuntime"
    subprocess.run(
        ["cc", "-O1", "-pthread", f"-I{runtime}", f"-I{runtime}/include", f"-I{ROOT}/Sources/EnclaveABI/include", str(HERE / "confined.c"),
         str(runtime / "confine.c"), "-o", str(target)], check=True)
    return target


def test_the_handful_of_system_calls(confined):
    shown = subprocess.run([str(confined), "calls"], capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()
    header = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text()
    numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", header))
    announce = "3088"  # no system call: for the tracer
    assert set(shown[: shown.index("anonymous memory EPERM")]) <= {numbers[name] for name in ALLOWED} | {announce}
    assert shown[shown.index("anonymous memory EPERM"):] == [
        "anonymous memory EPERM", "shared anonymous memory EPERM", "private file EPERM", "executable file EPERM", "shared file done",
        "shared file over the code EPERM", "seals done", "copy of a descriptor EPERM"]
    # What the program spares itself is in the filter's list; together they are all of it.
    source = (ROOT / "Sources/CEnclaveRuntime/confine.c").read_text()
    listed = set(re.findall(r"SYS_(\w+)", source[source.index("allowed[] = {"): source.index("#define COUNT")]))
    spared = set(re.findall(r"SYS_(\w+)", re.search(r"spared\[\] = \{([^}]*)\}", (HERE / "confined.c").read_text())[1]))
    assert listed == set(ALLOWED) | spared and len(listed) < 35


def test_every_thread_of_the_enclave_is_confined(tee):
    for thread in os.listdir(f"/proc/{tee.enclave_pid}/task"):
        status = pathlib.Path(f"/proc/{tee.enclave_pid}/task/{thread}/status").read_text()
        assert re.search(r"^Seccomp:\t2\nSeccomp_filters:\t1$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M)


def test_landlock_forbids_files(confined):
    shown = subprocess.run([str(confined), "files"], capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()
    if shown[0] == "landlock 0":
        pytest.skip("this kernel has no Landlock")
    assert shown == ["landlock 1", "/etc/passwd EACCES", "/dev/null EACCES", "/proc/self/maps EACCES", "/tmp EACCES"]


def test_no_landlock_is_said_and_no_obstacle(tmp_path, monkeypatch):
    def without_landlock():
        words = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050000 | errno.ENOSYS), (0x06, 0, 0, 0x7FFF0000)]
        program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *word) for word in words))
        filter_ = struct.pack("=HxxxxxxQ", 4, ctypes.addressof(program))
        assert LIBC.prctl(38, 1, 0, 0, 0) == 0 and LIBC.prctl(22, 2, ctypes.c_char_p(filter_), 0, 0) == 0

    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: start(*a, preexec_fn=without_landlock, **k))
    running = TEE(tmp_path)
    assert "this kernel has no Landlock" in running.logged()
    running.stop()


def test_landlock_is_not_missed_where_it_is(tee):
    assert "Landlock" not in tee.logged()


def test_the_enclave_does_not_outlive_its_platform(tee):
    pid = tee.enclave_pid
    with Client(tee.socket) as client:
        tee.process.send_signal(signal.SIGKILL)
        tee.process.wait()
        assert client.call(enclave.PING) == enclave.GONE
    for _ in range(100):
        if not pathlib.Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.02)
    pytest.fail("the enclave lives on")
