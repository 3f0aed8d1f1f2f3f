/// Suggests the word that was probably meant.
enum DidYouMean {
    /// The nearest of `words` if it is near: at most a third of its letters differ (Damerau's edits: insertion, removal,
    /// replacement, exchange of neighbours). Case and `-` against `_` cost nothing.
    static func suggestion(for word: String, among words: [String]) -> String? {
        let given = normalized(word)
        let scored = words.map { (word: $0, distance: distance(given, normalized($0))) }
        guard let best = scored.min(by: { $0.distance < $1.distance }), best.distance <= max(1, best.word.count / 3) else { return nil }
        return best.word
    }

    private static func normalized(_ word: String) -> [Character] { Array(word.lowercased().map { $0 == "-" ? "_" : $0 }) }

    /// Optimal string alignment distance.
    static func distance(_ a: [Character], _ b: [Character]) -> Int {
        guard a.count < 64, b.count < 64 else { return .max }
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var best = min(rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
