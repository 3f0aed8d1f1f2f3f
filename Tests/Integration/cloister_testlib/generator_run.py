"""Runs generated statements against both sides; makes failing ones smaller; counts refusals by kind of statement and reason."""

import collections
import random
import time

from cloister_testlib import generator_values as values
from cloister_testlib.generator import Choices, Schema
from cloister_testlib.generator_changes import make_script
from cloister_testlib.twins import Step, run

TYPES = [
    "int4", "int8", "int2", "numeric", "float8", "float4", "text", "text", "varchar", "bpchar", "date", "timestamp", "timestamptz", "time", "timetz", "interval",
    "uuid", "bytea", "boolean", "inet", "json", "jsonb",
]


class Report:
    def __init__(self):
        self.statements = 0
        self.errors = collections.Counter()
        self.kinds = collections.Counter()
        self.refusals = collections.Counter()
        self.failures = []
        self.late = 0  # queries whose comparisons take too long to wait for (joins of joins)

    def add(self, other):
        self.statements += other.statements
        for name in ("errors", "kinds", "refusals"):
            getattr(self, name).update(getattr(other, name))
        self.failures += other.failures
        self.late += other.late

    def __str__(self):
        refused = collections.Counter()
        for (kind, _), count in self.refusals.items():
            refused[kind] += count
        lines = [f"{self.statements} statements, {sum(self.refusals.values())} refused, {sum(self.errors.values())} errors alike on both sides, {self.late} late"]
        lines += [f"  {kind}: {count}, refused {refused[kind]}" for kind, count in sorted(self.kinds.items())]
        lines += [f"  refused {kind}: {count} × {reason}" for (kind, reason), count in self.refusals.most_common(25)]
        lines += [f"  error {code}: {count}" for code, count in self.errors.most_common(15)]
        return "\n".join(lines)


def verb(sql):
    return next((word for word in sql.replace("(", " ").split() if word), "").upper()


class Runner:
    """One worker: its generations of tables, one after the other."""

    def __init__(self, twins, report, seconds=None):
        self.twins = twins
        self.report = report
        self.ends = None if seconds is None else time.monotonic() + seconds

    def begin(self, schema):
        self.schema = schema
        self.twins.both(schema.drop())
        self.twins.both("SET TimeZone = 'UTC'; SET statement_timeout = '20s'")
        for statement in schema.create():
            self.twins.both(statement)

    def script(self, seed):
        """One generated script: compared step by step until something differs or is refused."""
        choices = Choices(seed)
        steps = make_script(self.schema, choices)
        for number, step in enumerate(steps):
            self.report.statements += 1
            self.report.kinds[verb(step.sql)] += 1
            ours, theirs, difference = self.twins.compare(step)
            if difference and step.reads and any(outcome.code == "57014" for outcome in ours):
                self.report.late += 1
                break
            if difference:
                self.failed(seed, choices.taken, number, step, ours, theirs, difference)
                break
            for outcome in ours:
                if outcome.kind == "refusal":
                    self.report.refusals[verb(step.sql), f"{outcome.code} {outcome.message[:90]}"] += 1
                elif outcome.kind == "error":
                    self.report.errors[outcome.code] += 1
            if theirs is None:
                break
        self.twins.settle()

    def failed(self, seed, taken, number, step, ours, theirs, difference):
        self.twins.settle()
        smaller = self.shrink(taken, difference) or (step, ours, theirs, difference)
        found, ours, theirs, difference = smaller
        shown = lambda outcomes: "; ".join(f"{o.kind} {o.code} {o.message[:200]} {o.tag} {[c[:4] for c in o.columns][:6]} {o.rows[:8]}" for o in outcomes)[:1500]
        self.report.failures.append(
            f"seed {seed}, step {number}: {difference}\n  {step.sql[:3000]}\n  {step.parameters}\n  smaller: {found.sql[:2000]}\n  {found.parameters}\n"
            f"  proxy: {shown(ours)}\n  twin: {shown(theirs or [])}"
        )

    def _differs(self, taken):
        """Both in transactions that are rolled back."""
        steps = make_script(self.schema, Choices(replay=taken))
        if any(verb(step.sql) in ("BEGIN", "COMMIT", "ROLLBACK") for step in steps):
            return None
        for side in (self.twins.ours, self.twins.theirs):
            run(side, Step("BEGIN"))
        try:
            for step in steps:
                ours, theirs, difference = self.twins.compare(step)
                if difference and not difference.startswith("transaction"):
                    return step, ours, theirs, difference
                if theirs is None or any(o.kind == "error" for o in ours):
                    return None
        finally:
            self.twins.settle()
        return None

    def shrink(self, taken, wanted, limit=80):
        """Sets choices to 0, or leaves them out, while the statement still differs in the same way."""
        best, found, tries = list(taken), self._differs(taken), 0
        if found is None:
            return None
        size = max(1, len(best) // 2)
        while size and tries < limit:
            at = 0
            while at < len(best) and tries < limit:
                for candidate in (best[:at] + best[at + size :], best[:at] + [0] * len(best[at : at + size]) + best[at + size :]):
                    if candidate == best:
                        continue
                    tries += 1
                    if (again := self._differs(candidate)) and again[3][:12] == found[3][:12]:
                        best, found = candidate, again
                        break
                else:
                    at += size
            size //= 2
        return found


def schemas(seed, workers, generations, types=None):
    """By worker and generation."""
    return [
        [Schema(f"g{generation}w{worker}", random.Random(f"{seed} {worker} {generation}").random(), types or TYPES) for generation in range(generations)]
        for worker in range(workers)
    ]


def configuration(made):
    return "columns:\n" + "\n".join(line for worker in made for schema in worker for line in schema.marks()) + "\n"


def work(twins, made, seed, statements, seconds):
    """Runs the generations of one worker, evenly."""
    report = Report()
    runner = Runner(twins, report)
    started = time.monotonic()
    for number, schema in enumerate(made):
        runner.begin(schema)
        count = 0
        share = statements * (number + 1) // len(made)
        while report.statements < share and time.monotonic() - started < seconds and len(report.failures) < 8:
            runner.script(f"{seed} {number} {count}")
            count += 1
        for table in schema.tables:
            step = Step(f"SELECT * FROM {table.name} ORDER BY id")
            ours, theirs, difference = twins.compare(step)
            if difference or theirs is None:
                report.failures.append(f"the tables {table.name} differ at the end of generation {number}: {difference or ours[0].message}")
        twins.both(schema.drop())
    return report


__all__ = ["Report", "configuration", "schemas", "values", "work"]
