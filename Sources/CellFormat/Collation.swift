/// How text is compared: byte 3 of a cell's header, written there so that two cells that compare differently never meet.
///
/// | bits | content |
/// |---|---|
/// | 0..5 | 0: by code point ("C"); else the language, an index from 1 into `languages` |
/// | 6..7 | `Strength` |
///
/// Names are ICU locales as PostgreSQL's `CREATE COLLATION (provider = icu, locale = …)` takes them: `de`, `und-u-ks-level2`,
/// `sv-u-ks-level1-kc`. `und` is ICU's root order. Ids are never reused: new languages are appended.
public struct Collation: RawRepresentable, Hashable, Sendable {
    /// What makes two strings differ (Unicode Technical Standard 10).
    public enum Strength: UInt8, Sendable, CaseIterable {
        /// Letters, accents, case; what ICU calls equal is ordered by bytes, as a deterministic collation of PostgreSQL's.
        case tertiary = 0
        /// Letters and accents: case-insensitive (`ks-level2`).
        case caseInsensitive = 1
        /// Letters only: case- and accent-insensitive (`ks-level1`).
        case lettersOnly = 2
        /// Letters and case: accent-insensitive (`ks-level1-kc`).
        case accentInsensitive = 3

        var suffix: String {
            switch self {
            case .tertiary: ""
            case .caseInsensitive: "-u-ks-level2"
            case .lettersOnly: "-u-ks-level1"
            case .accentInsensitive: "-u-ks-level1-kc"
            }
        }
    }

    /// Append only: at most 63.
    public static let languages = [
        "und", "af", "ar", "az", "be", "bg", "bn", "bs", "ca", "cs", "cy", "da", "de", "de-AT", "el", "en", "eo", "es", "et", "eu", "fa",
        "fi", "fil", "fr", "fr-CA", "ga", "gl", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "ko", "lt", "lv",
        "mk", "ms", "nb", "nl", "nn", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "th", "tr", "uk", "ur", "vi", "zh",
    ]

    public static let c = Collation(unchecked: 0)

    public let rawValue: UInt8

    private init(unchecked rawValue: UInt8) { self.rawValue = rawValue }

    public init?(rawValue: UInt8) {
        guard rawValue == 0 || (1...Self.languages.count).contains(Int(rawValue & 63)) else { return nil }
        self.rawValue = rawValue
    }

    /// From a name as in the configuration: `C`, or an ICU locale; nil if it is none of ours.
    public init?(name: String) {
        if name == "C" {
            self = .c
            return
        }
        var strength = Strength.tertiary
        var language = name
        for candidate in Strength.allCases where candidate != .tertiary && name.hasSuffix(candidate.suffix) {
            strength = candidate
            language = String(name.dropLast(candidate.suffix.count))
        }
        guard let index = Self.languages.firstIndex(of: language) else { return nil }
        rawValue = strength.rawValue << 6 | UInt8(index + 1)
    }

    public var strength: Strength { Strength(rawValue: rawValue >> 6) ?? .tertiary }

    /// The ICU locale without its strength; nil for "C".
    public var language: String? { self == .c ? nil : Self.languages[Int(rawValue & 63) - 1] }

    /// `C`, `de`, `und-u-ks-level2`, …
    public var name: String { language.map { $0 + strength.suffix } ?? "C" }

    /// Whether PostgreSQL's collation of that name orders alike: `C`, `POSIX` or `ucs_basic`; `de-x-icu`.
    public func isNamed(_ postgreSQL: String) -> Bool {
        if self == .c { return ["C", "POSIX", "ucs_basic"].contains(postgreSQL) }
        return strength == .tertiary && postgreSQL == "\(name)-x-icu"
    }
}
