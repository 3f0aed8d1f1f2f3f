"""schemas/config.schema.json judges the samples as the Swift parser does (Tests/ConfigurationTests reads the same files)."""

import json
import pathlib

import jsonschema
import pytest
import yaml

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
SCHEMA = json.loads((SCHEMAS / "config.schema.json").read_text())


def judge(path):
    """None if the schema accepts the file, else the first complaint."""

    def keys_are_texts(node):
        if isinstance(node, dict):
            return all(isinstance(key, str) and keys_are_texts(value) for key, value in node.items())
        return not isinstance(node, list) or all(map(keys_are_texts, node))

    document = yaml.safe_load(path.read_text())
    if not keys_are_texts(document):
        return "JSON has text keys only"
    error = next(jsonschema.Draft202012Validator(SCHEMA).iter_errors(document), None)
    return error and error.message


def samples(folder):
    return sorted((SCHEMAS / "config-samples" / folder).glob("*.yaml"), key=lambda path: path.name)


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", samples("valid"), ids=lambda path: path.stem)
def test_valid(path):
    assert judge(path) is None


@pytest.mark.parametrize("path", samples("invalid"), ids=lambda path: path.stem)
def test_invalid(path):
    assert judge(path) is not None


def mistakes():
    """Every single mistake of the invalid samples alone, so that none hides behind another."""
    column = {"type": "text", "encryption": "randomized", "key": "k"}
    full = yaml.safe_load((SCHEMAS / "config-samples/valid/issue-2.yaml").read_text())

    def changed(*path, to=None, drop=False):
        document = json.loads(json.dumps(full))
        node = document
        for step in path[:-1]:
            node = node[step]
        if drop:
            del node[path[-1]]
        else:
            node[path[-1]] = to
        return document

    for section in ("proxy", "keys", "enclave", "columns"):
        yield f"no {section}", changed(section, drop=True)
    for listen in ("localhost", "127.0.0.1:0", "127.0.0.1:65536", "::1:5432", ":5432", 5432):
        yield f"listen {listen}", changed("proxy", "listen", to=listen)
    for table in ("people", "a.b.c", "public.People", 'public."people', "pg_catalog.x", '"pg_toast".x', "cloister.x", "a."):
        yield f"table {table}", changed("columns", table, to={"a": column})
    for name in ("Name", "first name", "1st", "", '""', "a.b", "x" * 64):
        yield f"column {name}", changed("columns", "public.people", name, to=column)
    for kind in ("xml", "INTEGER", "varchar(0)", "varchar(x)", "numeric(4,)", "int4(4)", "char varying(4", "timestamp with time zone(3)", "time with zone"):
        yield f"type {kind}", changed("columns", "public.people", "a", to={**column, "type": kind})
    yield "collation name", changed("columns", "public.people", "a", to={**column, "collation": "de-u-ks-level3"})
    yield "collation of a date", changed("columns", "public.people", "a", to={**column, "type": "date", "collation": "de"})
    yield "collation of deterministic", changed("columns", "public.people", "a", to={**column, "encryption": "deterministic", "collation": "de"})
    yield "encryption", changed("columns", "public.people", "a", to={**column, "encryption": "random"})
    yield "key", changed("columns", "public.people", "a", to={**column, "key": "a b"})
    yield "extra", changed("columns", "public.people", "a", to={**column, "collate": "C"})
    yield "measurement", changed("enclave", "measurements", to=["sha384:00"])
    yield "allow", changed("enclave", "allow", to=["sgx"])
    yield "twice", changed("keys", "trusted_master_keys", to=["dev", "dev"])
    yield "limit", changed("limits", to={"connections": 0})


MISTAKES = dict(mistakes())


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_alone(name, cloister, tmp_path):
    """Schema and `cloister check` both refuse it."""
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(MISTAKES[name]))  # JSON is YAML
    assert judge(path) is not None
    ran = cloister("check", "--config", path, check=False)
    assert ran.returncode == 1
    assert f"{path}:" in ran.stderr and "CL10" in ran.stderr
