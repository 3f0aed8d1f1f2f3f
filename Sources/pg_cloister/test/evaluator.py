#!/usr/bin/env python3
"""A stand-in for cloister-enclave in the extension's tests: speaks the slot protocol (cloister_slot.h), holds the test
keys of cells.py, protects nothing. Its modes misbehave in the ways that a backend must survive.

usage: evaluator.py SOCKET [--mode MODE] [--after N] [--slots N]
The first N calls (default 0) are served rightly, the later ones by MODE:
  normal      as an enclave does
  mute        takes the call and never answers
  die         exits in the middle of the call
  nokey       answers NO_KEY to N calls, after that normally
  value, status, state, length    answers garbage in that field
and at connecting: noslot (never gives one), magic, version, index, unsealed, short, eof.
Writes "ready" on standard output once it listens. Needs x86 or another machine with ordered stores.
"""

import argparse
import ctypes
import fcntl
import mmap
import os
import queue
import socket
import struct
import sys
import threading

import cells

MAGIC, VERSION, SLOT_BYTES, DATA = 0x4C534C43, 1, 1 << 20, 4096
IDLE, POSTED, SERVING, DONE = range(4)
PING, COMPARE, HASH, TUNNEL = 1, 2, 3, 16
OK, BAD_REQUEST, BAD_CELL, NO_KEY, MISMATCH, FORBIDDEN, TOO_LARGE = range(7)

libc = ctypes.CDLL(None, use_errno=True)
SYS_FUTEX = {"x86_64": 202, "aarch64": 98}[os.uname().machine]


def futex_wait(address, expected, seconds):
    timeout = (ctypes.c_long * 2)(int(seconds), int(seconds % 1 * 1e9))
    libc.syscall(SYS_FUTEX, ctypes.c_void_p(address), 0, ctypes.c_uint(expected), timeout, None, 0)


def futex_wake(address):
    libc.syscall(SYS_FUTEX, ctypes.c_void_p(address), 1, 1, None, None, 0)


def sealed_memfd(name, size, seal=True):
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    if seal:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd


class Slot:
    def __init__(self, index, args):
        self.fd = sealed_memfd("slot", SLOT_BYTES, args.mode != "unsealed")
        self.map = mmap.mmap(self.fd, SLOT_BYTES)
        struct.pack_into("<IIII", self.map, 0, MAGIC, VERSION, index + (args.mode == "index"), SLOT_BYTES)
        self.state = ctypes.c_uint32.from_buffer(self.map, 64)
        self.waiting = ctypes.c_uint32.from_buffer(self.map, 68)


class Evaluator:
    def __init__(self, args):
        self.args = args
        self.boot = os.urandom(16)
        self.slots = {}
        self.free = queue.SimpleQueue()
        for index in range(args.slots):
            self.free.put(index)
        self.doorbell_fd = sealed_memfd("doorbell", 4096)
        self.doorbell = mmap.mmap(self.doorbell_fd, 4096)
        self.bell = ctypes.c_uint32.from_buffer(self.doorbell, 0)
        self.sleepers = ctypes.c_uint32.from_buffer(self.doorbell, 64)
        self.calls = 0
        self.misbehaved = 0

    # ---- connections: a thread each, that holds the slot until the backend closes ----

    def connection(self, client):
        mode = self.args.mode
        if mode == "eof":
            return client.close()
        if mode == "noslot":
            return client.recv(1)
        index = self.free.get()  # waits while all are in use; the backend may have gone meanwhile, which is noticed below
        try:
            slot = Slot(index, self.args)
            welcome = struct.pack("<IIII16s", MAGIC + (mode == "magic"), VERSION + (mode == "version"), index, SLOT_BYTES, self.boot)
            socket.send_fds(client, [welcome[:20] if mode == "short" else welcome], [slot.fd, self.doorbell_fd])
            os.close(slot.fd)
            self.slots[index] = slot
            client.recv(1)
        except OSError:
            pass
        self.slots.pop(index, None)
        self.free.put(index)
        client.close()

    # ---- calls: one thread serves all slots ----

    def serve(self):
        bell = ctypes.addressof(self.bell)
        while True:
            seen = self.bell.value
            self.sleepers.value = 1
            served = False
            for slot in list(self.slots.values()):
                if slot.state.value == POSTED:
                    served = True
                    self.call(slot)
            if not served:
                futex_wait(bell, seen, 0.01)
            self.sleepers.value = 0

    def call(self, slot):
        slot.state.value = SERVING
        opcode, length = struct.unpack_from("<II", slot.map, 128)
        request = slot.map[DATA:DATA + length]
        self.calls += 1
        mode = self.args.mode
        if self.calls > self.args.after and mode == "mute":
            return
        if self.calls > self.args.after and mode == "die":
            os._exit(1)
        status, value, digest, answer = self.evaluate(opcode, request)
        answer_length = len(answer)
        if mode == "nokey" and opcode != PING and self.calls <= self.args.after:
            status = NO_KEY
        if self.calls > self.args.after:
            value = 77 if mode == "value" else value
            status = 99 if mode == "status" else status
            answer_length = 0xFFFFFFFF if mode == "length" else answer_length
        slot.map[DATA:DATA + len(answer)] = answer
        struct.pack_into("<Ii8sI", slot.map, 192, status, value, digest, answer_length)
        slot.state.value = 99 if self.calls > self.args.after and mode == "state" else DONE
        if slot.waiting.value:
            futex_wake(ctypes.addressof(slot.state))

    def evaluate(self, opcode, request):
        """(status, value, hash, answer)"""
        nothing = (0, bytes(8), b"")
        if opcode == PING:
            return (OK, *nothing)
        if opcode == TUNNEL:  # the tests' tunnel answers the frame reversed
            return (OK, 0, bytes(8), request[::-1])
        try:
            if opcode == HASH:
                _, _, type_name, key_id, plain = cells.open_cell(request)
                if key_id == cells.MISSING_KEY:
                    return (NO_KEY, *nothing)
                return (OK, 0, cells.hash_of(type_name, key_id, plain), b"")
            if opcode == COMPARE:
                a_bytes, b_bytes = struct.unpack_from("<II", request)
                a, b = request[8:8 + a_bytes], request[8 + a_bytes:]
                if len(b) != b_bytes:
                    return (BAD_REQUEST, *nothing)
                if struct.unpack(">I", a[4:8])[0] == cells.MISSING_KEY:
                    return (NO_KEY, *nothing)
                a_role, a_writer, a_type, a_key, a_plain = cells.open_cell(a)
                b_role, b_writer, b_type, b_key, b_plain = cells.open_cell(b)
                roles_meet = max(a_role, b_role) < cells.RESULT and (min(a_role, b_role) == cells.STORED or a_writer == b_writer)
                if (a_type, a_key) != (b_type, b_key) or not roles_meet:
                    return (MISMATCH, *nothing)
                a_order, b_order = cells.order_key(a_type, a_plain), cells.order_key(b_type, b_plain)
                return (OK, (a_order > b_order) - (a_order < b_order), bytes(8), b"")
        except (ValueError, struct.error, IndexError):
            return (BAD_CELL, *nothing)
        return (BAD_REQUEST, *nothing)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("socket")
    parser.add_argument("--mode", default="normal")
    parser.add_argument("--after", type=int, default=0)
    parser.add_argument("--slots", type=int, default=64)
    args = parser.parse_args()
    evaluator = Evaluator(args)
    if os.path.exists(args.socket):
        os.unlink(args.socket)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(args.socket)
    os.chmod(args.socket, 0o666)
    listener.listen(64)
    threading.Thread(target=evaluator.serve, daemon=True).start()
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=evaluator.connection, args=(client,), daemon=True).start()


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    main()
