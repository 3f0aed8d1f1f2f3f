/// PostgreSQL's names of character sets (src/common/encnames.c), and which of them Cloister converts.
enum EncodingName {
    /// In any case, and without what is neither letter nor digit.
    static func clean(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }

    /// The name that PostgreSQL reports for one of its spellings.
    static func canonical(_ name: String) -> String? {
        let clean = clean(name)
        if let found = aliases[clean] { return found }
        return charsets.keys.first { self.clean($0) == clean }
    }

    private static let aliases = [
        "unicode": "UTF8", "utf8": "UTF8", "sqlascii": "SQL_ASCII", "abc": "WIN1258", "tcvn": "WIN1258", "tcvn5712": "WIN1258",
        "vscii": "WIN1258", "alt": "WIN866", "windows866": "WIN866", "windows874": "WIN874", "windows1250": "WIN1250",
        "windows1251": "WIN1251", "win": "WIN1251", "windows1252": "WIN1252", "windows1253": "WIN1253", "windows1254": "WIN1254",
        "windows1255": "WIN1255", "windows1256": "WIN1256", "windows1257": "WIN1257", "windows1258": "WIN1258", "koi8": "KOI8R",
        "iso88591": "LATIN1", "iso88592": "LATIN2", "iso88593": "LATIN3", "iso88594": "LATIN4", "iso88599": "LATIN5",
        "iso885910": "LATIN6", "iso885913": "LATIN7", "iso885914": "LATIN8", "iso885915": "LATIN9", "iso885916": "LATIN10",
        "mskanji": "SJIS", "shiftjis": "SJIS", "win932": "SJIS", "windows932": "SJIS", "win936": "GBK", "windows936": "GBK",
        "win949": "UHC", "windows949": "UHC",
    ]

    /// How characters of more than one byte are put together.
    enum Structure {
        case single
        /// A lead and a trail byte, both 0xA1...0xFE; `hasKana`: also 0x8E and one byte, 0x8F and two.
        case euc(hasKana: Bool)
        case shiftJIS
        /// A lead byte 0x81...0xFE and a trail byte that may look like ASCII.
        case double
    }

    struct Charset {
        /// iconv's name of it.
        let name: String
        let structure: Structure

        init(_ name: String, _ structure: Structure = .single) {
            self.name = name
            self.structure = structure
        }
    }

    /// Those whose conversion by the C library is PostgreSQL's own, character for character (`test_client_encoding.py` compares
    /// all of them with a server's). BIG5, EUC_TW, EUC_JIS_2004, SHIFT_JIS_2004, JOHAB, GB18030 and MULE_INTERNAL differ.
    static let charsets: [String: Charset] = [
        "LATIN1": Charset("ISO-8859-1"), "LATIN2": Charset("ISO-8859-2"), "LATIN3": Charset("ISO-8859-3"),
        "LATIN4": Charset("ISO-8859-4"), "LATIN5": Charset("ISO-8859-9"), "LATIN6": Charset("ISO-8859-10"),
        "LATIN7": Charset("ISO-8859-13"), "LATIN8": Charset("ISO-8859-14"), "LATIN9": Charset("ISO-8859-15"),
        "LATIN10": Charset("ISO-8859-16"), "ISO_8859_5": Charset("ISO-8859-5"), "ISO_8859_6": Charset("ISO-8859-6"),
        "ISO_8859_7": Charset("ISO-8859-7"), "ISO_8859_8": Charset("ISO-8859-8"), "WIN866": Charset("CP866"),
        "WIN874": Charset("CP874"), "WIN1250": Charset("CP1250"), "WIN1251": Charset("CP1251"), "WIN1252": Charset("CP1252"),
        "WIN1253": Charset("CP1253"), "WIN1254": Charset("CP1254"), "WIN1255": Charset("CP1255"), "WIN1256": Charset("CP1256"),
        "WIN1257": Charset("CP1257"), "WIN1258": Charset("CP1258"), "KOI8R": Charset("KOI8-R"), "KOI8U": Charset("KOI8-U"),
        "EUC_JP": Charset("EUC-JP-MS", .euc(hasKana: true)), "EUC_CN": Charset("EUC-CN", .euc(hasKana: false)),
        "EUC_KR": Charset("EUC-KR", .euc(hasKana: false)), "SJIS": Charset("CP932", .shiftJIS), "GBK": Charset("GBK", .double),
        "UHC": Charset("UHC", .double),
    ]
}
