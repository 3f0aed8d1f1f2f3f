package import Diagnostics

/// One kind of SQL that is refused: what, why, and what to do instead. Errors take their hints from here, and
/// `docs/refusals.md` is printed from it, so that the two can't differ.
package struct Refused: Sendable {
    package let code: ErrorCode
    /// What is refused, for the table.
    package let construct: String
    package let why: String
    /// What to do: the hint of the error.
    package let instead: String
    /// A statement against the tables of the tests that is refused for this; nil where it takes a session.
    package let example: String?

    private init(_ code: ErrorCode, _ construct: String, why: String, instead: String, example: String? = nil) {
        self.code = code
        self.construct = construct
        self.why = why
        self.instead = instead
        self.example = example
    }

    static let unlisted = Refused(
        .statementRefused, "a statement, clause or option that is not in docs/sql.md",
        why: "the analysis is closed-world: what it does not know may show or store a value", instead: "docs/sql.md lists what is bound",
        example: "CREATE TRIGGER t AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION f()")
    static let cellTypeAsValue = Refused(
        .operationRefused, "a cast to a type that holds cells (`enc_T`, the row type of a marked table)",
        why: "what is cast would be plaintext that the server sees",
        instead: "name the columns and write their values as constants or parameters",
        example: "SELECT '(1,a)'::people FROM people")
    static let starWithUnknownColumns = Refused(
        .operationRefused, "`*` over a relation whose columns are not known, where places matter (set operations, INSERT … SELECT, COPY)",
        why: "which place is the encrypted column can't be told", instead: "name the columns instead of *",
        example: "SELECT name FROM people UNION SELECT * FROM pg_class")
    static let copyWithServerFile = Refused(
        .statementRefused, "COPY of encrypted columns with a file or program of the server",
        why: "the server, which reads or writes it, has no key", instead: "use COPY … FROM STDIN or TO STDOUT (psql: \\copy)",
        example: "COPY people TO '/tmp/x'")
    static let hiddenByTemporary = Refused(
        .ambiguousRelation, "a temporary table with the name of a table with encrypted columns",
        why: "it would hide that table, and plaintext would go into it", instead: "give it another name",
        example: "CREATE TEMP TABLE people (id int)")
    static let tableFromQuery = Refused(
        .definitionRefused, "CREATE TABLE AS, SELECT INTO or a view under a name that is marked",
        why: "its columns' types come from the query, not from the mark", instead: "CREATE TABLE it, then INSERT … SELECT",
        example: "CREATE TABLE people AS SELECT 'a' AS name")
    static let partitionKey = Refused(
        .definitionRefused, "an encrypted column as a partition key",
        why: "bounds would be in the statement's text, and routing needs plaintext", instead: "partition by a plain column",
        example: "CREATE TABLE people (name text) PARTITION BY LIST (name)")
    static let inheritedOtherwise = Refused(
        .definitionRefused, "a column taken over from another table (INHERITS, PARTITION OF, LIKE) that is encrypted otherwise there",
        why: "the server keeps one type for both", instead: "leave it out, or configure both columns alike",
        example: "CREATE TABLE child (name text) INHERITS (people)")
    static let unmarkedCellType = Refused(
        .definitionRefused, "a column declared with an encrypted type that nothing marks",
        why: "the proxy would not encrypt what is written to it", instead: "add it to `columns:`",
        example: "CREATE TABLE public.people (other enc_text(7))")
    static let collateInDefinition = Refused(
        .definitionRefused, "COLLATE on an encrypted column's definition",
        why: "the collation is in each cell, and signed with the column",
        instead: "leave COLLATE out: the column's collation is set where it is marked (`collation: de`)",
        example: "CREATE TABLE people (name text COLLATE \"C\")")
    static let compression = Refused(
        .definitionRefused, "COMPRESSION on an encrypted column",
        why: "ciphertext does not compress", instead: "cells do not compress; leave it out",
        example: "CREATE TABLE people (name text COMPRESSION pglz)")
    static let generatedByServer = Refused(
        .definitionRefused, "serial, IDENTITY and GENERATED on an encrypted column",
        why: "the server, which has no key, would make the values", instead: "make the value in the client",
        example: "CREATE TABLE people (weight serial)")
    static let defaultNotConstant = Refused(
        .definitionRefused, "a DEFAULT of an encrypted column that is not constant",
        why: "the server, which has no key, would make the value", instead: "set the value in INSERT",
        example: "CREATE TABLE people (seen timestamp DEFAULT current_timestamp)")
    static let declaredOtherwise = Refused(
        .definitionRefused, "an encrypted column declared with another type, length or precision than it is marked with",
        why: "what the server is told and what the proxy enforces would differ",
        instead: "declare the column as it is marked, or change the mark",
        example: "CREATE TABLE people (name varchar(20))")
    static let plainFromEncrypted = Refused(
        .definitionRefused, "a generated plain column made of an encrypted one",
        why: "a plain column would hold what is encrypted elsewhere",
        instead: "mark that column too, with the same type, encryption and key",
        example: "ALTER TABLE people ADD COLUMN z text GENERATED ALWAYS AS (name) STORED")
    static let bareBoolean = Refused(
        .operationRefused, "something encrypted, but not a boolean column, as a condition",
        why: "a cell is not true or false", instead: "write `column = true`",
        example: "SELECT 1 FROM people WHERE name")
    static let foreignKey = Refused(
        .definitionRefused, "a foreign key whose two sides are not known to be encrypted alike",
        why: "the server could not compare them",
        instead: "both sides need the same type, encryption and key; write the referenced columns",
        example: "CREATE TABLE x (id text REFERENCES people (pid))")
    static let alterType = Refused(
        .definitionRefused, "ALTER COLUMN … TYPE of an encrypted column",
        why: "the server can't convert cells",
        instead: "ALTER TABLE … ADD COLUMN a new one, copy through the client (COPY TO and FROM), DROP COLUMN the old",
        example: "ALTER TABLE people ALTER COLUMN name TYPE varchar")
    static let usingInAlter = Refused(
        .operationRefused, "USING with an encrypted column in ALTER COLUMN … TYPE",
        why: "the server can't decrypt", instead: "copy through the client (COPY TO and FROM)",
        example: "ALTER TABLE people ALTER COLUMN note TYPE text USING name")
    static let indexExpression = Refused(
        .operationRefused, "an index or partition expression over an encrypted column",
        why: "the server can't compute on cells", instead: "index the column itself",
        example: "CREATE INDEX ON people ((COALESCE(name, nick)))")
    static let indexMethod = Refused(
        .definitionRefused, "an index method other than btree and hash on an encrypted column",
        why: "only these ask no more than order and equality", instead: "leave USING out",
        example: "CREATE INDEX ON people USING gist (name)")
    static let operatorClass = Refused(
        .definitionRefused, "an operator class or collation in an index on an encrypted column",
        why: "the type has its own, which asks the enclave", instead: "leave it out: the type has its own",
        example: "CREATE INDEX ON people (name COLLATE \"C\")")
    static let otherCollation = Refused(
        .operationRefused, "COLLATE with another collation than the column's",
        why: "the collation is in each cell", instead: "an encrypted column's collation is the configuration's",
        example: "SELECT 1 FROM people WHERE name COLLATE \"de-x-icu\" = 'a'")
    static let naturalJoin = Refused(
        .operationRefused, "NATURAL JOIN with a relation whose columns are not known",
        why: "whether the encrypted column takes part can't be told", instead: "write ON or USING",
        example: "SELECT 1 FROM people NATURAL JOIN pg_class")
    static let otherLimit = Refused(
        .encryptionMismatch, "an assignment between encrypted columns of different length or precision",
        why: "the server can't shorten or round cells", instead: "give both columns the same length or precision, or go through the client")
    static let toPlainColumn = Refused(
        .operationRefused, "an encrypted value into a plain column",
        why: "its type does not take cells, and it would not be readable",
        instead: "mark that column too, with the same type, encryption and key",
        example: "INSERT INTO plain (name) SELECT name FROM people")
    static let conflictPredicate = Refused(
        .operationRefused, "a constant for an encrypted column in ON CONFLICT's predicate",
        why: "it must equal the index's own constant, which is another cell",
        instead: "use a predicate without it (IS NOT NULL), or name the constraint",
        example: "INSERT INTO people (id) VALUES (1) ON CONFLICT (id) WHERE name = 'a' DO NOTHING")
    static let ambiguousName = Refused(
        .ambiguousRelation, "the unqualified name of a marked table that leads elsewhere in this search path",
        why: "plaintext for the marked table would go to the other", instead: "write the schema",
        example: "SELECT 1 FROM visits")
    static let similarTo = Refused(
        .operationRefused, "SIMILAR TO",
        why: "it is a regular expression, whose evaluation is PostgreSQL's own", instead: "use LIKE",
        example: "SELECT 1 FROM people WHERE name SIMILAR TO 'a'")
    static let patternArray = Refused(
        .operationRefused, "LIKE ANY or ALL of an array parameter or constant",
        why: "its elements are patterns, not values", instead: "write LIKE ANY (ARRAY[…])",
        example: "SELECT 1 FROM people WHERE name LIKE ANY ('{a%}')")
    static let computedArray = Refused(
        .operationRefused, "ANY or ALL of an array that the server computes",
        why: "its elements would be plain", instead: "write IN (…), or = ANY ($1)",
        example: "SELECT 1 FROM people WHERE name = ANY (string_to_array('a,b', ','))")
    static let patternColumn = Refused(
        .operationRefused, "a LIKE pattern that is a column",
        why: "the enclave takes patterns from the proxy only, sealed as such", instead: "the pattern must be a constant or a parameter",
        example: "SELECT 1 FROM people WHERE name LIKE nick")
    static let foldedLike = Refused(
        .operationRefused, "`upper(column)` or `lower(column)` anywhere but opposite the same function of a constant (`=`, `<>`, LIKE)",
        why: "the server can't fold cells", instead: "use ILIKE",
        example: "SELECT 1 FROM people WHERE upper(name) LIKE 'A%'")
    static let severalStatements = Refused(
        .statementRefused,
        "a statement whose names an earlier one of the same text may have changed; PREPARE or COPY of encrypted columns together with others",
        why: "what the names mean is known only when the earlier one is done", instead: "send the statements one by one",
        example: "CREATE VIEW v AS SELECT name FROM people; SELECT * FROM v WHERE name = 'a'")
    static let executeNotConstant = Refused(
        .parameterRefused, "EXECUTE with a value for an encrypted parameter that is not constant",
        why: "the server would compute it in the clear", instead: "write a constant, or bind through the extended protocol")
    static let wholeRow = Refused(
        .operationRefused, "a whole row of a marked table as one value",
        why: "its text form would mix cells and plain values", instead: "use `SELECT t.*`, or name the columns",
        example: "SELECT people FROM people")
    static let ordinalOverStar = Refused(
        .operationRefused, "an ordinal in ORDER BY or GROUP BY over columns that are not known one by one",
        why: "which column it means can't be told", instead: "write the column's name")
    static let cast = Refused(
        .operationRefused, "a cast of an encrypted column to another type, or with a length",
        why: "the server has cells, not values", instead: "the server has cells, not values: cast in the client",
        example: "SELECT weight::text FROM people")
    static let parameterUsedTwice = Refused(
        .parameterRefused, "one parameter with columns of different types, or with an encrypted column and in a way that is not known",
        why: "what the client sees of it must be one type, and its plaintext may not be sent", instead: "use two parameters")
    static let cellFunction = Refused(
        .operationRefused, "a call of a function that takes or returns encrypted values",
        why: "what it does with them is not known", instead: "functions over encrypted columns are not bound: write the query itself")
    static let codeInServer = Refused(
        .nameInBody, "DO, functions in other languages than SQL, and functions that run a text, if they mention a marked table",
        why: "code that runs in the server can't be bound",
        instead: "code that runs in the server can't be bound: run its statements from the client",
        example: "DO $$ BEGIN DELETE FROM people; END $$")
    static let renameToMarked = Refused(
        .definitionRefused, "renaming or moving a table to a marked name",
        why: "plaintext in it would be taken for cells", instead: "create that table with CREATE TABLE",
        example: "ALTER TABLE plain RENAME TO people")
    static let renameSchema = Refused(
        .definitionRefused, "renaming a schema that has marked tables",
        why: "the marks name it", instead: "change the configuration first",
        example: "ALTER SCHEMA public RENAME TO other2")
    static let renameMarked = Refused(
        .definitionRefused, "renaming a marked table or column",
        why: "the marks name it", instead: "change the configuration and rename in the server's own session",
        example: "ALTER TABLE people RENAME TO p2")
    static let differentEncryption = Refused(
        .encryptionMismatch, "two columns that are encrypted differently in one comparison, join or set operation",
        why: "a key's cells can't be compared with another's",
        instead: "columns that meet in one query need the same type, encryption and key in the configuration",
        example: "SELECT 1 FROM people WHERE name = pid")
    static let plainMeetsEncrypted = Refused(
        .plainMeetsEncrypted, "a comparison of an encrypted column with a plain column or an expression that the server computes",
        why: "the server would have to encrypt or decrypt",
        instead: "use a constant, a parameter or a column with the same encryption; compute expressions in the client",
        example: "SELECT 1 FROM people WHERE name = note")
    static let aggregateUsed = Refused(
        .operationRefused, "anything but showing the result of SUM, AVG, STDDEV or VARIANCE over an encrypted column",
        why: "comparing it would let the server find single values", instead: "select it and go on in the client",
        example: "SELECT sum(amount) + 1 FROM salaries")
    static let patternOnOtherType = Refused(
        .operationRefused, "LIKE on an encrypted column that is no text",
        why: "patterns are for text", instead: "patterns are for text; compare with =, <, BETWEEN …",
        example: "SELECT 1 FROM people WHERE birth LIKE '19%'")
    static let patternOnDeterministic = Refused(
        .operationRefused, "LIKE on a deterministic column",
        why: "deterministic cells have no parts to look at",
        instead: "deterministic columns have = and <> only; use randomized encryption for patterns",
        example: "SELECT 1 FROM people WHERE pid LIKE 'a%'")
    static let orderOnDeterministic = Refused(
        .orderOnDeterministic, "an order of a deterministic column (`<`, ORDER BY, MIN, MAX)",
        why: "deterministic cells have equality only",
        instead: "deterministic columns have = and <> only; use randomized encryption for ranges and sorting",
        example: "SELECT pid FROM people ORDER BY pid")
    static let function = Refused(
        .operationRefused, "a function, operator or other expression over an encrypted column",
        why: "the server has cells, not values", instead: "select the column and compute in the client",
        example: "SELECT name[1] FROM people")
    static let arithmetic = Refused(
        .operationRefused, "arithmetic on an encrypted column",
        why: "the server has no key, and an enclave that computes single values would decrypt everything by comparisons",
        instead: "compute in the client",
        example: "SELECT 1 FROM people WHERE weight + 1 = 5")
    static let concatenation = Refused(
        .operationRefused, "`||` on an encrypted column",
        why: "the server has cells, not values", instead: "concatenate in the client",
        example: "SELECT name || 'a' FROM people")
    static let regularExpression = Refused(
        .operationRefused, "regular expressions on an encrypted column",
        why: "PostgreSQL's own flavour is in no library that the enclave could use",
        instead: "use LIKE or ILIKE: regular expressions are not evaluated on encrypted columns",
        example: "SELECT 1 FROM people WHERE name ~ 'a'")
    static let otherOperator = Refused(
        .operationRefused, "another operator on an encrypted column",
        why: "the types have none but these", instead: "encrypted columns have =, <>, <, <=, >, >= and LIKE only",
        example: "SELECT 1 FROM people WHERE weight & 1 = 0")
    static let aggregate = Refused(
        .operationRefused, "SUM, AVG, STDDEV, VARIANCE over a deterministic column, with DISTINCT, as a window, or of a type without them",
        why: "the enclave makes them of randomized numbers only",
        instead: "select the values and aggregate in the client, or mark the column randomized and of a type of numbers",
        example: "SELECT sum(pid) FROM salaries")
    static let textFunction = Refused(
        .operationRefused, "text functions over an encrypted column",
        why: "the server has cells, not values", instead: "select the column and compute in the client",
        example: "SELECT length(name) FROM people")
    static let dateFunction = Refused(
        .operationRefused, "EXTRACT, date_trunc, age and their kin over an encrypted column",
        why: "the server has cells, not values", instead: "use a range (`column >= … AND column < …`), or compute in the client",
        example: "SELECT EXTRACT(year FROM birth) FROM people")
    static let otherFunction = Refused(
        .operationRefused, "any other function over an encrypted column",
        why: "functions get cells, not values", instead: "functions get cells, not values: select the column and compute in the client",
        example: "SELECT md5(name) FROM people")
    static let parameterType = Refused(
        .parameterRefused, "a parameter of PREPARE for an encrypted column, declared as a type that is none of ours, or with a length",
        why: "the value could not be read as PostgreSQL would", instead: "declare it as the column's type, without a length",
        example: "PREPARE p (box) AS SELECT 1 FROM people WHERE name = $1")
    static let constantForm = Refused(
        .constantRefused, "a constant for an encrypted column in a form or of a type that the column can't take",
        why: "PostgreSQL would convert it in a way that depends on the server", instead: "write it as a plain constant or parameter",
        example: "SELECT 1 FROM people WHERE weight = -(5)")

    static let arrayColumn = Refused(
        .definitionRefused, "a marked column of an array type",
        why: "the types of cells have no operators for arrays",
        instead: "keep the elements in a table of their own, one a row; or the whole as jsonb, which is stored only",
        example: "CREATE TABLE people (name text[])")
    static let domainNotConfigured = Refused(
        .definitionRefused, "a marked column declared with a domain or enum that its mark does not name",
        why: "a domain's constraints must come from the configuration: a server that told them would choose constants that are encrypted",
        instead: "say what the type is in the configuration's section `types`, and name it as the column's type",
        example: "CREATE TABLE people (name public.shortname)")
    static let domainOtherwise = Refused(
        .definitionRefused, "a domain that differs from what the configuration says of it",
        why: "the encrypted column would be checked otherwise than the plain ones",
        instead: "change section `types` of the configuration first",
        example: "CREATE DOMAIN public.posint AS int CHECK (VALUE > 1)")
    static let domainConstraint = Refused(
        .definitionRefused, "a domain's constraint that can't be bound over its encrypted column",
        why: "the server has cells, not values",
        instead:
            "state a constraint that can be bound (comparisons, IN, LIKE), or declare the column with the base type and check in the client"
    )
    static let domainCast = Refused(
        .constantRefused, "a constant or parameter cast to a domain that has constraints or a length, next to an encrypted column",
        why: "the server, which would check it, sees no value",
        instead: "leave the cast out: what is stored is checked by the column itself",
        example: "SELECT 1 FROM staff WHERE level = 5::public.posint")
    static let enumerationOrder = Refused(
        .operationRefused, "an order of an encrypted enum column (`<`, BETWEEN, ORDER BY, MIN, MAX)",
        why: "labels are stored as text, whose order is not the enum's",
        instead: "use = and IN, sort in the client, or by `column::text` in the order of the labels' letters",
        example: "SELECT 1 FROM staff ORDER BY mood")
    static let enumerationAsText = Refused(
        .definitionRefused, "an encrypted enum column cast to text in a view or a table made from a query",
        why: "the new column's type would not tell it from the enum", instead: "leave the cast out there, and write it in the query of it",
        example: "CREATE VIEW moods AS SELECT mood::text FROM staff")
    static let domainInQuery = Refused(
        .definitionRefused, "CREATE TABLE AS, SELECT INTO or LIKE that takes over an encrypted column of a domain with constraints",
        why: "in PostgreSQL the new column is of the domain too; here it would not keep the constraints",
        instead: "cast the column to its base type, as in level::int; or LIKE … INCLUDING CONSTRAINTS INCLUDING DEFAULTS",
        example: "CREATE TABLE copy_of AS SELECT level FROM staff")
    static let dropOfDomain = Refused(
        .definitionRefused, "DROP NOT NULL or DROP DEFAULT of an encrypted column whose domain has that",
        why: "in PostgreSQL the domain's own would stay; here it would be gone", instead: "leave it, or state another DEFAULT",
        example: "ALTER TABLE staff ALTER COLUMN level DROP NOT NULL")
    static let renameLabel = Refused(
        .definitionRefused, "ALTER TYPE … RENAME VALUE of an enum that an encrypted column uses",
        why: "stored cells would keep the old label, which the server can't change",
        instead: "ADD VALUE, update the rows through the proxy, and leave the old label",
        example: "ALTER TYPE public.mood RENAME VALUE 'ok' TO 'fine'")
    static let dropUsedType = Refused(
        .definitionRefused, "DROP TYPE or DOMAIN of one that an encrypted column uses",
        why: "the column does not depend on it in the server, which would let it go", instead: "drop the column first",
        example: "DROP TYPE public.mood")
    static let alterUsedType = Refused(
        .definitionRefused, "ALTER DOMAIN, or renaming or moving a type, of one that an encrypted column uses",
        why: "the column, which does not depend on it in the server, would stay as it is",
        instead: "change the configuration, and the column's constraints by ALTER TABLE",
        example: "ALTER DOMAIN public.posint DROP NOT NULL")

    /// In the table's order.
    package static let all: [Refused] = [
        .unlisted, .cellTypeAsValue, .starWithUnknownColumns, .copyWithServerFile, .hiddenByTemporary, .tableFromQuery,
        .partitionKey, .inheritedOtherwise, .unmarkedCellType, .collateInDefinition, .compression, .generatedByServer,
        .defaultNotConstant, .declaredOtherwise, .plainFromEncrypted, .bareBoolean, .foreignKey, .alterType, .usingInAlter,
        .indexExpression, .indexMethod, .operatorClass, .otherCollation, .naturalJoin, .otherLimit, .toPlainColumn,
        .conflictPredicate, .ambiguousName, .similarTo, .patternArray, .computedArray, .patternColumn, .foldedLike,
        .severalStatements, .executeNotConstant, .wholeRow, .ordinalOverStar, .cast, .parameterUsedTwice, .cellFunction,
        .codeInServer, .renameToMarked, .renameSchema, .renameMarked, .differentEncryption, .plainMeetsEncrypted, .aggregateUsed,
        .patternOnOtherType, .patternOnDeterministic, .orderOnDeterministic, .function, .arithmetic, .concatenation,
        .regularExpression, .otherOperator, .aggregate, .textFunction, .dateFunction, .otherFunction, .parameterType,
        .constantForm, .arrayColumn, .domainNotConfigured, .domainOtherwise, .domainConstraint, .domainCast, .enumerationOrder,
        .enumerationAsText, .domainInQuery, .dropOfDomain, .renameLabel, .dropUsedType, .alterUsedType,
    ]

    /// The table of `docs/refusals.md`, in Markdown.
    package static var markdown: String {
        func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
        var text = "| refused | why | instead | error |\n|---|---|---|---|\n"
        for row in all {
            text += "| \(cell(row.construct)) | \(cell(row.why)) | \(cell(row.instead)) | \(row.code.name) (\(row.code.sqlState)) |\n"
        }
        return text
    }
}
