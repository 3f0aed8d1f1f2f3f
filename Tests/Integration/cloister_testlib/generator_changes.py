"""Random scripts: queries, DML, prepared statements, cursors and COPY over a Schema."""

import itertools

from cloister_testlib import generator_values as values
from cloister_testlib.generator import ID, Queries, make_select
from cloister_testlib.twins import Parameter, Step


class Changes(Queries):
    """DML: a statement's outcome never hangs on which row is taken."""

    def row(self, table, row_id):
        cells = [str(row_id), str(self.choices.below(3)), f"'{self.choices.of('xyz')}'"]
        for column in table.columns:
            cells.append("DEFAULT" if self.choices.once_in(15) else self.constant(column.domain))
        return f"({', '.join(cells)})"

    def new_id(self):
        return 20 + self.choices.below(26)

    def returning(self, table):
        c = self.choices
        if c.below(2) == 0:
            return ""
        return " RETURNING " + c.of(["*", "id", f"{c.of(table.columns).name}", f"{table.columns[0].name} AS a, id AS b"])

    def assignment(self, table, source):
        """SET items; the expressions see `source`."""
        c = self.choices
        chosen = list(dict.fromkeys(c.of(table.columns) for _ in range(1 + c.below(2))))
        if len(chosen) == 2 and c.once_in(3):
            return f"({chosen[0].name}, {chosen[1].name}) = ({self.constant(chosen[0].domain)}, {self.constant(chosen[1].domain)})"
        items = []
        for column in chosen:
            same = self.columns(source, lambda d, wanted=column.domain: d == wanted)
            if same and c.once_in(3):
                reference, domain = c.of(same)
                items.append(f"{column.name} = {self.expression(reference, domain, source, 1)}")
            else:
                items.append(f"{column.name} = {self.constant(column.domain)}")
        if c.once_in(4):
            items.append("grp = 1")
        return ", ".join(items)

    def target(self, table):
        """The table under its own alias, for UPDATE and DELETE."""
        alias = self.name("t")
        columns = [(f"{alias}.id", ID), (f"{alias}.grp", ID)] + [(f"{alias}.{c.name}", c.domain) for c in table.columns]
        return alias, [type(self.base())(f"{table.name} {alias}", columns, [f"{alias}.id"])]

    def insert(self):
        c = self.choices
        table = c.of(self.schema.tables)
        conflict = c.below(4)
        if c.once_in(4):
            source = self.aliased(table)
            alias = source.ids[0].split(".")[0]
            columns = ", ".join(f"{alias}.{col.name}" for col in table.columns)
            body = f"SELECT {alias}.id + {20 + c.below(3)}, {alias}.grp, {alias}.note, {columns} FROM {source.sql} WHERE {alias}.id < 4 AND {self.condition([source], 1)}"
        else:
            ids = list(dict.fromkeys(self.new_id() for _ in range(1 + c.below(3))))
            body = f"VALUES {', '.join(self.row(table, i) for i in ids)}"
        names = ", ".join(["id", "grp", "note", *(col.name for col in table.columns)])
        tail = ""
        if conflict == 1:
            tail = " ON CONFLICT DO NOTHING"
        elif conflict == 2 and not table.unique:
            column = c.of(table.columns)
            tail = f" ON CONFLICT (id) DO UPDATE SET {column.name} = {f'excluded.{column.name}' if c.below(2) else self.constant(column.domain)}"
            comparable = column.domain.type not in values.STORED_ONLY
            if comparable and c.below(2):
                tail += f" WHERE {table.name}.{column.name} IS DISTINCT FROM {self.constant(column.domain)}"
        elif conflict == 3 and table.unique:
            tail = f" ON CONFLICT ({table.unique}) DO NOTHING"
        return f"INSERT INTO {table.name} {c.of(['', f'({names}) '])}{body}{tail}{self.returning(table)}"

    def update(self):
        c = self.choices
        table = c.of([t for t in self.schema.tables if not t.unique] if c.below(4) else self.schema.tables)
        alias, target = self.target(table)
        if c.once_in(4):
            other = self.base()
            where = f"{other.ids[0]} = {alias}.id AND {self.condition([*target, other], 1)}"
            return f"UPDATE {table.name} {alias} SET {self.assignment(table, [*target, other])} FROM {other.sql} WHERE {where}"
        if table.unique:
            return f"UPDATE {table.name} {alias} SET {self.assignment(table, target)} WHERE {alias}.id = {c.below(24)}{self.returning(table)}"
        where = f"{alias}.id {c.of(['=', '<'])} {c.below(24)} AND {self.condition(target, 2)}"
        return f"UPDATE {table.name} {alias} SET {self.assignment(table, target)} WHERE {where}{self.returning(table)}"

    def delete(self):
        c = self.choices
        table = c.of(self.schema.tables)
        alias, target = self.target(table)
        if c.once_in(4):
            other = self.base()
            return f"DELETE FROM {table.name} {alias} USING {other.sql} WHERE {other.ids[0]} = {alias}.id AND {alias}.id >= 20 AND {self.condition([*target, other], 1)}"
        return f"DELETE FROM {table.name} {alias} WHERE {alias}.id >= {18 + c.below(8)} AND {self.condition(target, 2)}{self.returning(table)}"

    def merge(self):
        c = self.choices
        table = c.of([t for t in self.schema.tables if not t.unique and not t.partitions])
        alias, target = self.target(table)
        column = c.of(table.columns)
        if c.below(2):
            source, key, value = f"(VALUES ({self.new_id()}, {self.listed(column.domain)}), (3, {self.listed(column.domain)})) s (id, x)", "s.id", "s.x"
        else:
            other = c.of([t for t in self.schema.tables if any(col.domain == column.domain for col in t.columns)])
            theirs = next(col for col in other.columns if col.domain == column.domain)
            source, key, value = f"{other.name} s", "s.id", f"s.{theirs.name}"
        # The source's value is used at least once: a constant that meets no marked column is sent as it is.
        first = itertools.chain([True], itertools.repeat(False))
        given = lambda: value if next(first) or c.below(2) else self.constant(column.domain)
        clauses = []
        if c.below(3):
            clauses.append(f"WHEN NOT MATCHED THEN INSERT (id, {column.name}) VALUES ({key} + 0, {given()})")
        if c.below(3) or not clauses:
            clauses.append(f"WHEN MATCHED AND {self.condition(target, 1)} THEN UPDATE SET {column.name} = {given()}")
        clauses += [clause for clause in ("WHEN MATCHED AND s.id > 40 THEN DELETE", "WHEN MATCHED THEN DO NOTHING") if c.below(3)]
        return f"MERGE INTO {table.name} {alias} USING {source} ON {alias}.id = {key} {' '.join(clauses)}"

    def modifying_cte(self):
        c = self.choices
        table = c.of([t for t in self.schema.tables if not t.unique])
        alias, target = self.target(table)
        column = c.of(table.columns)
        if c.below(2):
            inner = f"UPDATE {table.name} {alias} SET {self.assignment(table, target)} WHERE {alias}.id < 9 AND {self.condition(target, 1)}"
        else:
            inner = f"DELETE FROM {table.name} {alias} WHERE {alias}.id > 22 AND {self.condition(target, 1)}"
        inner += f" RETURNING {alias}.id, {alias}.{column.name} AS x"
        where = ""
        if column.domain.type not in values.STORED_ONLY and c.below(2):
            where = f" WHERE x {c.of(['=', '<>'])} {self.constant(column.domain)} OR x IS NULL"
        return f"WITH done AS ({inner}) SELECT id, x FROM done{where} ORDER BY id"


def _prepared(schema, c):
    parameters = []
    queries = Queries(schema, c, parameters)
    while True:
        text, ordered = queries.query(1)
        break
    if any(p.binary is not None or p.text is None or p.text.startswith(b"{") for p in parameters):
        parameters = [Parameter(p.oid, p.text) for p in parameters]
    by_oid = {pair[0]: kind for kind, pair in values.OIDS.items()} | {pair[1]: f"{kind}[]" for kind, pair in values.OIDS.items()}
    declared = f" ({', '.join(by_oid.get(p.oid, 'unknown') for p in parameters)})" if parameters else ""
    arguments = f" ({', '.join(values.quoted(p.text.decode()) for p in parameters)})" if parameters else ""
    return [Step(f"PREPARE p{declared} AS {text}"), Step(f"EXECUTE p{arguments}", ordered=ordered), Step(f"EXECUTE p{arguments}", ordered=ordered), Step("DEALLOCATE p")]


def _cursor(schema, c):
    queries = Queries(schema, c)
    text, ordered = queries.query(1)
    if not ordered:
        return [Step(text, ordered=False)]
    scroll = c.of(["", "SCROLL "])
    fetches = [f"FETCH {1 + c.below(5)} FROM cu", "MOVE 2 FROM cu", "FETCH ALL FROM cu"] + (["FETCH PRIOR FROM cu", "FETCH FIRST FROM cu", "FETCH ABSOLUTE 3 FROM cu"] if scroll else [])
    chosen = [Step(c.of(fetches)) for _ in range(1 + c.below(4))]
    return [Step("BEGIN"), Step(f"DECLARE cu {scroll}CURSOR FOR {text}"), *chosen, Step("CLOSE cu"), Step("COMMIT")]


def _field(value, form, c):
    if value is None:
        return "\\N" if form == "text" else ""
    if form == "text":
        return value.text.replace("\\", "\\\\").replace("\t", "\\t")
    return '"' + value.text.replace('"', '""') + '"'


def _copy(schema, c):
    table = c.of(schema.tables)
    columns = ["id", "grp"] + [col.name for col in table.columns]
    form = c.of(["text", "csv"])
    match c.below(3):
        case 0:
            return [Step(f"COPY {table.name} ({', '.join(columns)}) TO STDOUT (FORMAT {form}{c.of(['', ', HEADER'])})".replace(", HEADER", ", HEADER" if form == "csv" else ""), ordered=False)]
        case 1:
            queries = Queries(schema, c)
            text, ordered = queries.query(1)
            return [Step(f"COPY ({text}) TO STDOUT (FORMAT {form})", ordered=ordered)]
    lines = []
    for number in range(1 + c.below(4)):
        cells = [None if c.once_in(7) else c.of(schema.pools[col.domain.type]) for col in table.columns]
        fields = [str(50 + number), "1"] + [_field(cell, form, c) for cell in cells]
        lines.append(("\t" if form == "text" else ",").join(fields) + "\n")
    return [
        Step(f"DELETE FROM {table.name} WHERE id >= 50"),
        Step(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT {form})", copied="".join(lines).encode()),
        Step(f"SELECT * FROM {table.name} WHERE id >= 50 ORDER BY id"),
    ]


def _batch(schema, c):
    """Several statements in one simple query: one transaction, or one of their own."""
    texts = []
    ordered = True
    for _ in range(2 + c.below(2)):
        text, total = Queries(schema, c).query(1) if c.below(2) else (Changes(schema, c).delete(), False)
        ordered = ordered and total
        texts.append(text)
    if c.once_in(3):
        texts = ["BEGIN", *texts, "ROLLBACK"]
    return [Step("; ".join(texts), ordered=ordered)]


def make_script(schema, c):
    kind = c.below(40)
    if kind < 22:
        return [make_select(schema, c)]
    if kind >= 36:
        return [_prepared, _cursor, _copy, _batch][kind - 36](schema, c)
    parameters = [] if c.below(2) else None
    changes = Changes(schema, c, parameters)
    method = [changes.insert, changes.update, changes.delete, changes.merge, changes.modifying_cte][[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4][kind - 22]]
    text = method()
    binary = bool(c.below(2)) if parameters is not None else False
    return [Step(text, None if parameters is None else tuple(parameters), binary, ordered=verb_orders(text))]


def verb_orders(text):
    return text.startswith("WITH")
