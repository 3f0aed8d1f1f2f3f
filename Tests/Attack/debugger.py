"""Root with a debugger: no byte of the enclave's region, no way into the process."""

import ctypes
import errno
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time

from harness import Succeeded, alive, attempt, eventually

from cloister_testlib.enclave import TEE, Client
from test_enclave_protection import mappings, region

LIBC = ctypes.CDLL(None, use_errno=True)
ATTACH, SEIZE, PEEKDATA = 16, 0x4206, 2


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def tool(*command, denied):
    """Runs a debugger's tool; its output must say why it could not."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    output = ran.stdout + ran.stderr
    if not re.search(denied, output):
        raise Succeeded(output[-200:])
    return re.search(denied, output)[0]


@attempt("debugger", "gdb -p ENCLAVE")
def gdb(world):
    return tool("gdb", "-q", "-batch", "-p", str(world.enclave), "-ex", "info registers", denied="ptrace: Operation not permitted")


@attempt("debugger", "strace -p ENCLAVE")
def strace(world):
    return tool("timeout", "5", "strace", "-f", "-p", str(world.enclave), denied="Operation not permitted")


@attempt("debugger", "gcore ENCLAVE")
def gcore(world):
    target = world.folder / "core"
    said = tool("gcore", "-o", str(target), str(world.enclave), denied="Operation not permitted|You can't do that without a process")
    if list(world.folder.glob("core*")):
        raise Succeeded("a core file was written")
    return said


@attempt("debugger", "ptrace ATTACH and SEIZE of every thread")
def ptrace(world):
    threads = os.listdir(f"/proc/{world.enclave}/task")
    for thread in threads:
        for request in (ATTACH, SEIZE):
            if LIBC.ptrace(request, int(thread), None, None) == 0:
                raise Succeeded(f"thread {thread}")
            assert ctypes.get_errno() == errno.EPERM
    return f"EPERM for {len(threads)} threads"


@attempt("debugger", "ptrace during 8 starts of the enclave, in a busy loop")
def during_start(world):
    tries, early = 0, 0
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        tee = TEE(folder)
        try:
            for _ in range(8):
                children = pathlib.Path(f"/proc/{tee.process.pid}/task/{tee.process.pid}/children")
                old = tee.enclave_pid
                os.kill(old, signal.SIGKILL)
                attached = None
                while attached is None and not select.select([tee.process.stdout], [], [], 0)[0]:
                    for child in children.read_text().split():
                        if int(child) != old:
                            tries += 1
                            if LIBC.ptrace(SEIZE, int(child), None, None) == 0:
                                attached = int(child)
                if attached is None:
                    tee.wait_ready()
                    continue
                # Before it is the enclave it is a copy of the platform that can then not be traced by it: the start is given up.
                early += 1
                if select.select([tee.process.stdout], [], [], 2)[0] and tee.process.stdout.peek(1):
                    raise Succeeded("an enclave that another process traces is served")
                os.kill(attached, signal.SIGKILL)
                os.waitpid(attached, 0)
                tee.process.kill()
                tee.stop()
                tee = TEE(folder)
        finally:
            tee.process.kill()
            tee.stop()
    return f"{tries} tries: EPERM, or no enclave came of that start ({early})"


@attempt("debugger", "/proc/PID/mem: read the region")
def proc_mem(world):
    spans = region(world.enclave)
    with open(f"/proc/{world.enclave}/mem", "rb", 0) as memory:
        for start, end in spans:
            for address in range(start, end, max(4096, (end - start) // 256 & ~4095)):
                try:
                    os.pread(memory.fileno(), 64, address)
                except OSError as error:
                    assert error.errno == errno.EIO
                    continue
                raise Succeeded(hex(address))
    return f"EIO over {sum(end - start for start, end in spans) >> 20} MiB"


@attempt("debugger", "/proc/PID/mem: write its code, constants, data, heap, the vdso")
def proc_mem_write(world):
    said, tried = set(), 0
    with open(f"/proc/{world.enclave}/mem", "r+b", 0) as memory:
        for start, end, access, name in mappings(world.enclave):
            if name in ("[vsyscall]", "[vvar]", "[vvar_vclock]") or "doorbell" in name or "slot" in name or access[:3] == "---":
                continue  # shared with the server by intent, or never touched
            if name == "[stack]":
                continue  # the first stack, left for good: the next attempt
            for address in (start, (start + end) // 2 & ~7, end - 8):
                tried += 1
                try:
                    os.pwrite(memory.fileno(), bytes(8), address)
                except OSError as error:
                    said.add(errno.errorcode[error.errno])
                    continue
                raise Succeeded(f"wrote at {address:x} {name}")
    return f"{', '.join(sorted(said))} at {tried} places"


@attempt("debugger", "overwrite the first stack, on which programs return")
def stack(world):
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        tee = TEE(folder)
        try:
            first = [(start, end) for start, end, _, name in mappings(tee.enclave_pid) if name == "[stack]"]
            if not first:
                return "there is none: all stacks are in secret memory"
            [(start, end)] = first
            with open(f"/proc/{tee.enclave_pid}/mem", "r+b", 0) as memory:
                os.pwrite(memory.fileno(), b"\x41" * (end - start), start)
            for thread in os.listdir(f"/proc/{tee.enclave_pid}/task"):
                pointer = int(pathlib.Path(f"/proc/{tee.enclave_pid}/task/{thread}/syscall").read_text().split()[-2], 16)
                if start <= pointer < end:
                    raise Succeeded(f"thread {thread} runs on it")
            with Client(tee.socket) as one, Client(tee.socket) as two:
                assert one.call(1) == two.call(1) == 0  # it goes on as if nothing were
        finally:
            tee.stop()
    return "no thread uses it: overwritten without effect"


@attempt("debugger", "process_vm_readv and process_vm_writev")
def process_vm(world):
    said = set()
    for start, end in region(world.enclave):
        buffer = ctypes.create_string_buffer(16)
        for call in (LIBC.process_vm_readv, LIBC.process_vm_writev):
            local, remote = Vector(ctypes.addressof(buffer), 16), Vector((start + end) // 2, 16)
            if call(world.enclave, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) != -1:
                raise Succeeded(hex(start))
            said.add(errno.errorcode[ctypes.get_errno()])
    return ", ".join(sorted(said))


def copies(pid):
    """Copies of its descriptors, as root can have them."""
    handle = LIBC.syscall(434, pid, 0)
    assert handle >= 0
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        copy = LIBC.syscall(438, handle, int(number), 0)
        if copy >= 0:
            found[int(number)] = copy
    os.close(handle)
    return found


@attempt("debugger", "pidfd_getfd and kcmp: copy its descriptors and read what they are of")
def pidfd(world):
    needles = [form for _, form in [*world.values(), *world.secrets()]]
    names = []
    for number, copy in copies(world.enclave).items():
        name = os.readlink(f"/proc/self/fd/{copy}")
        names.append(name.split(":")[-1].split("/")[-1])
        if "secretmem" in name:
            raise Succeeded("the region's descriptor")
        if "memfd" in name:
            size = os.fstat(copy).st_size
            content = os.pread(copy, size, 0)
            if any(needle in content for needle in needles):
                raise Succeeded(name)
        os.close(copy)
    LIBC.syscall(312, os.getpid(), world.enclave, 1, 0, 0)  # tells whether two descriptors are the same file; gives none
    return f"{len(names)} copies, none of the region; no value or key in them"


@attempt("debugger", "ask the platform for a report in the enclave's name, over a copy of its descriptor")
def ask_platform(world):
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        tee = TEE(folder)
        try:
            with socket.socket(fileno=copies(tee.enclave_pid)[3]) as channel:
                channel.send(b"CLRQ" + struct.pack(">I", 999) + bytes([1, 1, 0, 0]) + struct.pack(">I", 1) + os.urandom(96))
                channel.settimeout(1)
                try:
                    answer = channel.recv(4096)
                except TimeoutError:
                    return "no answer: the platform takes requests from the enclave's registers only"
                raise Succeeded(f"{len(answer)} bytes")
        finally:
            tee.stop()


@attempt("debugger", "gdb on the platform, which then reads the enclave as its tracer")
def through_the_platform(world):
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        tee = TEE(folder)
        try:
            start = region(tee.enclave_pid)[0][0]
            ran = subprocess.run(
                ["gdb", "-q", "-batch", "-p", str(tee.process.pid), "-ex", "set var $e = (int)0",
                 "-ex", f"call (long)syscall(101, {PEEKDATA}, {tee.enclave_pid}, {start + 8192}, (long)$sp - 4096)",
                 "-ex", f"call (long)syscall(310, {tee.enclave_pid}, 0, 0, 0, 0, 0)"],
                capture_output=True, text=True, check=False, timeout=120)
            answers = re.findall(r"^\$\d+ = (-?\d+)", ran.stdout, re.M)
            if not answers:
                return f"gdb could not use the platform: {(ran.stdout + ran.stderr).strip().splitlines()[-1][:60]}"
            if answers[0] != "-1":
                raise Succeeded("the tracer read the region")
            return "PEEKDATA fails in secret memory (-1)"
        finally:
            tee.process.kill()
            tee.stop()


@attempt("debugger", "core files: SEGV, ABRT, QUIT, BUS, SYS, TRAP to the enclave")
def cores(world):
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        tee = TEE(folder)
        try:
            for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT, signal.SIGBUS, signal.SIGSYS, signal.SIGTRAP, signal.SIGILL, signal.SIGFPE):
                os.kill(tee.enclave_pid, number)
                tee.wait_ready()
            where = os.path.dirname(pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()) or os.getcwd()
            left = [path for place in {where, os.getcwd(), folder, "/"} for path in pathlib.Path(place).glob("core*") if path.is_file()]
            left = [path for path in left if path.stat().st_mtime > time.time() - 120]
            if left:
                raise Succeeded(str(left))
        finally:
            tee.stop()
    return "no core file of 8 signals"


@attempt("debugger", "kill -9 the platform: the enclave goes with it")
def kill_platform(world):
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        tee = TEE(folder)
        enclave = tee.enclave_pid
        started = time.monotonic()
        tee.process.kill()
        tee.process.wait()
        eventually(lambda: not alive(enclave), 5, 0.005)
        took = time.monotonic() - started
        tee.stop()
    return f"gone after {took * 1000:.0f} ms"
