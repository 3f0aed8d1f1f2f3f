"""PostgreSQL's own regression tests through the proxy: the same output, byte for byte, as past it.

Each file runs in psql as pg_regress runs it, in the schedule's order, in a database of its own on each way. The outputs are compared
with one another, not with the expected ones: Debian's sources are of another minor version than its server. By default the files run
that take little time (about a third of the schedule: DDL is slower through the proxy, which reads the catalog anew after each);
CLOISTER_REGRESS=all runs every one.
"""

import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import ROOT

SOURCE = ROOT / ".cloister" / "regress"
CONFIG = """
columns:
  marked.secrets:
    name: { type: text, encryption: randomized, key: k }
"""
# What later files build on.
FOUNDATION = ["test_setup", "create_index", "create_misc", "create_aggregate", "create_function_c"]
QUICK = """
boolean char name varchar text int2 int4 int8 oid float4 float8 bit numeric txid uuid enum money rangetypes pg_lsn regproc strings
numerology point lseg line box path polygon circle date time timetz timestamp timestamptz interval inet macaddr macaddr8 geometry
horology tstypes regex copy copydml insert insert_conflict create_view select select_into select_distinct select_distinct_on
select_implicit select_having subselect union case join aggregates transactions random portals arrays hash_index update delete namespace
prepared_xacts init_privs matview password tsrf tid tidscan tidrangescan misc_functions async dbsize merge collate.icu.utf8 window
xmlmap functional_deps advisory_lock json jsonb json_encoding jsonpath plancache limit temp prepare conversion copy2 rangefuncs
returning with xml
""".split()
# What differs, and why. A file that differs otherwise, or no more, fails.
KNOWN = {
    "strings": "U& constants with standard_conforming_strings off: the proxy refuses what it can't read, in PostgreSQL's words and with its SQLSTATE; the DETAIL is ours",
}
SETTINGS = ("lc_messages TO 'C'", "lc_monetary TO 'C'", "lc_numeric TO 'C'", "lc_time TO 'C'", "bytea_output TO 'hex'", "timezone_abbreviations TO 'Default'")


def schedule():
    names = []
    for line in (SOURCE / "parallel_schedule").read_text().splitlines():
        if line.startswith("test:"):
            names += line.split()[1:]
    if os.environ.get("CLOISTER_REGRESS") == "all":
        return names
    assert set(QUICK) <= set(names)
    return [name for name in names if name in QUICK or name in FOUNDATION]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Where the tests' C functions and scratch files are; readable by PostgreSQL's user."""
    folder = tmp_path_factory.mktemp("regress")
    for parent in [folder, *folder.parents[:3]]:
        if parent.owner() == folder.owner():
            parent.chmod(parent.stat().st_mode | 0o755)
    folder.chmod(0o777)
    (folder / "results").mkdir()
    (folder / "results").chmod(0o777)
    shutil.copytree(SOURCE, folder / "source")
    subprocess.run(["chmod", "-R", "a+rX", folder / "source"], check=True)
    include = subprocess.check_output(["pg_config", "--includedir-server"], text=True).strip()
    library = pathlib.Path(subprocess.check_output(["pg_config", "--pkglibdir"], text=True).strip())
    subprocess.run(["cc", "-O1", "-w", "-shared", "-fPIC", f"-I{include}", folder / "source/regress.c", "-o", folder / "regress.so"], check=True)
    for name in ("refint.so", "autoinc.so"):
        shutil.copy(library / name, folder / name)
    return folder


def fresh(stack):
    with stack.superuser(dbname="postgres") as admin:
        admin.execute("DROP DATABASE IF EXISTS regression WITH (FORCE)")
        for (role,) in admin.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'regress%'").fetchall():
            admin.execute(f'DROP ROLE "{role}"')
        admin.execute("CREATE DATABASE regression TEMPLATE template0")
        for setting in SETTINGS:
            admin.execute(f"ALTER DATABASE regression SET {setting}")


def outputs(stack, port, names, build):
    fresh(stack)
    values = stack.environment
    environment = {
        **os.environ, "PGHOST": values["PGHOST"], "PGPORT": str(port), "PGUSER": values["CLOISTER_SUPERUSER"],
        "PGPASSWORD": values["CLOISTER_SUPERUSER_PASSWORD"], "PGDATABASE": "regression", "PGTZ": "PST8PDT", "PGDATESTYLE": "Postgres, MDY",
        "PGOPTIONS": "-c intervalstyle=postgres_verbose", "LC_MESSAGES": "C", "LANG": "C", "PG_ABS_SRCDIR": str(build / "source"),
        "PG_ABS_BUILDDIR": str(build), "PG_LIBDIR": str(build), "PG_DLSUFFIX": ".so",
    }
    found = {}
    for name in names:
        with open(build / "source" / "sql" / f"{name}.sql", encoding="utf-8") as script:
            ran = subprocess.run(["psql", "-X", "-a", "-q"], stdin=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                                 timeout=300, check=False)
        found[name] = ran.stdout
    return found


def test_the_same_output(make_stack, build):
    names = schedule()
    with make_stack(CONFIG) as stack:
        direct = outputs(stack, stack.direct_port, names, build)
        through = outputs(stack, stack.proxy_port, names, build)
    assert sum(map(len, direct.values())) > 500_000 and b"ERROR" in direct["strings"]
    different = {name for name in names if direct[name] != through[name]}
    for name in different - set(KNOWN):
        (build / f"{name}.direct").write_bytes(direct[name])
        (build / f"{name}.through").write_bytes(through[name])
        subprocess.run(["diff", build / f"{name}.direct", build / f"{name}.through"], check=False)
    assert different == set(KNOWN) & set(names)
