"""client_encoding other than UTF8: statements, parameters, results, COPY and messages in the client's encoding, against a plaintext twin;
and every character of every supported encoding against the server's own conversion."""

import psycopg
import pytest

SINGLE = [
    *(f"LATIN{n}" for n in range(1, 11)), "WIN866", "WIN874", *(f"WIN125{n}" for n in range(9)), "KOI8R", "KOI8U", "ISO_8859_5", "ISO_8859_6",
    "ISO_8859_7", "ISO_8859_8"]
MULTIPLE = ["EUC_JP", "EUC_CN", "EUC_KR", "SJIS", "GBK", "UHC"]
UNSUPPORTED = ["BIG5", "EUC_TW", "EUC_JIS_2004", "SHIFT_JIS_2004", "JOHAB", "GB18030"]
# glibc's UHC lacks the user-defined rows and the postal mark, which the proxy then refuses (22021, 22P05).
UHC_ONLY_SERVER = 189

CONFIG = """
columns:
  public.r:
    t: { type: text, encryption: randomized, key: kr }
    d: { type: text, encryption: deterministic, key: kd }
    j: { type: jsonb, encryption: randomized, key: kr }
    'größe': { type: varchar(3), encryption: randomized, key: kr }
  public.chars:
    t: { type: text, encryption: randomized, key: kr }
"""


@pytest.fixture(scope="module")
def stack(make_stack):
    with make_stack(CONFIG) as stack:
        with stack.superuser() as connection:
            connection.execute(f"CREATE SCHEMA plain AUTHORIZATION {stack.environment['PGUSER']}")
        with stack.proxy() as client, stack.direct() as twin:
            twin.execute("SET search_path = plain")
            for side in (client, twin):
                side.execute("CREATE TABLE r (id int PRIMARY KEY, t text, d text, j jsonb, größe varchar(3), p text)")
                side.execute("CREATE TABLE chars (id int PRIMARY KEY, t text)")
        yield stack


class Sides:
    """The same bytes to the proxy and, past it, to the twin."""

    def __init__(self, stack, encoding):
        self.sessions = [stack.proxy(), stack.direct()]
        self.sessions[1].execute("SET search_path = plain")
        for session in self.sessions:
            session.execute(f"SET client_encoding = '{encoding}'")

    def run(self, text, parameters=None, binary=False):
        outcomes = []
        for session in self.sessions:
            wished = psycopg.pq.Format.BINARY if binary else psycopg.pq.Format.TEXT
            result = session.pgconn.exec_params(text, parameters, None, [wished] * len(parameters), wished) if parameters is not None else (
                session.pgconn.exec_(text))
            if result.status in (psycopg.pq.ExecStatus.TUPLES_OK, psycopg.pq.ExecStatus.COMMAND_OK):
                outcomes.append([result.command_status, [result.fname(c) for c in range(result.nfields)],
                                 [[result.get_value(r, c) for c in range(result.nfields)] for r in range(result.ntuples)]])
            else:
                outcomes.append(result.error_field(psycopg.pq.DiagnosticField.SQLSTATE))
        assert outcomes[0] == outcomes[1], text
        return outcomes[0]

    def copy_in(self, statement, pieces):
        outcomes = []
        for session in self.sessions:
            assert session.pgconn.exec_(statement).status == psycopg.pq.ExecStatus.COPY_IN
            for piece in pieces:
                session.pgconn.put_copy_data(piece)
            session.pgconn.put_copy_end()
            result = session.pgconn.get_result()
            outcomes.append((result.command_status, result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)))
            while session.pgconn.get_result():
                pass
        assert outcomes[0] == outcomes[1], statement
        return outcomes[0]

    def copy_out(self, statement):
        outcomes = []
        for session in self.sessions:
            assert session.pgconn.exec_(statement).status == psycopg.pq.ExecStatus.COPY_OUT
            data = b""
            while (step := session.pgconn.get_copy_data(0))[0] > 0:
                data += bytes(step[1])
            while session.pgconn.get_result():
                pass
            outcomes.append(data)
        assert outcomes[0] == outcomes[1], statement
        return outcomes[0]

    def close(self):
        for session in self.sessions:
            session.close()


# Characters of each encoding, one whose second byte is a backslash, a quote's neighbour or a brace among those of several bytes.
TEXTS = {
    "LATIN1": "café £", "LATIN2": "žluťoučký", "LATIN9": "12 €", "WIN1250": "“Łódź”", "WIN1251": "Ключ №", "WIN1252": "“naïve” €",
    "WIN1253": "Ωμέγα", "WIN1255": "שלום", "KOI8R": "Ключ", "KOI8U": "Київ", "ISO_8859_7": "Ωμέγα", "SQL_ASCII": "日本 é",
    "EUC_JP": "日本語ｱ①", "SJIS": "表ソ能ｱ①№", "EUC_KR": "한글", "EUC_CN": "中文", "GBK": "乗俓中文", "UHC": "똠방각하", "UTF8": "日本 é",
}
CODECS = {"SQL_ASCII": "utf-8", "UTF8": "utf-8", "WIN1250": "cp1250", "WIN1251": "cp1251", "WIN1252": "cp1252", "WIN1253": "cp1253",
          "WIN1255": "cp1255", "ISO_8859_7": "iso8859-7", "LATIN1": "latin1", "LATIN2": "latin2", "LATIN9": "iso8859-15", "SJIS": "cp932",
          "EUC_JP": "eucjp", "EUC_KR": "euckr", "EUC_CN": "gb2312", "UHC": "cp949", "KOI8R": "koi8-r", "KOI8U": "koi8-u", "GBK": "gbk"}


@pytest.mark.parametrize("encoding", TEXTS)
def test_the_same_bytes(stack, encoding):
    text = TEXTS[encoding]
    codec = CODECS[encoding]
    if encoding == "EUC_JP":
        text = text.replace("①", "")  # Python's codec lacks it
    value = text.encode(codec)
    sides = Sides(stack, encoding)
    run = sides.run
    run(b"TRUNCATE r")
    run(b"INSERT INTO r (id, t, d, j, p) VALUES (1, '" + value + b"', '" + value + b"', '{\"" + value.replace(b"\\", b"\\") + b"\": 1}', '" + value + b"')")
    run(b"INSERT INTO r (id, t, d, p) VALUES (2, $1, $2, $3)", [value, value, value])
    run(b"INSERT INTO r (id, t, d, p) VALUES (3, $1, $2, $3)", [value + b"x", b"x" + value, value], binary=True)
    assert len(run(b"SELECT id, t, d, p FROM r WHERE t = '" + value + b"' ORDER BY id")[2]) == 2
    assert len(run(b"SELECT id FROM r WHERE d = $1 ORDER BY id", [value])[2]) == 2
    assert len(run(b"SELECT id FROM r WHERE t = ANY ($1::text[]) ORDER BY id", [b'{"' + value + b'", NULL}'])[2]) == 2 if b"\\" not in value else True
    assert len(run(b"SELECT id FROM r WHERE t LIKE '%' || $1 || '%' ORDER BY id", [value])[2]) == 3 if b"\\" not in value else True
    run(b"SELECT id, t, j FROM r WHERE t > $1 ORDER BY t DESC, id", [value[:0]], binary=True)
    run(b"SELECT t, d, j, p FROM r ORDER BY id")
    run(b"SELECT t AS \"" + value + b"\" FROM r WHERE t = '" + value + b"' /* " + value + b" */ ORDER BY id")
    run(b"SELECT E'" + value.replace(b"\\", b"\\") + b"', t FROM r ORDER BY id") if b"\\" not in value else None
    run(b"UPDATE r SET gr\xf6\xdfe = 'abcd'") if encoding == "LATIN1" else None
    run(b"SELECT nothing, '" + value + b"' FROM r WHERE t = '" + value + b"'")
    # COPY, cut within characters.
    rows = b"".join(b"%d\t%s\t%s\t%s\n" % (n, value, value, value) for n in range(10, 14)).replace(b"\\", b"\\")
    if b"\\" not in value:
        sides.copy_in(b"COPY r (id, t, d, p) FROM STDIN", [rows[i:i + 3] for i in range(0, len(rows), 3)])
    quoted = b"".join(b'%d,"%s","%s",%s\n' % (n, value, value, value) for n in range(20, 24))
    sides.copy_in(b"COPY r (id, t, d, p) FROM STDIN (FORMAT csv)", [quoted[i:i + 5] for i in range(0, len(quoted), 5)])
    sides.copy_in(b"COPY r (id, t, d, p) FROM STDIN (FORMAT csv, ENCODING 'LATIN1')", [b'30,"\xe9\xe8",\xfc,\xdf\n'])
    sides.copy_out(b"COPY (SELECT id, t, d, p FROM r WHERE id <> 30 ORDER BY id) TO STDOUT")
    sides.copy_out(b"COPY (SELECT id, t, d, p FROM r WHERE id <> 30 ORDER BY id) TO STDOUT (FORMAT csv, ENCODING 'utf-8', FORCE_QUOTE *)")
    assert value[:4] in sides.copy_out(b"COPY (SELECT t, p FROM r WHERE id = 20) TO STDOUT (FORMAT binary)")
    # A value that the client's encoding lacks, and bytes that are no text of it.
    if encoding not in ("UTF8", "SQL_ASCII"):
        run(b"INSERT INTO r (id, t) VALUES (99, U&'\\+01F600')")
        assert run(b"SELECT t FROM r WHERE id = 99") == b"22P05"
        run(b"SELECT id FROM r WHERE t = U&'\\+01F600'")
    if encoding in ("EUC_JP", "SJIS", "EUC_KR", "EUC_CN", "GBK", "UHC", "SQL_ASCII", "UTF8"):
        for nothing in (b"\xff\xff", b"\x81", b"\x81'"):
            assert run(b"SELECT id FROM r WHERE t = $1", [nothing]) in (b"22021", b"22P05")
            run(b"SELECT id FROM r WHERE t = '" + nothing + b"'")
    sides.close()


def test_settings_change_in_a_transaction_and_a_batch(stack):
    sides = Sides(stack, "UTF8")
    sides.run(b"TRUNCATE r")
    sides.run("INSERT INTO r (id, t, p) VALUES (1, 'é', 'é')".encode())
    for statement in (b"BEGIN", b"SET LOCAL client_encoding = 'LATIN1'", b"SELECT t, p FROM r WHERE t = '\xe9'", b"ROLLBACK",
                      "SELECT t, p FROM r WHERE t = 'é'".encode(), b"SET client_encoding = 'LATIN1'", b"SELECT t, p FROM r WHERE t = '\xe9'",
                      b"RESET client_encoding", "SELECT t, p FROM r WHERE t = 'é'".encode(), b"SET NAMES 'WIN1252'",
                      b"SELECT t, p FROM r WHERE t = '\xe9'"):
        sides.run(statement)
    sides.close()


def test_set_in_the_same_batch(stack):
    """The proxy waits for the server's word before it reads what follows."""
    with stack.proxy() as session:
        session.execute("TRUNCATE r")
        session.execute("INSERT INTO r (id, t) VALUES (1, 'é')")
        connection = session.pgconn
        connection.enter_pipeline_mode()
        connection.send_query_params(b"SET client_encoding = 'LATIN1'", None)
        connection.send_query_params(b"SELECT t FROM r WHERE t = '\xe9'", None)
        connection.pipeline_sync()
        results = []
        while True:
            connection.flush()
            result = connection.get_result()
            if result is not None:
                results.append(result)
                if result.status == psycopg.pq.ExecStatus.PIPELINE_SYNC:
                    break
        assert [result.get_value(0, 0) for result in results if result.ntuples] == [b"\xe9"]


def test_the_startup_packet_names_it(stack):
    with stack.proxy(client_encoding="LATIN1") as session:
        session.execute("TRUNCATE r")
        session.execute("INSERT INTO r (id, t) VALUES (1, 'é')")
        assert session.pgconn.exec_(b"SELECT t FROM r WHERE t = '\xe9'").get_value(0, 0) == b"\xe9"
        refused = session.pgconn.exec_("INSERT INTO r (id, größe) VALUES (2, 'abcd')".encode("latin1"))
        assert refused.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"22001"


@pytest.mark.parametrize("encoding", UNSUPPORTED)
def test_unsupported_encodings_are_refused(stack, encoding):
    with stack.proxy() as session:
        session.execute(f"SET client_encoding = '{encoding}'")
        refused = session.pgconn.exec_(b"SELECT id FROM r WHERE t = 'x'")
        assert refused.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"0A000"
        assert b"CL5026" in refused.error_field(psycopg.pq.DiagnosticField.MESSAGE_DETAIL)
        assert session.pgconn.exec_(b"SELECT 1").get_value(0, 0) == b"1"


def characters(encoding):
    """The encoding's characters as bytes, by structure."""
    if encoding in SINGLE:
        return [bytes([n]) for n in range(128, 256)]
    if encoding == "SJIS":
        leads = [*range(0x81, 0xA0), *range(0xE0, 0xFD)]
        return [bytes([n]) for n in range(0xA1, 0xE0)] + [bytes([a, b]) for a in leads for b in range(0x40, 0xFD)]
    if encoding in ("GBK", "UHC"):
        return [bytes([a, b]) for a in range(0x81, 0xFF) for b in range(0x40, 0xFF)]
    high = range(0xA1, 0xFF)
    more = [b"\x8e" + bytes([n]) for n in high] + [b"\x8f" + bytes([a, b]) for a in high for b in high] if encoding == "EUC_JP" else []
    return [bytes([a, b]) for a in high for b in high] + more


@pytest.mark.parametrize("encoding", SINGLE + MULTIPLE)
def test_every_character_as_the_server_converts_it(stack, encoding):
    """What the server makes of each character, the proxy makes too, both ways; through COPY, one character a row."""
    known = []
    with stack.superuser() as server:
        server.execute("CREATE OR REPLACE FUNCTION pg_temp.c(b bytea, e text) RETURNS text LANGUAGE plpgsql AS"
                       " 'BEGIN RETURN convert_from(b, e); EXCEPTION WHEN OTHERS THEN RETURN NULL; END'")
        rows = server.execute("SELECT b, pg_temp.c(b, %s) FROM unnest(%s::bytea[]) b", [encoding, characters(encoding)]).fetchall()
        known = [(bytes(code), text) for code, text in rows if text is not None and len(text) == 1]
        written = dict(server.execute("SELECT t, convert_to(t, %s) FROM unnest(%s::text[]) t", [encoding, [text for _, text in known]]).fetchall())
    assert len(known) > 80
    with stack.proxy() as session:
        session.execute("TRUNCATE chars")
        session.execute(f"SET client_encoding = '{encoding}'")
        sent = known
        if encoding == "UHC":
            sent = [(code, text) for code, text in known if not "\ue000" <= text <= "\uf8ff" and text != "\u327e"]
            assert len(known) - len(sent) == UHC_ONLY_SERVER
        assert session.pgconn.exec_(b"COPY chars FROM STDIN (FORMAT csv)").status == psycopg.pq.ExecStatus.COPY_IN
        for number, (code, _) in enumerate(sent):
            session.pgconn.put_copy_data(b'%d,"%s"\n' % (number, code))
        session.pgconn.put_copy_end()
        result = session.pgconn.get_result()
        assert result.command_status == b"COPY %d" % len(sent), result.error_message
        while session.pgconn.get_result():
            pass
        shown = session.pgconn.exec_(b"SELECT id, t FROM chars ORDER BY id")
        assert [shown.get_value(row, 1) for row in range(shown.ntuples)] == [bytes(written[text]) for _, text in sent]
        session.execute("SET client_encoding = 'UTF8'")
        assert [text for _, text in session.execute("SELECT id, t FROM chars ORDER BY id").fetchall()] == [text for _, text in sent]


@pytest.mark.parametrize("setting", ["SET client_encoding = 'LATIN1'", "SET DateStyle = 'ISO, DMY'", "set local TimeZone = 'UTC'", "SET TIME ZONE 'UTC'", "SET NAMES 'LATIN1'"])
def test_set_in_the_same_text(stack, setting):
    """Values are bound and shown by what the session had before the text: refused, before anything of it is done."""
    with stack.proxy() as session:
        refused = session.pgconn.exec_(f"TRUNCATE r; {setting}; SELECT t FROM r".encode())
        assert b"CL6002" in refused.error_field(psycopg.pq.DiagnosticField.MESSAGE_DETAIL)
        shown = session.pgconn.exec_(b"SET work_mem = '4MB'; SELECT t FROM r WHERE t = 'x'")
        assert shown.status == psycopg.pq.ExecStatus.TUPLES_OK
        assert session.pgconn.exec_(f"{setting}; SELECT 1".encode()).get_value(0, 0) == b"1"
