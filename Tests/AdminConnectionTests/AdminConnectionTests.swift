import AdminConnection
import Diagnostics
import Testing

@Suite struct AdminResultDecoding {
    @Test func byteaIsHexadecimal() {
        #expect(AdminResult.bytes(ofBytea: "\\x") == [])
        #expect(AdminResult.bytes(ofBytea: "\\x00ff7A") == [0x00, 0xff, 0x7a])
        for text in ["", "x", "\\", "\\x0", "\\x0g", "0x00", "\\\\x00", "abc\\000"] { #expect(AdminResult.bytes(ofBytea: text) == nil) }
    }
}

@Suite struct AdminQuoting {
    @Test func quotesAreDoubled() {
        #expect(AdminConnection.quoted(identifier: "a\"b") == "\"a\"\"b\"")
        #expect(AdminConnection.quoted(literal: "it's \\ 'x'") == "'it''s \\ ''x'''")
    }
}

@Suite struct AdminFailures {
    @Test func refusedConnectionNamesThePlaceAndNoPassword() throws {
        var options = AdminOptions(host: "127.0.0.1", port: 1, user: "someone", password: AdminPassword("hunter2"), database: "d")
        options.connectSeconds = 2
        let failure = try #require(throws: AdminFailure.self) { _ = try AdminConnection(options) }
        #expect(failure.error.code == .adminConnection)
        #expect(failure.isConnectionLoss)
        #expect(failure.error.message.contains("127.0.0.1"))
        #expect(!failure.description.contains("hunter2"))
        #expect(!failure.error.message.contains("\n"))
    }

    @Test func passwordDoesNotPrintItself() {
        let options = AdminOptions(user: "u", password: AdminPassword("hunter2"))
        var dumped = ""
        dump(options, to: &dumped)
        #expect(!dumped.contains("hunter2") && !"\(options)".contains("hunter2") && !String(reflecting: options).contains("hunter2"))
    }
}
