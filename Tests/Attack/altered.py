"""Altered code and lying platforms: no key."""

import pathlib
import re
import shutil
import tempfile

import psycopg

from harness import Succeeded, attempt, eventually

from cloister_testlib import release
from cloister_testlib.enclave import TEE, Client, executable


def new_sessions(world):
    """Ends every session of the server, the proxy's own among them: what comes next connects to what is at the socket's path."""
    with world.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")


def no_key_for(world, code, *options, image=None, state=None):
    """Puts another enclave in the genuine one's place, as root can, and waits for what the proxy says of it."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="attack-") as folder:
        pathlib.Path(folder).chmod(0o755)
        if state is not None:
            shutil.copytree(state, pathlib.Path(folder) / "tee")
        tee = TEE(folder, *options, enclave=image)
        offset = len(world.stack.log("proxy"))
        genuine = world.socket.with_suffix(".genuine")
        try:
            world.socket.rename(genuine)
            world.socket.symlink_to(tee.socket)
            new_sessions(world)
            said = eventually(lambda: re.search(rf"no key released: .*{code}.*", world.stack.log("proxy")[offset:]))
            with Client(tee.socket) as client:
                keys = release.status(client.tunnel)[2]
            if keys:
                raise Succeeded(f"it holds keys {keys}")
            with world.stack.proxy() as client:
                try:
                    client.execute("SET statement_timeout = '3s'")
                    client.execute("SELECT count(*) FROM people WHERE salary > 0")
                except psycopg.Error:
                    pass
                else:
                    raise Succeeded("it answered a comparison")
        finally:
            world.socket.unlink()
            genuine.rename(world.socket)
            new_sessions(world)
            tee.stop()

    def works():
        with world.stack.proxy() as client:
            return client.execute("SELECT count(*) FROM people WHERE salary > 0").fetchone() == (len(world.planted),)

    eventually(works, 30)
    return f"{code}: {said[0].split(code + ': ')[-1][:58]}"


@attempt("code", "an enclave with one bit altered, signed by the genuine platform's own key")
def altered(world):
    image = bytearray(executable("cloister-enclave").read_bytes())
    image[len(image) - 100] ^= 1
    path = world.folder / "altered"
    path.write_bytes(image)
    path.chmod(0o755)
    return no_key_for(world, "CL4005", image=path, state=world.stack.dir / "platform")


@attempt("code", "the genuine enclave under another root")
def other_root(world):
    return no_key_for(world, "CL4002")


@attempt("code", "the genuine enclave in debug mode")
def debug(world):
    return no_key_for(world, "CL4006", "--debug", state=world.stack.dir / "platform")


@attempt("code", "swap the running image: write to its file and to /proc/PID/exe")
def swap(world):
    path = f"/proc/{world.enclave}/exe"
    for mode in ("r+b", "wb", "ab"):
        try:
            open(path, mode).close()
        except OSError:
            continue
        raise Succeeded(mode)
    return "the sealed copy can't be opened for writing"
