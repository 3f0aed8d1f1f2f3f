"""The same statements through the proxy and on a plaintext twin: a database of its own beside it, with the same names and code-point
order, reached past the proxy. Works on libpq itself, so that nothing of a driver hides a difference."""

import contextlib
import re
import struct
import typing

from psycopg import pq

OK = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY)
TWIN = "twin"

# Known differences. A marked column's length or precision is not in descriptions (typmod -1).
# The result has the column's own type where PostgreSQL finds a wider one for column and constant, or text for varchar.
COLUMN_TYPE = {(23, 21), (1700, 20), (1700, 23), (1700, 21), (20, 23), (20, 21), (701, 700), (25, 1043), (25, 1042)}


class Parameter(typing.NamedTuple):
    """`oid` 0: left to the server. `binary` None: the text is sent."""

    oid: int
    text: bytes | None
    binary: bytes | None = None


class Step(typing.NamedTuple):
    """One statement. `parameters` None: the simple protocol. `copied`: data for COPY FROM STDIN. `ordered`: rows have one order.
    `reads`: it changes nothing, so that the twin may run it even if the proxy refuses."""

    sql: str
    parameters: tuple | None = None
    binary: bool = False
    copied: bytes | None = None
    ordered: bool = True
    reads: bool = False


class Outcome(typing.NamedTuple):
    kind: str  # rows, copy, error, refusal
    columns: tuple = ()
    rows: tuple = ()
    tag: str = ""
    code: str = ""
    message: str = ""


def sqlstate(result):
    return (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()


def _failure(result):
    message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message).decode(errors="replace")
    state = sqlstate(result)
    found = re.search(r"CL\d{4}", result.error_message.decode(errors="replace"))
    return Outcome("refusal" if found and state == "0A000" else "error", code=found[0] if found and state == "0A000" else state, message=message)


def _rows(result):
    columns = tuple(
        (result.fname(i).decode(), result.ftype(i), result.fmod(i), result.fsize(i), result.ftablecol(i), result.fformat(i)) for i in range(result.nfields)
    )
    rows = tuple(tuple(result.get_value(row, i) for i in range(result.nfields)) for row in range(result.ntuples))
    return Outcome("rows", columns, rows, (result.command_status or b"").decode())


def _copy_out(connection, result):
    formats = tuple(result.fformat(i) for i in range(result.nfields))
    data = []
    while True:
        count, chunk = connection.get_copy_data(0)
        if count == -1:
            break
        data.append(bytes(chunk))
    ended = connection.get_result()
    return _failure(ended) if ended.status not in OK else Outcome("copy", (formats,), tuple(data), ended.command_status.decode())


def send(connection, step):
    if step.parameters is None:
        connection.send_query(step.sql.encode())
    else:
        given = step.parameters
        connection.send_query_params(
            step.sql.encode(),
            [p.text if p.binary is None else p.binary for p in given],
            param_types=[p.oid for p in given],
            param_formats=[int(p.binary is not None) for p in given],
            result_format=int(step.binary),
        )


def receive(connection, step):
    """Outcomes of all the statements of a step."""
    found = []
    while (result := connection.get_result()) is not None:
        if result.status == pq.ExecStatus.COPY_IN:
            connection.put_copy_data(step.copied or b"")
            connection.put_copy_end()
        elif result.status == pq.ExecStatus.COPY_OUT:
            found.append(_copy_out(connection, result))
        elif result.status in OK:
            found.append(_rows(result))
        else:
            found.append(_failure(result))
            if connection.status != pq.ConnStatus.OK:
                break
    return found


def run(connection, step):
    send(connection, step)
    return receive(connection, step)


def same_columns(ours, theirs):
    """Names, types, modifiers, sizes, attribute numbers and formats; the types of COLUMN_TYPE may differ."""
    if len(ours) != len(theirs):
        return False
    for (name, kind, modifier, size, place, form), other in zip(ours, theirs):
        if (name, form) != (other[0], other[5]) or place and other[4] and place != other[4]:
            return False
        if kind == other[1]:
            if size != other[3] or modifier not in (-1, other[2]):
                return False
        elif (other[1], kind) not in COLUMN_TYPE:
            return False
    return True


def _number(oid, value):
    """What a number is, whatever its type; other values, and numeric in binary, as they are."""
    if value is None or oid not in (21, 23, 20, 700, 701):
        return value
    return struct.unpack(">f" if oid == 700 else ">d", value)[0] if oid in (700, 701) else int.from_bytes(value, "big", signed=True)


def _alike(ours, theirs):
    """The rows of both, where columns of COLUMN_TYPE in binary are numbers."""
    wider = {i for i, (mine, other) in enumerate(zip(ours.columns, theirs.columns)) if mine[1] != other[1] and mine[5] == 1}
    if not wider:
        return ours.rows, theirs.rows
    read = lambda side: tuple(tuple(repr(_number(side.columns[i][1], v)).encode() if i in wider and v is not None else v for i, v in enumerate(row)) for row in side.rows)
    return read(ours), read(theirs)


def differ(ours, theirs, ordered):
    """What differs between two outcomes, or None."""
    if ours.kind != theirs.kind:
        return f"{ours.kind} {ours.code} against {theirs.kind} {theirs.code}"
    if ours.kind == "error":
        return None if ours.code == theirs.code else f"SQLSTATE {ours.code} against {theirs.code}"
    if ours.kind == "refusal":
        return None
    if ours.tag != theirs.tag:
        return f"tag {ours.tag} against {theirs.tag}"
    if ours.kind == "copy":
        return None if sorted(ours.rows) == sorted(theirs.rows) and (not ordered or ours.rows == theirs.rows) else "copied data"
    if not same_columns(ours.columns, theirs.columns):
        return "columns"
    key = lambda row: tuple((value is None, value or b"") for value in row)
    mine, others = _alike(ours, theirs)
    if ordered and mine != others:
        return "rows or their order" if sorted(mine, key=key) == sorted(others, key=key) else "rows"
    return None if ordered or sorted(mine, key=key) == sorted(others, key=key) else "rows"


class Twins:
    """Two connections. `compare` runs a step on both; what the proxy refuses does not run on the twin, unless it only reads."""

    def __init__(self, stack, port=None):
        values = stack.environment
        known = f"host={values['PGHOST']} user={values['PGUSER']} password={values['PGPASSWORD']} connect_timeout=20 client_encoding=UTF8"
        self.ours = pq.PGconn.connect(f"{known} port={port or stack.proxy_port} dbname={values['PGDATABASE']}".encode())
        self.theirs = pq.PGconn.connect(f"{known} port={stack.direct_port} dbname={TWIN}".encode())
        for side in (self.ours, self.theirs):
            if side.status != pq.ConnStatus.OK:
                raise RuntimeError(side.error_message.decode(errors="replace"))

    # OIDs of users' types, which differ between databases, and their names.
    names = ({}, {})

    def learn_types(self):
        """To be called when users' types were made: results are then compared by their names."""
        query = Step("SELECT oid, typname FROM pg_type WHERE typtype IN ('e', 'd') AND oid >= 16384")
        self.names = tuple({int(oid): name.decode() for oid, name in run(side, query)[0].rows} for side in (self.ours, self.theirs))

    def _named(self, outcome, side):
        return outcome._replace(columns=tuple((c[0], self.names[side].get(c[1], c[1]), *c[2:]) for c in outcome.columns)) if outcome.kind == "rows" else outcome

    def both(self, sql):
        """Set-up, which must work on both sides."""
        for side in (self.ours, self.theirs):
            for outcome in run(side, Step(sql)):
                if outcome.kind not in ("rows", "copy"):
                    raise AssertionError(f"{sql[:2000]}\n{outcome.message}")

    def compare(self, step):
        """(outcomes of the proxy, outcomes of the twin or None if refused, what differs or None)."""
        send(self.ours, step)
        if step.reads:
            send(self.theirs, step)
        ours = receive(self.ours, step)
        refused = any(outcome.kind == "refusal" for outcome in ours)
        if step.reads:
            theirs = receive(self.theirs, step)
        elif not refused:
            theirs = run(self.theirs, step)
        if refused:
            return ours, None, None
        if len(ours) != len(theirs):
            return ours, theirs, f"{len(ours)} results against {len(theirs)}"
        for pair in zip(ours, theirs):
            if difference := differ(*(self._named(outcome, side) for side, outcome in enumerate(pair)), step.ordered):
                return ours, theirs, difference
        if self.ours.transaction_status != self.theirs.transaction_status:
            return ours, theirs, f"transaction state {self.ours.transaction_status} against {self.theirs.transaction_status}"
        return ours, theirs, None

    def settle(self):
        """Ends a transaction and forgets prepared statements."""
        for side in (self.ours, self.theirs):
            if side.transaction_status != pq.TransactionStatus.IDLE:
                run(side, Step("ROLLBACK"))
        for side in (self.ours, self.theirs):
            run(side, Step("DEALLOCATE ALL"))

    def close(self):
        self.ours.finish()
        self.theirs.finish()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def make_twin(stack):
    """The twin's database: compares by code point, as encrypted text does."""
    with stack.superuser() as boss:
        boss.execute(f"CREATE DATABASE {TWIN} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' OWNER {stack.environment['PGUSER']}")


@contextlib.contextmanager
def twins(stack, port=None):
    with Twins(stack, port) as pair:
        yield pair
