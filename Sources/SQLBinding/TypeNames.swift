internal import CellFormat

extension Node {
    /// A TypeName node as a type of ours with its limit; nil if it is another type, or its limit is none.
    var declaredType: DeclaredType? {
        guard let logical = LogicalType(typeNames: names("names")), !has("arrayBounds"), !flag("setof"), !flag("pct_type") else {
            return nil
        }
        var arguments: [Int] = []
        for argument in list("typmods") {
            let (tag, constant) = argument.tagged
            // Absent means 0.
            guard tag == "A_Const", let integer = constant["ival"] else { return nil }
            arguments.append(integer.number("ival"))
        }
        return try? DeclaredType(logical, arguments: arguments)
    }
}

extension Analyzer {
    /// The last token of `day to second(3)` behind `interval`, the last token of which is `end`.
    func endOfIntervalFields(_ end: Int) -> Int {
        func isField(_ index: Int) -> Bool {
            let fields: [StaticString] = ["year", "month", "day", "hour", "minute", "second"]
            return fields.contains { isWord(index, $0) }
        }
        guard isField(end + 1) else { return end }
        let last = isWord(end + 2, "to") && isField(end + 3) ? end + 3 : end + 1
        return isWord(last, "second") && isSymbol(last + 1, "(") && isSymbol(last + 3, ")") ? last + 3 : last
    }
}
