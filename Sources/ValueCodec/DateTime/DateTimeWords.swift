internal import Diagnostics

/// The words PostgreSQL 15 knows in dates and times.
enum DateTimeWord: Equatable {
    case month(Int)
    case weekday
    case ante, post  // am, pm
    case anno, before  // ad, bc
    case unit(DateTimeUnit)
    case timeFollows  // "t"
    case ignored  // "at", "on"
    case summerModifier  // "dst"
    case epoch, infinity, minusInfinity
    case midnight  // "allballs"
    case clock  // now, today, tomorrow, yesterday

    init?(_ word: [UInt8]) {
        guard word.count <= 10, let known = Self.table[String(decoding: word, as: UTF8.self)] else { return nil }
        self = known
    }

    static func clockRefusal() -> CloisterError {
        ValueError.unsupported(
            "now, today, tomorrow and yesterday are not supported for an encrypted column: they depend on the server's clock",
            hint: "Send the date or time itself.")
    }

    private static let table: [String: DateTimeWord] = {
        var table: [String: DateTimeWord] = [
            "am": .ante, "pm": .post, "ad": .anno, "bc": .before, "t": .timeFollows, "at": .ignored, "on": .ignored,
            "dst": .summerModifier, "epoch": .epoch, "infinity": .infinity, "-infinity": .minusInfinity,
            "allballs": .midnight, "now": .clock, "today": .clock, "tomorrow": .clock, "yesterday": .clock,
            "d": .unit(.day), "h": .unit(.hour), "j": .unit(.julian), "jd": .unit(.julian), "julian": .unit(.julian),
            "m": .unit(.month), "mm": .unit(.minute), "s": .unit(.second), "y": .unit(.year), "dow": .unit(.other),
            "doy": .unit(.other), "isodow": .unit(.other), "isoyear": .unit(.other), "sept": .month(9),
        ]
        let months = [
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
        ]
        for (index, name) in months.enumerated() {
            table[name] = .month(index + 1)
            table[String(name.prefix(3))] = .month(index + 1)
        }
        for name in ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] {
            table[name] = .weekday
            table[String(name.prefix(3))] = .weekday
        }
        for name in ["tues", "weds", "thur", "thurs"] { table[name] = .weekday }
        return table
    }()
}

/// What a label such as "y" or "julian" says of the number after it; `time` is what "t" says.
enum DateTimeUnit { case year, month, day, hour, minute, second, julian, time, other }

/// Time zone abbreviations.
enum ZoneAbbreviation {
    /// Fixed at UTC in every set of abbreviations that PostgreSQL ships.
    static func isUTC(_ word: [UInt8]) -> Bool {
        ["utc", "gmt", "z", "zulu", "ut", "uct"].contains { word.elementsEqual($0.utf8) }
    }

    /// Whether the word is an abbreviation of PostgreSQL's "Default" set. What it means depends on the server's
    /// timezone_abbreviations, which it does not report: such input is refused, not guessed.
    static func isServerDefined(_ word: [UInt8]) -> Bool {
        defaults.contains(String(decoding: word, as: UTF8.self))
    }

    static func refusal() -> CloisterError {
        ValueError.unsupported(
            "time zone abbreviations other than UTC, GMT and Z are not supported: their meaning is a setting of the server",
            hint: "Write an offset such as +02 or a full zone name such as Europe/Paris.")
    }

    private static let defaults: Set<String> = Set(
        """
        acdt acsst acst act acwst adt aedt aesst aest aft akdt akst almst almt amst amt anast anat arst art ast awsst \
        awst azost azot azst azt bdst bdt bnt bort bot bra brst brt bst btt cadt cast cct cdt cest cet cetdst chadt \
        chast chut ckt clst clt cot cst cxt davt ddut easst east eat edt eest eet eetdst egst egt est fet fjst fjt \
        fkst fkt fnst fnt galt gamt gest get gft gilt gyt hkt hst ict idt iot irkst irkt irt ist jayt jst kdt kgst \
        kgt kost krast krat kst lhdt lhst ligt lint lkt magst magt mart mawt mdt mest mesz met metdst mez mht mmt mpt \
        msd msk mst must mut mvt myt ndt nft novst novt npt nst nut nzdt nzst nzt omsst omst pdt pet petst pett pgt \
        pht pkst pkt pmdt pmst pont pst pwt pyst pyt ret sadt sast sct sgt taht tft tjt tkt tmt tot trut tvt ulast \
        ulat uyst uyt uzst uzt vet vlast vlat volt vut wadt wakt wast wat wdt wet wetdst wft wgst wgt xjt yakst yakt \
        yapt yekst yekt
        """.split(separator: " ").map(String.init))
}
