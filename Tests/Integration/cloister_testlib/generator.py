"""Random tables with marked columns and random statements over them, by a grammar.

Every choice goes through `Choices`, where 0 is the simplest: a statement is a function of a list of integers, so that it can be made
again, and made smaller by setting choices to 0. Statements are written so that SQL fixes their outcome: rows either have one order or
are compared without; no statement depends on which of several rows is taken.
"""

import random
import typing

from cloister_testlib import generator_values as values
from cloister_testlib.twins import Parameter, Step

ID, WORD = ("plain", "int4"), ("plain", "text")


class Domain(typing.NamedTuple):
    """Columns of one domain may meet. `scheme`: randomized or deterministic. `declared` has the limit."""

    scheme: str
    type: str
    declared: str

    @property
    def is_ordered(self):
        return self.scheme == "randomized" and self.type not in values.STORED_ONLY

    @property
    def is_matched(self):
        return self.scheme == "randomized" and self.type in values.TEXTS

    @property
    def key(self):
        return "kr" if self.scheme == "randomized" else "kd"


class Column(typing.NamedTuple):
    name: str
    domain: typing.Any


class Table(typing.NamedTuple):
    name: str
    columns: list  # marked ones
    unique: str | None
    partitions: list


class Source(typing.NamedTuple):
    sql: str
    columns: list  # (reference, domain)
    ids: list | None  # references that make a row unique


class Choices:
    """Random at first; `replay` gives the numbers again, then 0."""

    def __init__(self, seed=None, replay=None):
        self.random = random.Random(seed)
        self.replay = replay
        self.taken = []

    def below(self, limit):
        if limit <= 1:
            return 0
        if self.replay is None:
            number = self.random.randrange(limit)
        else:
            number = self.replay[len(self.taken)] if len(self.taken) < len(self.replay) else 0
            number = min(number, limit - 1)
        self.taken.append(number)
        return number

    def of(self, sequence):
        return sequence[self.below(len(sequence))]

    def once_in(self, n):
        """True with probability 1/n; never when all choices are 0."""
        return self.below(n) == n - 1


DECLARED = {"varchar": ["varchar", "varchar(40)"], "bpchar": ["char(16)"], "numeric": ["numeric", "numeric(14,6)"]}


class Schema:
    """Tables of one generation; `prefix` makes their names unique."""

    def __init__(self, prefix, seed, types):
        rng = random.Random(seed)
        self.domains = []
        for number in range(6):
            kind = rng.choice(types) if number else "text"
            scheme = "deterministic" if number % 3 == 2 else "randomized"
            # Deterministic char(n) and intervals are shown in the one form of equal values (docs/values.md).
            kind = {"bpchar": "varchar", "interval": "uuid"}.get(kind, kind) if scheme == "deterministic" else kind
            declared = rng.choice(DECLARED.get(kind, [kind]))
            # So are the zeros behind the point, which numeric(14,6) adds.
            domain = Domain(scheme, kind, kind if (scheme, kind) == ("deterministic", "numeric") else declared)
            if domain not in self.domains and (scheme, kind) not in [(d.scheme, d.type) for d in self.domains]:
                self.domains.append(domain)
        self.pools = {kind: values.pool(kind, rng) for kind in sorted({d.type for d in self.domains})}
        self.tables = []
        for letter in "abcd":
            name = prefix + letter if letter != "c" else f'"{prefix}C x"'
            columns = [Column(self._name(rng, i, letter), rng.choice(self.domains) if i else self.domains[0]) for i in range(rng.randrange(3, 7))]
            ordered = [c for c in columns if c.domain.type not in values.STORED_ONLY + ("boolean",)]
            unique = rng.choice(ordered).name if letter == "b" and ordered else None
            self.tables.append(Table(name, columns, unique, [f"{prefix}{letter}_{i}" for i in (1, 2)] if letter == "d" else []))
        self.rng = rng

    @staticmethod
    def _name(rng, i, letter):
        return f'"Col {i}"' if rng.randrange(9) == 0 else f"c{i}" if rng.randrange(2) else f"{letter}{i}"

    def marks(self):
        """Lines of the configuration's `columns:`."""
        for table in self.tables:
            for name in [table.name, *table.partitions]:
                written = f"'public.{name}'" if '"' in name else f"public.{name}"
                yield f"  {written}:"
                for column in table.columns:
                    written = f"'{column.name}'" if '"' in column.name else column.name
                    domain = column.domain
                    yield f"    {written}: {{ type: '{domain.declared}', encryption: {domain.scheme}, key: {domain.key} }}"

    def create(self):
        rng = self.rng
        for table in self.tables:
            columns = ", ".join(f"{c.name} {c.domain.declared}" for c in table.columns)
            by = " PARTITION BY RANGE (id)" if table.partitions else ""
            yield f"CREATE TABLE {table.name} (id int4 PRIMARY KEY, grp int4, note text, {columns}){by}"
            for i, partition in enumerate(table.partitions):
                yield f"CREATE TABLE {partition} PARTITION OF {table.name} FOR VALUES FROM ({i * 20}) TO ({i * 20 + 20 if i == 0 else 1000})"
            if table.unique:
                yield f"CREATE UNIQUE INDEX ON {table.name} ({table.unique})"
            for column in table.columns:
                if rng.randrange(2) and column.domain.type not in values.STORED_ONLY:
                    yield f"CREATE INDEX ON {table.name} {'USING hash' if rng.randrange(4) == 0 else ''} ({column.name})"
            for number in range(24):
                cells = []
                for column in table.columns:
                    value = rng.choice(self.pools[column.domain.type])
                    if column.name == table.unique:
                        value = values.fresh(column.domain.type, rng) if number % 3 else None
                    cells.append("NULL" if value is None or rng.randrange(6) == 0 else values.quoted(value.text))
                yield f"INSERT INTO {table.name} VALUES ({number}, {rng.choice(['NULL', 0, 1, 2])}, '{rng.choice('xyz')}', {', '.join(cells)}) ON CONFLICT DO NOTHING"

    def drop(self):
        return "DROP TABLE IF EXISTS " + ", ".join(t.name for t in self.tables) + " CASCADE"


class Queries:
    """Expressions and SELECT. `self.parameters` is None for the simple protocol."""

    def __init__(self, schema, choices, parameters=None):
        self.schema = schema
        self.choices = choices
        self.parameters = parameters
        self.names = 0
        self.ctes = []  # Sources by their bare name

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    # Constants and expressions

    def value(self, domain):
        return self.choices.of(self.schema.pools[domain.type])

    def constant(self, domain):
        c = self.choices
        if c.once_in(14):
            return "NULL"
        value = self.value(domain)
        if c.once_in(10) and (written := self.computed(value)):
            return written
        if self.parameters is not None and c.below(3):
            return self.parameter(domain, value)
        return values.spelled(value, c.below(8))

    def computed(self, value):
        """An expression of constants and parameters that comes to the value; None for a type or value that has none."""
        c = self.choices
        kind, text = value.type, value.text
        at = c.below(len(text) + 1)
        parts = values.quoted(text[:at]), values.quoted(text[at:])
        if self.parameters is not None and c.below(2):
            self.parameters.append(Parameter(25, text[:at].encode()))
            parts = f"${len(self.parameters)}" + c.of(["", "::text"]), parts[1]
        joined = c.of([f"({parts[0]} || {parts[1]})", f"concat({parts[0]}, {parts[1]})", f"replace({parts[0]} || '~' || {parts[1]}, '~', '')"])
        if kind in ("text", "varchar"):
            return c.of([joined, f"substr('ab' || {joined}, 3)", f"left({joined} || 'xy', -2)", f"{joined}::{kind}", f"ltrim('  ' || {joined}, ' ')"])
        if kind in ("uuid", "date", "timestamp", "bytea", "inet", "numeric") and c.below(3) == 0:
            return f"{joined}::{kind}"
        if text.lstrip("-")[:1].isdigit() is False or "BC" in text:
            return None
        n = 1 + c.below(40)
        match kind:
            case "int4" | "int8":
                return c.of([f"({text}::{kind} - {n} + {n})", f"({n} * {text}::int8 / {n})::{kind}", f"abs({text}::{kind})" if not text.startswith("-") else f"(- abs({text}::{kind}))"]) if -(10**9) < int(text) < 10**17 else None
            case "numeric":
                return c.of([f"({text} + 0.5 - 0.5)", f"round({text}00, {len(text.partition('.')[2])})", f"({text} * 1)"])
            case "date":
                return c.of([f"('{text}'::date - {n} + {n})", f"(date '{text}' + integer '{n}' - {n})"])
            case "timestamp":
                return c.of([f"(timestamp '{text}' + interval '{n} days' - interval '{n} days')", f"('{text}'::timestamp - interval '{n}:00:01' + interval '{n}:00:01')"])
        return None

    def listed(self, domain):
        """A constant in a VALUES list, where PostgreSQL takes a bare string for text."""
        value = self.value(domain)
        return values.quoted(value.text) + ("" if domain.type in values.TEXTS else f"::{domain.type}")

    def parameter(self, domain, value, is_array=False):
        c = self.choices
        kind = domain.type
        if is_array:
            self.parameters.append(Parameter(values.OIDS[kind][1] if c.below(2) else 0, values.array(value).encode()))
            return f"${len(self.parameters)}"
        declared = c.below(3)  # 0: by its OID, 1: by a cast, 2: by its place
        binary = value.binary if c.below(2) else None
        if kind == "int2" and declared == 2:  # beside a bare number PostgreSQL takes it for an integer
            binary = None
        self.parameters.append(Parameter(values.OIDS[kind][0] if declared == 0 else 0, value.text.encode(), binary))
        return f"${len(self.parameters)}" + (f"::{kind}" if declared == 1 and kind != "bpchar" else "")

    def columns(self, scope, wanted=lambda domain: True):
        return [(reference, domain) for source in scope for reference, domain in source.columns if domain[0] != "plain" and wanted(domain)]

    def plain(self, scope, kind="int4"):
        return [reference for source in scope for reference, domain in source.columns if domain == ("plain", kind)]

    def expression(self, reference, domain, scope, depth):
        """An expression of a column's domain that has the column in it."""
        c = self.choices
        kind = c.below(9) if depth > 0 and domain.type not in values.STORED_ONLY else 0
        other = lambda: self.operand(domain, scope, depth - 1)
        match kind:
            case 5:
                return f"coalesce({reference}, {other()})"
            case 6:
                return f"CASE WHEN {self.condition(scope, depth - 1)} THEN {reference} ELSE {other()} END"
            case 7:
                return f"nullif({reference}, {other()})"
            case 8 if domain.is_ordered:
                return f"{c.of(['greatest', 'least'])}({reference}, {other()})"
        return reference

    def operand(self, domain, scope, depth):
        c = self.choices
        same = self.columns(scope, lambda d: d == domain)
        if same and c.below(3) == 2:
            reference, _ = c.of(same)
            return self.expression(reference, domain, scope, depth)
        if depth > 0 and domain.is_ordered and domain.type not in values.NO_MIN and c.once_in(12):
            if found := self.table_with(domain):
                table, column = found
                return f"(SELECT {c.of(['min', 'max'])}({column.name}) FROM {table.name})"
        return self.constant(domain)

    def table_with(self, domain):
        found = [(t, col) for t in self.schema.tables for col in t.columns if col.domain == domain]
        return self.choices.of(found) if found else None

    def condition(self, scope, depth):
        c = self.choices
        marked = self.columns(scope, lambda d: d.type not in values.STORED_ONLY)
        if depth > 0 and c.once_in(4):
            joined = c.of([" AND ", " OR "])
            return f"({self.condition(scope, depth - 1)}{joined}{self.condition(scope, depth - 1)})"
        if depth > 0 and c.once_in(12):
            return f"NOT ({self.condition(scope, depth - 1)})"
        if not marked or c.once_in(10):
            return f"{c.of(self.plain(scope))} % 3 = {c.below(3)}" if self.plain(scope) else "true"
        reference, domain = c.of(marked)
        return self.comparison(reference, domain, scope, depth)

    def comparison(self, reference, domain, scope, depth):
        c = self.choices
        left = self.expression(reference, domain, scope, depth - 1)
        operators = ["=", "<>", "<", "<=", ">", ">="] if domain.is_ordered else ["=", "<>"]
        right = lambda: self.operand(domain, scope, depth - 1)
        match c.below(16):
            case 3:
                return f"{right()} {c.of(operators)} {left}"
            case 4:
                return f"{left} {c.of(['', 'NOT '])}IN ({', '.join(right() for _ in range(1 + c.below(3)))})"
            case 5 if domain.is_ordered:
                return f"{left} {c.of(['', 'NOT '])}BETWEEN {c.of(['', 'SYMMETRIC '])}{right()} AND {right()}"
            case 6:
                return f"{left} IS {c.of(['', 'NOT '])}NULL"
            case 7:
                return f"{left} IS {c.of(['', 'NOT '])}DISTINCT FROM {right()}"
            case 8:
                return self.quantified(left, domain, operators)
            case 9 | 10 if domain.is_matched:
                return self.pattern(left)
            case 11 if depth > 0:
                return self.membership(left, domain, scope, operators, depth)
            case 12 if depth > 0:
                inner = self.base(scope)
                return f"{c.of(['', 'NOT '])}EXISTS (SELECT 1 FROM {inner.sql} WHERE {self.condition([inner, *scope], depth - 1)})"
            case 13:
                return self.rows(left, domain, scope)
            case 14 if domain.type == "boolean":
                return f"{left} = {c.of(['true', 'false'])}"
        return f"{left} {c.of(operators)} {right()}"

    def quantified(self, left, domain, operators):
        c = self.choices
        word, operator = c.of([("ANY", "="), ("ALL", "<>"), ("ANY", operators[-1])])
        given = [self.value(domain) for _ in range(1 + c.below(3))]
        if self.parameters is not None and c.below(2):
            return f"{left} {operator} {word} ({self.parameter(domain, given, is_array=True)}::{domain.type}[])"
        if c.below(2):
            return f"{left} {operator} {word} ({values.quoted(values.array(given))}::{domain.type}[])"
        return f"{left} {operator} {word} (ARRAY[{', '.join(values.spelled(v, 0) for v in given)}]::{domain.type}[])"

    def pattern(self, left):
        c = self.choices
        text = self.value(self.schema.domains[0]).text
        text = text[: 6 + c.below(5)]
        written = c.of([text + "%", "%" + text[5:], "%" + text[4:7] + "%", text[:5] + "_" + text[6:] + "%", text, "%", ""])
        if written.endswith("\\"):
            written += "%"
        match c.below(5):
            case 1:
                return f"{left} NOT LIKE {values.quoted(written)}"
            case 2:
                return f"{left} {c.of(['', 'NOT '])}ILIKE {values.quoted(written.swapcase())}"
            case 3:
                return f"starts_with({left}, {values.quoted(text)})"
            case 4:
                return f"{left} LIKE {values.quoted(written.replace('_', '!_'))} ESCAPE '!'"
        if self.parameters is not None and c.below(2):
            self.parameters.append(Parameter(25 if c.below(2) else 0, written.encode()))
            return f"{left} LIKE ${len(self.parameters)}"
        return f"{left} LIKE {values.quoted(written)}"

    def membership(self, left, domain, scope, operators, depth):
        c = self.choices
        found = self.table_with(domain)
        if not found:
            return f"{left} IS NULL"
        table, column = found
        inner = self.aliased(table, scope)
        reference = next(r for r, d in inner.columns if d == domain)
        query = f"SELECT {reference} FROM {inner.sql} WHERE {self.condition([inner, *scope] if c.below(2) else [inner], depth - 1)}"
        word = c.of(["IN", "NOT IN", f"{c.of(operators)} ANY", f"{c.of(operators)} ALL"])
        return f"{left} {word} ({query})"

    def rows(self, left, domain, scope):
        c = self.choices
        ids = self.plain(scope)
        if not ids:
            return f"{left} IS NOT NULL"
        other = c.of(ids)
        if c.below(2):
            return f"({other}, {left}) IN ({', '.join(f'({c.below(3)}, {self.constant(domain)})' for _ in range(1 + c.below(2)))})"
        return f"({left}, {other}) {c.of(['=', '<>'])} ({self.constant(domain)}, {c.below(3)})"

    # FROM

    def aliased(self, table, scope=()):
        alias = self.name("t")
        columns = [(f"{alias}.id", ID), (f"{alias}.grp", ID), (f"{alias}.note", WORD)]
        columns += [(f"{alias}.{c.name}", c.domain) for c in table.columns]
        return Source(f"{table.name} {self.choices.of(['', 'AS '])}{alias}", columns, [f"{alias}.id"])

    def base(self, scope=()):
        return self.aliased(self.choices.of(self.schema.tables), scope)

    def source(self, depth):
        c = self.choices
        if self.ctes and c.below(2):
            name, columns, ids = c.of(self.ctes)
            alias = self.name("q")
            return Source(f"{name} {alias}", [(f"{alias}.{n}", d) for n, d in columns], ids and [f"{alias}.{n}" for n in ids])
        if depth > 0 and c.once_in(4):
            return self.derived(depth - 1)
        return self.base()

    def derived(self, depth, outer=(), lateral=""):
        alias = self.name("s")
        query, columns, ids, _ = self.simple(depth, outer, is_inner=True)
        return Source(f"{lateral}({query}) {alias}", [(f"{alias}.{n}", d) for n, d in columns], ids and [f"{alias}.{n}" for n in ids])

    def from_clause(self, depth):
        """(text, sources)."""
        c = self.choices
        first = self.source(depth)
        text, sources = first.sql, [first]
        joins = c.below(3) if depth > 0 else 0
        for number in range(joins):
            match c.below(9):
                case 0 | 1 | 2:
                    other, word = self.source(depth - 1), "JOIN"
                case 3 | 4:
                    other, word = self.source(depth - 1), c.of(["LEFT JOIN", "RIGHT JOIN"])
                case 5:
                    other, word = self.source(depth - 1), "FULL JOIN"
                case 6:
                    other, word = self.derived(depth - 1, sources, "LATERAL "), c.of(["JOIN", "LEFT JOIN"])
                case 7:
                    if (added := self.value_list(sources)) is None:
                        continue
                    other, word = added
                case _:
                    other = self.base()
                    if len(sources) == 1 and first.ids and first.columns and first.ids == [first.columns[0][0]] and first.ids[0].endswith(".id"):
                        text += f" {c.of(['JOIN', 'LEFT JOIN', 'FULL JOIN'])} {other.sql} USING (id)"
                    elif len(sources) == 1 and number == joins - 1:  # a comma binds less than a JOIN, whose ON would not see what is before it
                        text += f", {other.sql}"
                    else:
                        text += f" JOIN {other.sql} ON {other.ids[0]} = 1"
                    sources.append(other)
                    continue
            if word.startswith("JOIN (VALUES"):
                text += f" {word}"
            else:
                text += f" {word} {other.sql} ON {self.join_condition(sources, other, word, depth)}"
            sources.append(other)
        return text, sources

    def join_condition(self, sources, other, word, depth):
        c = self.choices
        pairs = [(r, q) for r, d in self.columns(sources, lambda d: d.type not in values.STORED_ONLY) for q, e in self.columns([other]) if d == e]
        ids = [(r, q) for r in self.plain(sources) for q in self.plain([other])]
        if not pairs and not ids:
            return "true" if word != "FULL JOIN" else "1 = 1"
        left, right = c.of(pairs) if pairs and (not ids or c.below(2)) else c.of(ids)
        text = f"{left} = {right}"
        if word != "FULL JOIN" and c.once_in(3):
            text += f" AND {self.condition([*sources, other], depth - 1)}"
        return text

    def value_list(self, sources):
        c = self.choices
        marked = self.columns(sources, lambda d: d.type not in values.STORED_ONLY)
        if not marked:
            return None
        reference, domain = c.of(marked)
        alias = self.name("v")
        rows = ", ".join(f"({i}, {self.listed(domain)})" for i in range(1 + c.below(3)))
        return Source("", [(f"{alias}.n", ID)], [f"{alias}.n"]), f"JOIN (VALUES {rows}) {alias} (n, x) ON {alias}.x = {reference}"

    # SELECT

    def simple(self, depth, outer=(), is_inner=False):
        """One SELECT: (text, columns by output name, ids by output name, its ORDER BY if the order is total)."""
        c = self.choices
        text, sources = self.from_clause(depth)
        where = f" WHERE {self.condition([*sources, *outer], depth)}" if c.below(3) else ""
        unique = None if any(s.ids is None for s in sources) else [r for s in sources for r in s.ids]
        if c.once_in(4):
            return self.grouped(text, sources, where, depth)
        outputs, items = [], []
        for _ in range(1 + c.below(4)):
            outputs.append(self.output(sources, unique, depth, items, is_inner))
        ids = None
        if unique and (is_inner or c.below(3) < 2):
            ids = []
            for reference in unique:
                name = self.name("i")
                items.append(f"{reference} AS {name}")
                outputs.append((name, ID))
                ids.append(name)
        distinct = ""
        marked = [(n, d) for n, d in outputs if n]
        if any(d and d[0] != "plain" and d.type in values.STORED_ONLY for _, d in outputs):
            pass
        elif c.once_in(8):
            distinct = "DISTINCT "
        order = None
        if unique and not distinct:
            keys = [r for r, d in self.columns(sources, lambda d: d.is_ordered)]
            chosen = [f"{c.of(keys)}{c.of(['', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST'])}" for _ in range(c.below(3))] if keys else []
            order = ", ".join([*chosen, *unique])
        elif all(d and (d[0] == "plain" or d.is_ordered) for _, d in outputs):
            order = ", ".join(str(i + 1) for i in range(len(items)))
        return f"SELECT {distinct}{', '.join(items)} FROM {text}{where}", [(n, d) for n, d in marked if d], ids, order

    def output(self, sources, unique, depth, items, is_inner):
        """Adds an item; (its name, its domain or None where nothing follows from it)."""
        c = self.choices
        marked = self.columns(sources)
        plain = self.plain(sources) + self.plain(sources, "text")
        name = self.name("x")
        if not marked:
            items.append(f"{c.of(plain) if plain else 1} AS {name}")
            return name, None
        reference, domain = c.of(marked)
        window = f"{c.of(['PARTITION BY ' + c.of(plain) + ' ', '']) if plain else ''}"
        match c.below(10):
            case 4:
                items.append(f"{self.expression(reference, domain, sources, depth)} AS {name}")
                return name, domain
            case 5:
                items.append(f"{self.condition(sources, depth - 1)} AS {name}")
                return name, None
            case 6 if domain.type not in values.STORED_ONLY:
                call = c.of(["count(*)", f"count({reference})"])
                items.append(f"{call} OVER (PARTITION BY {reference}) AS {name}")
                return name, None
            case 7 if domain.is_ordered:
                items.append(f"{c.of(['rank', 'dense_rank'])}() OVER ({window}ORDER BY {reference}{c.of(['', ' DESC', ' NULLS FIRST'])}) AS {name}")
                return name, None
            case 8 if domain.is_ordered and unique:
                call = c.of([f"lag({reference})", f"lead({reference}, 2)", f"first_value({reference})", f"last_value({reference})", "row_number()"])
                items.append(f"{call} OVER ({window}ORDER BY {', '.join([reference, *unique])}) AS {name}")
                return name, domain if call != "row_number()" else None
        if is_inner or c.below(2):
            items.append(f"{reference} AS {name}")
            return name, domain
        items.append(reference)
        return "", domain

    def grouped(self, text, sources, where, depth):
        c = self.choices
        marked = self.columns(sources, lambda d: d.type not in values.STORED_ONLY)
        plain = self.plain(sources)
        keys = [c.of(marked)] if marked else []
        if plain and c.below(2) or not keys:
            keys.append((c.of(plain), ID) if plain else (None, ID))
        keys = [key for key in dict.fromkeys(keys) if key[0]]
        outputs, items = [], []
        for reference, domain in keys:
            name = self.name("x")
            items.append(f"{reference} AS {name}")
            outputs.append((name, domain))
        for _ in range(1 + c.below(2)):
            items.append(f"{self.aggregate(sources, depth)} AS {self.name('x')}")
        references = [reference for reference, _ in keys]
        kind = c.below(6) if references else 0
        grouping = {4: f"ROLLUP ({', '.join(references)})", 5: f"GROUPING SETS (({', '.join(references)}), ())"}.get(kind, ", ".join(references))
        having = ""
        if c.once_in(3):
            ordered = self.columns(sources, lambda d: d.is_ordered and d.type not in values.NO_MIN)
            having = " HAVING count(*) > 1"
            if ordered and c.below(2):
                reference, domain = c.of(ordered)
                having = f" HAVING {c.of(['min', 'max'])}({reference}) {c.of(['>', '<=', '='])} {self.constant(domain)}"
        order = None
        if kind < 4 and references and all(d == ID or d.is_ordered for _, d in keys):
            order = ", ".join(references)
        by = f" GROUP BY {grouping}" if references else ""
        return f"SELECT {', '.join(items)} FROM {text}{where}{by}{having}", outputs, None, order

    def aggregate(self, sources, depth):
        c = self.choices
        marked = self.columns(sources, lambda d: d.type not in values.STORED_ONLY)
        if not marked or c.below(5) == 0:
            return "count(*)"
        reference, domain = c.of(marked)
        ordered = domain.is_ordered and domain.type not in values.NO_MIN
        call = c.of([f"count({reference})", f"count(DISTINCT {reference})"] + ([f"min({reference})", f"max({reference})"] if ordered else []))
        return call + (f" FILTER (WHERE {self.condition(sources, depth - 1)})" if c.once_in(5) else "")

    def query(self, depth=2):
        """(text, whether the order is total)."""
        c = self.choices
        prefix = ""
        if c.once_in(7):
            parts = []
            for _ in range(1 + c.below(2)):
                name = self.name("w")
                text, columns, ids, _ = self.simple(depth - 1, is_inner=True)
                parts.append(f"{name} AS {c.of(['', 'MATERIALIZED ', 'NOT MATERIALIZED '])}({text})")
                self.ctes.append((name, columns, ids))
            prefix = f"WITH {', '.join(parts)} "
        if c.once_in(9):
            text, order = self.set_operation(depth - 1)
        else:
            text, _, ids, order = self.simple(depth)
        if order and c.below(5):
            text += f" ORDER BY {order}"
            if c.once_in(4):
                text += f" LIMIT {1 + c.below(12)}" + (f" OFFSET {c.below(9)}" if c.below(2) else "")
            return prefix + text, True
        return prefix + text, False

    def set_operation(self, depth):
        c = self.choices
        domain = c.of([d for d in self.schema.domains if d.type not in values.STORED_ONLY])
        sides = []
        listed = c.once_in(3)
        for _ in range(1 if listed else 2):
            found = self.table_with(domain)
            if not found:
                return f"SELECT count(*) FROM {self.base().sql}", None
            table, _ = found
            source = self.aliased(table)
            reference = next(r for r, d in source.columns if d == domain)
            sides.append(f"SELECT {reference}, {source.columns[1][0]} FROM {source.sql} WHERE {self.condition([source], depth)}")
        if listed:
            sides.append(f"VALUES ({self.listed(domain)}, {c.below(3)})")
        operator = c.of(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
        return f" {operator} ".join(sides), "1, 2" if domain.is_ordered else None


def make_select(schema, choices):
    parameters = [] if choices.below(2) else None
    queries = Queries(schema, choices, parameters)
    text, ordered = queries.query()
    return Step(text, None if parameters is None else tuple(parameters), bool(choices.below(2)) if parameters is not None else False, ordered=ordered, reads=True)
