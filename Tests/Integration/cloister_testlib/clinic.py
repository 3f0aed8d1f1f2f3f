"""The tables of the client tests: the same work is done through the proxy, on marked columns, and past it on a plaintext twin in
schema `plain`; what a client sees must be the same."""

import datetime
import decimal
import uuid

# column → (type in SQL, scheme, key); the others are not marked.
MARKED = {
    "ssn": ("text", "deterministic", "ids"),
    "name": ("text", "randomized", "people"),
    "born": ("date", "randomized", "people"),
    "balance": ("numeric", "randomized", "people"),
    "visits": ("int4", "randomized", "people"),
    "seen": ("timestamptz", "randomized", "people"),
    "active": ("boolean", "randomized", "people"),
    "token": ("uuid", "deterministic", "ids"),
    "photo": ("bytea", "randomized", "people"),
    "big": ("int8", "deterministic", "ids"),
    "score": ("float8", "randomized", "people"),
    "code": ("varchar(10)", "randomized", "people"),
}
COLUMNS = ", ".join(["id", *MARKED, "city"])
DEFINITION = "id int PRIMARY KEY, ssn text UNIQUE, " + ", ".join(
    f"{name} {kind}" for name, (kind, *_) in MARKED.items() if name != "ssn"
) + ", city text"

_UTC = datetime.timezone.utc
ROWS = [
    (1, "111-11", "Ada", datetime.date(1815, 12, 10), decimal.Decimal("10.50"), 3, datetime.datetime(2024, 2, 29, 12, tzinfo=_UTC),
     True, uuid.UUID(int=1), b"\x00\xff\\", 1 << 40, 0.1, "a-1", "London"),
    (2, "222-22", "Bob 'L' \\", datetime.date(1901, 1, 1), decimal.Decimal("-3"), 7, datetime.datetime(1999, 1, 1, tzinfo=_UTC),
     False, uuid.UUID(int=2), b"", -5, -1.5e300, "b-2", "Rome"),
    (3, None, None, None, None, None, None, None, None, None, None, None, None, None),
    (4, "444-44", "Émile\t\n", datetime.date(1950, 6, 30), decimal.Decimal("99999999999.001"), 3,
     datetime.datetime(2024, 2, 29, 12, 0, 0, 5, tzinfo=_UTC), True, uuid.UUID(int=4), b"x" * 300, 0, 2.5, "d-4", "Paris"),
    (5, "555-55", "ada", datetime.date(2001, 9, 9), decimal.Decimal("0"), -2147483648, None, None, None, None, None, None, "", None),
]  # fmt: skip


def config(*tables):
    """The configuration that marks these tables, all in schema public."""
    lines = ["columns:"]
    for table in tables:
        lines.append(f"  public.{table}:")
        lines += [f"    {name}: {{ type: {kind}, encryption: {scheme}, key: {key} }}" for name, (kind, scheme, key) in MARKED.items()]
    return "\n".join(lines) + "\n"


def difference(ours, theirs):
    """The first step whose results differ; None if all are the same."""
    for number, (mine, other) in enumerate(zip(ours, theirs)):
        if mine != other:
            return f"step {number}: {mine!r} through the proxy, {other!r} on the twin"
    return None if len(ours) == len(theirs) else f"{len(ours)} steps through the proxy, {len(theirs)} on the twin"
