"""`make attack`: plays the database host's root and its administrator against a running stack, and prints what came of it.

usage: python Tests/Attack [WORD…]   only the attempts whose group or title holds one of the words
Exits 1 if an attempt succeeds, or could not be made.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402

for name in ("debugger", "altered", "administrator", "slots", "search"):
    __import__(name)

from conftest import running_stack  # noqa: E402


def main(words):
    if os.geteuid() != 0:
        sys.exit("attack: root's attempts need root")
    missing = [tool for tool in ("gdb", "strace", "gcore", "tcpdump") if not shutil.which(tool)]
    if missing:
        sys.exit(f"attack: install {', '.join(missing)}")
    wanted = [entry for entry in harness.ATTEMPTS if not words or any(word in f"{entry[0]} {entry[1]}" for word in words)]
    failed = 0
    folder = tempfile.mkdtemp(prefix="attack-")
    started = time.monotonic()
    try:
        with running_stack(harness.CONFIG) as stack:
            world = harness.World(stack, folder)
            print(f"{harness.ROWS * 5} values planted, {len(world.keys())} keys, as root (uid {os.geteuid()})\n")
            for number, (group, title, function) in enumerate(wanted, 1):
                try:
                    outcome = f"denied    {function(world)}"
                except harness.Succeeded as success:
                    failed += 1
                    outcome = f"SUCCEEDED {success}"
                except Exception as error:  # what can't be tried proves nothing
                    failed += 1
                    outcome = f"NOT MADE  {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
                    traceback.print_exc()
                print(f"{number:3}  {group:9} {title}\n               {outcome}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{len(wanted) - failed} of {len(wanted)} attempts denied in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
