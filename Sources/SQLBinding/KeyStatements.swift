internal import Diagnostics

/// `CREATE` and `DROP COLUMN MASTER KEY` and `COLUMN ENCRYPTION KEY`, in the words of SQL Server, openGauss (`CLIENT`) and
/// PostgreSQL's proposed patch.
enum KeyStatements {
    /// The command, if the text is one of these statements; nil if none of its statements is. Throws if it can't be carried
    /// out as it stands, or does not stand alone.
    static func command(_ text: [UInt8], _ tokens: [Token], standardConformingStrings: Bool) throws(Halt) -> ColumnCommand? {
        guard
            tokens.contains(where: {
                $0.kind == .word && (text.matches("master", in: $0.range) || text.matches("encryption", in: $0.range))
            })
        else { return nil }
        var segments: [Range<Int>] = []
        var start = 0
        for index in tokens.indices.map({ $0 }) + [tokens.count] {
            let isEnd = index == tokens.count || tokens[index].kind == .symbol && text[tokens[index].start] == UInt8(ascii: ";")
            guard isEnd else { continue }
            if start < index { segments.append(start..<index) }
            start = index + 1
        }
        for segment in segments {
            var reader = TokenReader(text, tokens, standardConformingStrings: standardConformingStrings, segment)
            guard let statement = statement(&reader) else { continue }
            guard segments.count == 1 else {
                throw reader.failure("a statement about keys must be sent alone, for the proxy carries it out and not the server")
            }
            let action = try action(statement.verb, statement.object, &reader)
            guard reader.isAtEnd else { throw reader.failure("the statement goes on where it should end") }
            return ColumnCommand(action, tag: statement.tag)
        }
        return nil
    }

    private enum Verb { case create, drop }
    private enum Object { case masterKey, columnKey }

    private static func statement(_ reader: inout TokenReader) -> (verb: Verb, object: Object, tag: String)? {
        let verb: Verb
        if reader.accept("create") { verb = .create } else if reader.accept("drop") { verb = .drop } else { return nil }
        let words = verb == .create ? "CREATE" : "DROP"
        if reader.accept("column", "master", "key") { return (verb, .masterKey, words + " COLUMN MASTER KEY") }
        if reader.accept("client", "master", "key") { return (verb, .masterKey, words + " CLIENT MASTER KEY") }
        if reader.accept("column", "encryption", "key") { return (verb, .columnKey, words + " COLUMN ENCRYPTION KEY") }
        if reader.accept("client", "encryption", "key") { return (verb, .columnKey, words + " CLIENT ENCRYPTION KEY") }
        return nil
    }

    private static func action(_ verb: Verb, _ object: Object, _ reader: inout TokenReader) throws(Halt) -> ColumnCommand.Action {
        if verb == .drop {
            let ifExists = reader.accept("if", "exists")
            let name = try reader.name("the key's name")
            if reader.accept("cascade") { throw reader.failure("CASCADE: drop the columns first, then the key") }
            _ = reader.accept("restrict")
            return object == .masterKey ? .dropMasterKey(name, ifExists: ifExists) : .dropColumnKey(name, ifExists: ifExists)
        }
        let name = try reader.name("the key's name")
        if object == .masterKey {
            if reader.accept("with") { try checkMasterKey(name, reader.options(), reader) }
            return .createMasterKey(name)
        }
        try reader.expect("with")
        try reader.expect("values")
        var options = try reader.options()
        // The ciphers are Cloister's own (schemas/cell-v1.md, key-store-v1.md), whatever the dialect calls them.
        options["algorithm"] = nil
        guard let master = options.removeValue(forKey: "column_master_key") ?? options.removeValue(forKey: "client_master_key") else {
            throw reader.failure("COLUMN_MASTER_KEY is missing")
        }
        if let unknown = options.keys.min() { throw reader.failure("\(unknown.uppercased()) is not an option of a column key") }
        return .createColumnKey(name, masterKey: master)
    }

    private static func checkMasterKey(_ name: String, _ given: [String: String], _ reader: TokenReader) throws(Halt) {
        var options = given
        options["algorithm"] = nil
        options["realm"] = nil
        for key in ["key_store_provider_name", "key_store"] {
            guard let store = options.removeValue(forKey: key) else { continue }
            guard ["file", "localkms"].contains(store.lowercased()) else {
                throw reader.failure("\(key.uppercased()): the proxy's vault is the one provider: 'file' (or localkms)")
            }
        }
        if let path = options.removeValue(forKey: "key_path"), path != name {
            throw reader.failure("KEY_PATH is the key's name in the proxy's vault, which is its name here too: '\(name)'")
        }
        if options.keys.contains("enclave_computations") {
            throw reader.failure("ENCLAVE_COMPUTATIONS: what an enclave may do is signed with each column key; leave it out")
        }
        if let unknown = options.keys.min() { throw reader.failure("\(unknown.uppercased()) is not an option of a master key") }
    }
}
