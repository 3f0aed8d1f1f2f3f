"""What root can see of the enclave: its protected region not at all, and no secret outside it."""

import ctypes
import errno
import os
import pathlib
import re
import resource
import signal
import subprocess
import struct
import time

import pytest

from cloister_testlib import cells, enclave, release
from cloister_testlib.enclave import OK, ROOT, Client, TEE

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="plays the host's root")


@pytest.fixture(scope="module")
def tee(tmp_path_factory):
    running = TEE(tmp_path_factory.mktemp("enclave"))
    yield running
    running.stop()


def mappings(pid):
    """(start, end, permissions, name) of every mapping."""
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
        yield int(found[1], 16), int(found[2], 16), found[3], found[4]


def region(pid):
    return [(start, end) for start, end, access, name in mappings(pid) if "secretmem" in name and access.startswith("rw")]


def readable_memory(pid):
    """(name, bytes) of everything root can read."""
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end, access, name in mappings(pid):
            if "r" not in access or name in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            try:
                yield name, os.pread(memory.fileno(), end - start, start)
            except OSError as error:
                assert error.errno == errno.EIO and "secretmem" in name, name


@needs_root
def test_no_key_and_no_value_outside_the_region(tee):
    key = os.urandom(32)
    tee.release([(7, key, 3)])
    values = [os.urandom(24).hex().encode() for _ in range(20)]
    with Client(tee.socket) as client:
        sealed = [cells.seal(key, 7, "text", v, b"writer-1", i) for i, v in enumerate(values)]
        for a in sealed:
            for b in sealed:
                assert client.compare(a, b)[0] == OK
            assert client.hash(a)[0] == OK
        secrets = {
            "column key": key, "GCM key": cells.derive(key, b"cloister cell v1 gcm" + b"writer-1", 32),
            "hash key": cells.derive(key, b"cloister cell v1 hash", 32), "SIV key": cells.derive(key, b"cloister cell v1 siv", 64)[:32],
            **{f"value {i}": v for i, v in enumerate(values)},
        }
        seen, found = 0, []
        for name, content in readable_memory(tee.enclave_pid):
            seen += len(content)
            found += [(what, name) for what, secret in secrets.items() if secret in content or secret[:16] in content]
            if sealed[-1] in content:
                found.append(("control", name))
    assert not [f for f in found if f[0] != "control"]
    # The search works: it finds the ciphertext in the slot, which is ordinary shared memory.
    assert any("cloister-slot" in name for what, name in found if what == "control")
    assert seen > 1 << 20
    for name, content in readable_memory(tee.process.pid):
        assert not any(secret in content for secret in secrets.values()), name


@needs_root
def test_root_can_not_read_the_region(tee):
    spans = region(tee.enclave_pid)
    assert sum(end - start for start, end in spans) >= 60 << 20
    libc = ctypes.CDLL(None, use_errno=True)

    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    with open(f"/proc/{tee.enclave_pid}/mem", "rb", 0) as memory:
        for start, end in spans:
            for address in (start, start + 4096, (start + end) // 2, end - 4096):
                with pytest.raises(OSError) as refused:
                    os.pread(memory.fileno(), 16, address)
                assert refused.value.errno == errno.EIO
                buffer = ctypes.create_string_buffer(16)
                local, remote = Vector(ctypes.addressof(buffer), 16), Vector(address, 16)
                copied = libc.process_vm_readv(tee.enclave_pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
                assert copied == -1 and ctypes.get_errno() == errno.EFAULT


@needs_root
def test_no_debugger_can_attach(tee):
    for thread in os.listdir(f"/proc/{tee.enclave_pid}/task"):
        status = pathlib.Path(f"/proc/{tee.enclave_pid}/task/{thread}/status").read_text()
        assert re.search(rf"^TracerPid:\t{tee.process.pid}$", status, re.M)
    libc = ctypes.CDLL(None, use_errno=True)
    for request in (16, 0x4206):  # PTRACE_ATTACH, PTRACE_SEIZE
        assert libc.ptrace(request, tee.enclave_pid, None, None) == -1 and ctypes.get_errno() == errno.EPERM
    gdb = subprocess.run(["gdb", "-q", "-batch", "-p", str(tee.enclave_pid)], capture_output=True, text=True, check=False)
    assert "ptrace: Operation not permitted" in gdb.stdout + gdb.stderr


@needs_root
def test_no_dump_and_no_environment(tee):
    limits = pathlib.Path(f"/proc/{tee.enclave_pid}/limits").read_text()
    assert re.search(r"^Max core file size\s+0\s+0", limits, re.M)
    assert pathlib.Path(f"/proc/{tee.enclave_pid}/environ").read_bytes() == b""
    status = pathlib.Path(f"/proc/{tee.enclave_pid}/status").read_text()
    assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
    for thread in os.listdir(f"/proc/{tee.enclave_pid}/task"):  # no files, programs or sockets any more (confine.c)
        assert re.search(r"^Seccomp:\t2$", pathlib.Path(f"/proc/{tee.enclave_pid}/task/{thread}/status").read_text(), re.M)
    descriptors = [os.readlink(f"/proc/{tee.enclave_pid}/fd/{n}") for n in os.listdir(f"/proc/{tee.enclave_pid}/fd")]
    assert len(descriptors) <= 10, descriptors
    assert not any("/" in d and not d.startswith("/dev/null") and not d.startswith("/memfd") and "tee.log" not in d for d in descriptors)


@needs_root
def test_the_image_is_what_was_measured(tee):
    running = pathlib.Path(f"/proc/{tee.enclave_pid}/exe")
    assert "memfd:cloister-enclave" in os.readlink(running)
    assert enclave.hashlib.sha384(running.read_bytes()).digest() == tee.expected_measurement()
    with pytest.raises(OSError):
        open(running, "r+b")
    # One file, no interpreter, no libraries: nothing else is executable but the kernel's own page.
    executable = {name for _, _, access, name in mappings(tee.enclave_pid) if "x" in access}
    assert executable <= {"/memfd:cloister-enclave (deleted)", "[vdso]", "[vsyscall]"}


def test_the_heap(tmp_path):
    program = tmp_path / "heap_stress"
    sources = [ROOT / "Sources/CEnclaveRuntime" / name for name in ("heap.c", "region.c")]
    subprocess.run(
        ["cc", "-O2", "-g", "-pthread", "-fno-builtin", "-Wno-free-nonheap-object", "-Wno-use-after-free", f"-I{ROOT}/Sources/CEnclaveRuntime",
         f"-I{ROOT}/Sources/CEnclaveRuntime/include", f"-I{ROOT}/Sources/EnclaveABI/include",
         str(ROOT / "Tests/Integration/cloister_testlib/heap_stress.c"), *map(str, sources), "-o", str(program)], check=True)
    assert subprocess.run([program], capture_output=True, text=True, timeout=120, check=True).stdout == "ok\n"
    for number, message in enumerate(("freed twice", "not the address of a block", "a pointer from elsewhere", "written to after it was freed")):
        ended = subprocess.run([program, "misuse", str(number)], capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 70 and message in ended.stderr, (number, ended)


def without_memfd_secret():
    """In a child: memfd_secret(2) fails with ENOSYS from here on, as on an old kernel."""
    def word(code, jump_true, jump_false, value):
        return struct.pack("=HBBI", code, jump_true, jump_false, value)

    program = word(0x20, 0, 0, 0) + word(0x15, 0, 1, 447) + word(0x06, 0, 0, 0x00050000 | errno.ENOSYS) + word(0x06, 0, 0, 0x7FFF0000)
    buffer = ctypes.create_string_buffer(program)
    filter_ = struct.pack("=HxxxxxxQ", 4, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.c_char_p(filter_), 0, 0) == 0


@needs_root
def test_locked_memory_only_if_asked_for_and_told(tmp_path, monkeypatch):
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: start(*a, preexec_fn=without_memfd_secret, **k))
    with pytest.raises(TimeoutError, match="CL4101: memfd_secret\\(2\\) is not available"):
        TEE(tmp_path)
    running = TEE(tmp_path, "--allow-mlock")
    try:
        with Client(running.socket) as client:
            with pytest.raises(release.Refused, match="region"):
                running.session(client)
        details = pathlib.Path(f"/proc/{running.enclave_pid}/smaps").read_text()
        locked = [part for part in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", details) if re.search(r"^VmFlags:.* lo\b.* dd\b|^VmFlags:.* dd\b.* lo\b", part, re.M)]
        assert sum(int(re.search(r"^Size:\s+(\d+) kB", part, re.M)[1]) for part in locked) >= 60 << 10
    finally:
        running.stop()


@needs_root
def test_an_ordinary_user_gets_a_smaller_region(tmp_path):
    """Eight MiB of RLIMIT_MEMLOCK, Debian's default, are enough; less is refused with what to do."""
    os.chmod(tmp_path, 0o777)
    for parent in tmp_path.parents[:2]:
        os.chmod(parent, 0o755)

    def as_user(limit):
        def prepare():
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))

        return subprocess.Popen(
            [str(enclave.executable("cloister-tee")), "run", "--enclave", str(enclave.executable("cloister-enclave")), "--socket",
             str(tmp_path / "s"), "--state-dir", str(tmp_path / "state")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            user="nobody", group="nogroup", extra_groups=[], preexec_fn=prepare)

    running = as_user(8 << 20)
    line = running.stdout.readline()
    assert line.startswith("ready measurement=sha384:"), running.stderr.read()
    pid = int(line.split("enclave=")[1])
    assert sum(end - start for start, end in region(pid)) >= (6 << 20) + (1 << 19)  # heap, data, first stack
    with Client(tmp_path / "s") as client:
        assert release.status(client.tunnel)[0] == client.boot
    running.terminate()
    assert running.wait(10) == 0
    for too_little in (64 << 10, 1 << 20, 4 << 20):  # for the first stack, for the data, for the region
        refused = as_user(too_little)
        output, errors = refused.communicate(timeout=20)
        assert refused.returncode == 70 and output == "" and "CL4101" in errors and "RLIMIT_MEMLOCK" in errors and "CAP_IPC_LOCK" in errors
