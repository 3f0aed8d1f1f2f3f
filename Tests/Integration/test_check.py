"""`cloister check --database`: what equality and order of the stored cells give away."""

import pytest

CONFIG = """
columns:
  public.people:
    sex:    { type: text, encryption: deterministic, key: s }
    town:   { type: text, encryption: deterministic, key: t }
    ident:  { type: uuid, encryption: deterministic, key: i }
    name:   { type: text, encryption: randomized, key: n }
    salary: { type: int8, encryption: randomized, key: p }
  public.later:
    x: { type: text, encryption: deterministic, key: l }
"""


@pytest.fixture(scope="module")
def stack(make_stack):
    with make_stack(CONFIG) as stack:
        with stack.proxy() as client:
            client.execute("CREATE TABLE people (id int, sex text, town text, ident uuid, name text, salary int8)")
            client.execute("CREATE INDEX ON people (salary)")
            with client.cursor().copy("COPY people FROM STDIN") as copy:
                for n in range(2500):
                    town = "capital" if n % 4 == 0 else f"town {n}"
                    copy.write_row((n, "fm"[n % 2], town, f"00000000-0000-0000-0000-{n:012}", f"name {n}", n))
        with stack.superuser() as admin:
            admin.execute("GRANT SELECT ON people TO cloister_proxy")
        yield stack


def test_what_the_data_give_away(stack, cloister):
    ran = cloister("check", "--config", stack.dir / "cloister.yaml", "--database")
    advice = [line.split("advice: ", 1)[1] for line in ran.stdout.splitlines() if line.startswith("advice: ")]
    assert "public.people.sex: 2 distinct values in 2500 rows: their frequencies tell them (Naveed 2015)" in advice
    assert "public.people.town: one value is in 25 % of the rows: it stands out" in advice
    assert any(line.startswith("public.people.salary: a B-tree index keeps its whole order") for line in advice)
    assert "public.later.x: there is no such table yet" in advice
    assert not any(line.startswith(("public.people.ident", "public.people.name")) for line in advice)
    assert any(line.startswith("enclave.sessions is open") for line in advice)


def test_the_file_alone_needs_no_database(cloister, tmp_path):
    (tmp_path / "c.yaml").write_text(CONFIG)
    ran = cloister("check", "--config", tmp_path / "c.yaml", check=False)
    assert ran.returncode == 0 and "valid; 6 columns marked" in ran.stdout
    assert cloister("check", "--config", tmp_path / "c.yaml", "--database", check=False).returncode != 0
