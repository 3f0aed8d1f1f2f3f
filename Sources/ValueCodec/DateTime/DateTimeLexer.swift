/// Splits date/time text into fields, as PostgreSQL's ParseDateTime.
struct DateTimeField {
    enum Kind {
        /// Digits, possibly with one point.
        case number
        /// Digits and separators, possibly a month's name; or a zone name with punctuation.
        case date
        case time
        /// A sign and digits.
        case offset
        /// Letters.
        case word
        /// A sign and letters.
        case signedWord
    }
    var kind: Kind
    /// Lower-cased.
    var text: [UInt8]

    static let maximumCount = 25

    /// nil if the text is not made of such fields, has too many or is too long (`capacity`: PostgreSQL's work buffer).
    static func split(_ input: Span<UInt8>, capacity: Int) -> [DateTimeField]? {
        var fields: [DateTimeField] = []
        var index = 0
        var used = 0
        func peek() -> UInt8 { index < input.count ? input[index] : 0 }
        while index < input.count {
            let byte = input[index]
            if byte.isSpace {
                index += 1
                continue
            }
            guard fields.count < maximumCount else { return nil }
            var field = DateTimeField(kind: .number, text: [])
            func take() {
                field.text.append(input[index].lowercased)
                index += 1
            }
            func takeDigits() { while peek().isDigit { take() } }

            if byte.isDigit {
                takeDigits()
                let delimiter = peek()
                if delimiter == ascii(":") {
                    field.kind = .time
                    take()
                    while peek().isDigit || peek() == ascii(":") || peek() == ascii(".") { take() }
                } else if delimiter == ascii("-") || delimiter == ascii("/") || delimiter == ascii(".") {
                    take()
                    if peek().isDigit {
                        field.kind = delimiter == ascii(".") ? .number : .date
                        takeDigits()
                        if peek() == delimiter {
                            field.kind = .date
                            take()
                            while peek().isDigit || peek() == delimiter { take() }
                        }
                    } else {
                        field.kind = .date
                        while peek().isAlphaNumeric || peek() == delimiter { take() }
                    }
                }
            } else if byte == ascii(".") {
                take()
                takeDigits()
            } else if byte.isAlpha {
                field.kind = .word
                while peek().isAlpha { take() }
                let next = peek()
                // A date such as "jan-8-1999", or a zone name such as "america/new_york" or "gmt+3".
                if next == ascii("-") || next == ascii("/") || next == ascii(".")
                    || ((next == ascii("+") || next.isDigit) && DateTimeWord(field.text) == nil)
                {
                    field.kind = .date
                    repeat {
                        take()
                    } while peek() != 0
                        && (peek().isAlphaNumeric || [0x2b, 0x2d, 0x2f, 0x5f, 0x2e, 0x3a].contains(peek()))
                }
            } else if byte == ascii("+") || byte == ascii("-") {
                take()
                while peek().isSpace { index += 1 }
                if peek().isDigit {
                    field.kind = .offset
                    while peek().isDigit || peek() == ascii(":") || peek() == ascii(".") || peek() == ascii("-") { take() }
                } else if peek().isAlpha {
                    field.kind = .signedWord
                    while peek().isAlpha { take() }
                } else {
                    return nil
                }
            } else if byte.isPunctuation {
                index += 1
                continue
            } else {
                return nil
            }
            // PostgreSQL's bound: each character needs room for one more byte, each field a terminator.
            if used + field.text.count + 1 > capacity { return nil }
            used += field.text.count + 1
            fields.append(field)
        }
        return fields
    }
}
