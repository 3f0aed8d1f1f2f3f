package import Diagnostics

/// Patterns of LIKE.
package enum LikePattern {
    /// The pattern with backslash as its escape character, as PostgreSQL's like_escape gives it. `escape` nil: the pattern as
    /// it is; empty: no escape character; one character (of UTF-8, as the pattern); else 22025.
    package static func canonical(_ pattern: [UInt8], escape: [UInt8]?) throws(CloisterError) -> [UInt8] {
        guard let escape else { return pattern }
        let backslash = ascii("\\")
        var result: [UInt8] = []
        result.reserveCapacity(pattern.count + 8)
        guard !escape.isEmpty else {
            for byte in pattern {
                if byte == backslash { result.append(backslash) }
                result.append(byte)
            }
            return result
        }
        guard Limit.characterCount(escape) == 1 else {
            throw CloisterError(.invalidEscape, "invalid escape string", hint: "Escape string must be empty or one character.")
        }
        if escape == [backslash] { return pattern }
        var index = 0
        var isEscaped = false
        while index < pattern.count {
            if !isEscaped, pattern[index...].starts(with: escape) {
                result.append(backslash)
                index += escape.count
                isEscaped = true
                continue
            }
            if pattern[index] == backslash {
                result.append(backslash)
                if !isEscaped { result.append(backslash) }
            } else {
                result.append(pattern[index])
            }
            index += 1
            isEscaped = false
        }
        return result
    }
}
