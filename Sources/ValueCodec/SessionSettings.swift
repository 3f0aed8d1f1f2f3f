package import Diagnostics

/// The settings of one session that decide how values are written and read. Fed from ParameterStatus messages (DateStyle,
/// IntervalStyle, TimeZone, client_encoding, standard_conforming_strings) and, for the two that PostgreSQL 15 does not
/// report (extra_float_digits, bytea_output), from the SETs the session sees.
///
/// Trust: the server's word (cleartext). A lying server can only make the client misread a value, not see one.
package struct SessionSettings: Sendable, Hashable {
    package enum DateStyle: Sendable, Hashable { case iso, sql, postgres, german }
    package enum DateOrder: Sendable, Hashable { case ymd, dmy, mdy }
    package enum IntervalStyle: String, Sendable, Hashable {
        case postgres, postgresVerbose = "postgres_verbose", sqlStandard = "sql_standard", iso8601 = "iso_8601"
    }
    package enum ByteaOutput: String, Sendable, Hashable { case hex, escape }

    package var dateStyle = DateStyle.iso
    package var dateOrder = DateOrder.mdy
    package var intervalStyle = IntervalStyle.postgres
    /// Unknown zones are kept by name; what needs their rules throws 0A000.
    package var timeZone = SessionTimeZone.utc
    /// -15...3; above 0 a double is shown in its shortest exact form.
    package var extraFloatDigits = 1
    package var byteaOutput = ByteaOutput.hex
    /// As the server spells it.
    package var clientEncoding = "UTF8" {
        didSet { if clientEncoding != oldValue { chooseEncoding() } }
    }
    /// The database's, as the server spells it.
    package var serverEncoding = "UTF8" {
        didSet { if serverEncoding != oldValue { chooseEncoding() } }
    }
    /// The client's text; nil: in an encoding that is not supported.
    package private(set) var encoding: TextEncoding? = .utf8
    package var standardConformingStrings = true

    /// PostgreSQL's defaults: ISO, MDY; UTC; UTF8; extra_float_digits 1; bytea_output hex.
    package init() {}

    /// Takes over one setting as reported or as set. Returns false if the name is none of ours. Throws 22023 if the value is
    /// none of the setting's (the setting keeps its old value).
    @discardableResult
    package mutating func apply(_ name: String, _ value: String) throws(CloisterError) -> Bool {
        func refuse() -> CloisterError { CloisterError(.invalidParameterValue, "invalid value for parameter \"\(name)\"") }
        switch name.lowercased() {
        case "datestyle":
            guard applyDateStyle(value) else { throw refuse() }
        case "intervalstyle":
            guard let style = IntervalStyle(rawValue: value.lowercased()) else { throw refuse() }
            intervalStyle = style
        case "timezone":
            if value != timeZone.name { timeZone = SessionTimeZone(named: value) }
        case "extra_float_digits":
            guard let digits = Int(value), (-15...3).contains(digits) else { throw refuse() }
            extraFloatDigits = digits
        case "bytea_output":
            guard let style = ByteaOutput(rawValue: value.lowercased()) else { throw refuse() }
            byteaOutput = style
        case "client_encoding":
            clientEncoding = value
        case "server_encoding":
            serverEncoding = value
        case "standard_conforming_strings":
            switch value.lowercased() {
            case "on", "true", "yes", "1": standardConformingStrings = true
            case "off", "false", "no", "0": standardConformingStrings = false
            default: throw refuse()
            }
        default: return false
        }
        return true
    }

    private mutating func chooseEncoding() { encoding = TextEncoding(named: clientEncoding, server: serverEncoding) }

    /// PostgreSQL's check_datestyle: a list of a style and an order, each optional; a style named alone keeps the order,
    /// except German, which brings DMY.
    private mutating func applyDateStyle(_ value: String) -> Bool {
        var style: DateStyle?
        var order: DateOrder?
        for item in value.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let word = item.lowercased()
            switch word {
            case "iso": style = .iso
            case "sql": style = .sql
            case "german": style = .german
            case "ymd": order = .ymd
            case "dmy": order = .dmy
            case "mdy", "us": order = .mdy
            case "default": (style, order) = (.iso, .mdy)
            case _ where word.hasPrefix("postgres"): style = .postgres
            case _ where word.hasPrefix("noneuro"): order = .mdy
            case _ where word.hasPrefix("euro"): order = .dmy
            default: return false
            }
        }
        if style == .german, order == nil { order = .dmy }
        if let style { dateStyle = style }
        if let order { dateOrder = order }
        return true
    }
}

/// A session's TimeZone: its name as the server reports it and, if this host knows the zone, its rules.
package struct SessionTimeZone: Sendable, Hashable {
    package let name: String
    let rules: ZoneRules?

    package static let utc = SessionTimeZone(named: "UTC")

    /// Never fails; see `isKnown`.
    package init(named name: String) {
        self.name = name
        if case .found(let zone) = ZoneRules.named(Array(name.utf8)) { rules = zone } else { rules = nil }
    }

    /// Whether timestamptz values can be read and written in this zone.
    package var isKnown: Bool { rules != nil }

    func known() throws(CloisterError) -> ZoneRules {
        guard let rules else {
            throw ValueError.unsupported(
                "the session's time zone is not known to the proxy",
                hint: "SET TimeZone to a zone of the proxy host's /usr/share/zoneinfo.")
        }
        return rules
    }

    package static func == (a: Self, b: Self) -> Bool { a.name == b.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
