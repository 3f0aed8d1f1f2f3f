import CellFormat
import Testing

@Suite struct DeclaredTypes {
    /// The numbers are `atttypmod` of PostgreSQL 15 for a column so declared.
    @Test(
        arguments: [
            ("varchar(40)", "varchar(40)", 44), ("character varying(1)", "varchar(1)", 5), ("char", "bpchar(1)", 5),
            ("bpchar", "bpchar", -1),
            ("character(8)", "bpchar(8)", 12), ("numeric(10,2)", "numeric(10,2)", 655366), ("numeric(5)", "numeric(5,0)", 327684),
            ("numeric(3,-2)", "numeric(3,-2)", 198658), ("numeric(2,-1000)", "numeric(2,-1000)", 132124),
            ("dec(1000,1000)", "numeric(1000,1000)", 65_537_004),
            ("time(0)", "time(0)", 0), ("time (3) with time zone", "timetz(3)", 3), ("timestamp(6)", "timestamp(6)", 6),
            ("timestamp(9)", "timestamp(6)", 6), ("timestamp with time zone", "timestamptz", -1), ("interval", "interval", -1),
            ("interval(3)", "interval(3)", 2_147_418_115), ("interval year to month", "interval year to month", 458751),
            ("interval day to second(2)", "interval day to second(2)", 470_286_338), ("interval second", "interval second", 268_500_991),
            ("float(24)", "float4", -1), ("float", "float8", -1), ("real", "float4", -1), ("double precision", "float8", -1),
            ("int", "int4", -1),
            ("bool", "boolean", -1), ("jsonb", "jsonb", -1),
        ])
    func spellings(sql: String, canonical: String, modifier: Int32) throws {
        let type = try DeclaredType(sql: sql)
        #expect(type.description == canonical)
        #expect(type.modifier == modifier)
        #expect(try DeclaredType(sql: canonical) == type)
    }

    @Test(
        arguments: [
            "", "xml", "Text", "varchar(40", "varchar(40)x", "varchar(40)(3)", "text with time zone", "time with time zone(3)",
            "interval day to year",
            "interval(3) day", "varchar)40(", "timestamp(3) zone", "int4[]", "text;", "pg_catalog.text",
        ])
    func otherTypes(sql: String) { #expect(throws: DeclaredType.Problem.unknownType) { try DeclaredType(sql: sql) } }

    @Test(
        arguments: [
            "varchar(0)", "varchar(10485761)", "varchar(1,2)", "varchar()", "varchar(-1)", "varchar(99999999999999999999)", "char(0)",
            "numeric(0)",
            "numeric(1001)", "numeric(1,1001)", "numeric(1,-1001)", "numeric(1,2,3)", "numeric(,2)", "numeric(1--2)", "time(-1)",
            "timestamp(1,2)", "interval day(3)",
            "interval(1,2)", "text(3)", "float(0)", "float(54)", "int4(4)", "varchar(n)",
        ])
    func wrongArguments(sql: String) {
        do throws(DeclaredType.Problem) {
            let type = try DeclaredType(sql: sql)
            Issue.record("read as \(type)")
        } catch {
            guard case .wrongArguments = error else { Issue.record("\(error)"); return }
        }
    }
}
