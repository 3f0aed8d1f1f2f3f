/// A logical type and the limit of its values, as SQL declares them: `varchar(40)`, `numeric(10,2)`, `interval day to second(3)`.
///
/// The limit is PostgreSQL's `atttypmod` of the logical type (the `typmodin` functions of PostgreSQL 15). The server sees no
/// values, so it can't enforce it: the proxy does.
public struct DeclaredType: Hashable, Sendable, CustomStringConvertible {
    public let logical: LogicalType
    /// `atttypmod`; -1: no limit.
    public let modifier: Int32

    /// Why a spelling is refused.
    public enum Problem: Error, Hashable, Sendable {
        /// No type of ours.
        case unknownType
        /// The type is ours, what stands in the parentheses is not; the text says what may.
        case wrongArguments(String)
    }

    /// `modifier` is not checked: it comes from one of the others.
    public init(_ logical: LogicalType, modifier: Int32 = -1) {
        self.logical = logical
        self.modifier = modifier
    }

    /// What `typmodin` makes of the numbers in parentheses, in the order of the grammar (an interval's first is the mask of its
    /// fields). A precision of time above 6 is 6, as PostgreSQL (with a warning) has it.
    public init(_ logical: LogicalType, arguments: [Int]) throws(Problem) {
        self.logical = logical
        guard let first = arguments.first else {
            modifier = -1
            return
        }
        switch logical {
        case .varchar, .bpchar:
            guard arguments.count == 1, (1...10_485_760).contains(first) else { throw .wrongArguments("a length from 1 to 10485760") }
            modifier = Int32(first) + 4
        case .numeric:
            let scale = arguments.count > 1 ? arguments[1] : 0
            guard arguments.count <= 2, (1...1000).contains(first), (-1000...1000).contains(scale) else {
                throw .wrongArguments("a precision from 1 to 1000 and a scale from -1000 to 1000")
            }
            modifier = Int32(first << 16 | scale & 0x7ff) + 4
        case .time, .timetz, .timestamp, .timestamptz:
            guard arguments.count == 1, first >= 0 else { throw .wrongArguments(Self.precision) }
            modifier = Int32(min(first, 6))
        case .interval:
            guard arguments.count <= 2, first == Self.allFields || Self.fields.contains(where: { $0.mask == first }) else {
                throw .wrongArguments("fields such as 'day to second'")
            }
            guard arguments.count == 2 else {
                modifier = first == Self.allFields ? -1 : Int32(first << 16 | Self.fullPrecision)
                return
            }
            guard arguments[1] >= 0, first == Self.allFields || first & Self.second != 0 else { throw .wrongArguments(Self.precision) }
            modifier = Int32(truncatingIfNeeded: first << 16 | min(arguments[1], 6))
        case .boolean, .int2, .int4, .int8, .float4, .float8, .text, .bytea, .date, .uuid, .inet, .json, .jsonb:
            throw .wrongArguments("no parentheses")
        }
    }

    // MARK: Text

    /// Reads SQL's spelling in lower case: `character varying(40)`, `timestamp (3) with time zone`, `double precision`.
    public init(sql text: String) throws(Problem) {
        var words: [String] = []
        var arguments: [Int]?
        var rest = Substring(text)
        /// Words behind the parentheses: `with time zone` only.
        var behind: [String] = []
        while let next = rest.first {
            switch next {
            case " ": rest.removeFirst()
            case "a"..."z":
                let word = rest.prefix { $0 >= "a" && $0 <= "z" || $0 >= "0" && $0 <= "9" }
                rest.removeFirst(word.count)
                if arguments == nil { words.append(String(word)) } else { behind.append(String(word)) }
            case "(":
                guard arguments == nil, let close = rest.firstIndex(of: ")") else { throw .unknownType }
                let inside = rest[rest.index(after: rest.startIndex)..<close].split(separator: ",", omittingEmptySubsequences: false)
                let numbers = inside.compactMap { part -> Int? in
                    let digits = String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
                    guard digits.count <= 9, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 || $0 == 45 }) else { return nil }
                    return Int(digits)
                }
                guard numbers.count == inside.count else { throw .wrongArguments("whole numbers") }
                arguments = numbers
                rest = rest[rest.index(after: close)...]
            default: throw .unknownType
            }
        }
        var name = words.joined(separator: " ")
        if !behind.isEmpty {
            guard name == "time" || name == "timestamp" else { throw .unknownType }
            name += " " + behind.joined(separator: " ")
        } else if arguments != nil, words.last == "zone" {
            throw .unknownType
        }
        try self.init(name: name, arguments: arguments ?? [])
    }

    private init(name: String, arguments: [Int]) throws(Problem) {
        if name == "interval" || name.hasPrefix("interval ") {
            let fields = String(name.dropFirst("interval ".count))
            guard let mask = fields.isEmpty ? Self.allFields : Self.fields.first(where: { $0.words == fields })?.mask else {
                throw .unknownType
            }
            try self.init(.interval, arguments: [mask] + arguments)
        } else if name == "float" {
            guard let bits = arguments.first else {
                self.init(.float8)
                return
            }
            guard arguments.count == 1, (1...53).contains(bits) else { throw .wrongArguments("a number of bits from 1 to 53") }
            self.init(bits <= 24 ? .float4 : .float8)
        } else {
            guard let logical = Self.spellings[name] ?? LogicalType(name: name) else { throw .unknownType }
            let isOneCharacter = (name == "char" || name == "character") && arguments.isEmpty
            try self.init(logical, arguments: isOneCharacter ? [1] : arguments)
        }
    }

    /// SQL's spellings besides `LogicalType.name`.
    private static let spellings: [String: LogicalType] = [
        "bool": .boolean, "smallint": .int2, "integer": .int4, "int": .int4, "bigint": .int8, "real": .float4,
        "double precision": .float8, "decimal": .numeric, "dec": .numeric, "character varying": .varchar, "char varying": .varchar,
        "character": .bpchar, "char": .bpchar, "time without time zone": .time, "time with time zone": .timetz,
        "timestamp without time zone": .timestamp, "timestamp with time zone": .timestamptz,
    ]

    /// `varchar(40)`, `timestamptz(3)`, `interval day to second(3)`: what PostgreSQL and `init(sql:)` read as this type.
    public var description: String {
        guard modifier >= 0 else { return logical.name }
        switch logical {
        case .varchar, .bpchar: return "\(logical.name)(\(modifier - 4))"
        case .numeric:
            let scale = Int((modifier - 4) & 0x7ff)
            return "numeric(\((modifier - 4) >> 16 & 0xffff),\(scale > 1000 ? scale - 2048 : scale))"
        case .interval:
            let mask = Int(modifier >> 16) & Self.allFields
            let precision = Int(modifier) & Self.fullPrecision
            let words = Self.fields.first { $0.mask == mask }.map { " " + $0.words } ?? ""
            return "interval" + words + (precision == Self.fullPrecision ? "" : "(\(precision))")
        case .time, .timetz, .timestamp, .timestamptz: return "\(logical.name)(\(modifier))"
        case .boolean, .int2, .int4, .int8, .float4, .float8, .text, .bytea, .date, .uuid, .inet, .json, .jsonb: return logical.name
        }
    }

    // MARK: Intervals (utils/timestamp.h, utils/datetime.h)

    private static let precision = "a precision from 0 to 6"
    private static let allFields = 0x7fff
    private static let fullPrecision = 0xffff
    private static let second = 1 << 12
    private static let fields: [(words: String, mask: Int)] = {
        let month = 1 << 1
        let year = 1 << 2
        let day = 1 << 3
        let hour = 1 << 10
        let minute = 1 << 11
        return [
            ("year", year), ("month", month), ("day", day), ("hour", hour), ("minute", minute), ("second", second),
            ("year to month", year | month), ("day to hour", day | hour), ("day to minute", day | hour | minute),
            ("day to second", day | hour | minute | second), ("hour to minute", hour | minute),
            ("hour to second", hour | minute | second), ("minute to second", minute | second),
        ]
    }()
}
