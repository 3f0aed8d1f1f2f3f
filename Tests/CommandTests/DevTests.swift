import CellFormat
import Configuration
import Foundation
import Testing

@testable import cloister

@Suite struct ProcessRecords {
    @Test func thisProcessRuns() throws {
        let record = try #require(ProcessRecord(name: "me", pid: getpid()))
        #expect(record.isRunning)
    }

    @Test func anotherStartTimeIsAnotherProcess() throws {
        var record = try #require(ProcessRecord(name: "me", pid: getpid()))
        record.startTicks += 1
        #expect(!record.isRunning)
    }

    @Test func anotherBootIsAnotherProcess() throws {
        var record = try #require(ProcessRecord(name: "me", pid: getpid()))
        record.boot = "00000000-0000-0000-0000-000000000000"
        #expect(!record.isRunning)
    }

    @Test func noProcessNoRecord() { #expect(ProcessRecord(name: "none", pid: 4_194_305) == nil) }
}

@Suite struct DevConfiguration {
    @Test func whatIsWrittenIsReadAsMeant() throws {
        let columns = [
            ColumnDeclaration(schema: "public", table: "people", column: "name_last", type: .text, scheme: .randomized, keyName: "people"),
            ColumnDeclaration(schema: "public", table: "people", column: "it's \"x\"", type: .date, scheme: .deterministic, keyName: "k-1"),
            ColumnDeclaration(schema: "My.Schema", table: "on", column: "yes", type: .int8, scheme: .randomized, keyName: "people"),
            ColumnDeclaration(
                schema: "My.Schema", table: "on", column: "no", type: .numeric, modifier: 655_366, scheme: .randomized,
                keyName: "k-1"),
            ColumnDeclaration(
                schema: "My.Schema", table: "on", column: "off", type: .varchar, modifier: 44, scheme: .randomized,
                collation: try #require(Collation(name: "de-AT-u-ks-level1")), keyName: "k-1"),
            ColumnDeclaration(
                schema: "public", table: "staff", column: "mood", type: .text, scheme: .randomized, keyName: "m",
                enumeration: TypeName("public", "Mo\"od")),
            ColumnDeclaration(
                schema: "public", table: "staff", column: "nick", type: .varchar, modifier: 14, scheme: .randomized, keyName: "n",
                domain: TypeName("public", "a")),
        ]
        let types: [TypeName: UserType] = [
            TypeName("public", "Mo\"od"): .enumeration,
            TypeName("public", "z"): .domain(
                .init(base: DeclaredType(.varchar, modifier: 14), isNotNull: true, checks: ["VALUE <> 'it''s, a'", "VALUE > ''"])),
            TypeName("public", "a"): .domain(
                .init(base: DeclaredType(.varchar, modifier: 14), parent: TypeName("public", "z"), defaultValue: "'x'")),
        ]
        var limits = LimitsConfiguration()
        limits.connections = 7
        var state = DevState(port: 6432, directPort: 5433)
        state.measurement = "sha384:" + String(repeating: "ab", count: 48)
        let folder = DevFolder("/tmp/some where")
        let text = DevConfig.render(columns: columns, limits: limits, types: types, state: state, folder: folder)
        let read = try Configuration(yaml: text, file: folder.configFile)
        #expect(read.columns.map(\.path) == columns.map(\.path))
        #expect(read.columns.map(\.type) == columns.map(\.type) && read.columns.map(\.scheme) == columns.map(\.scheme))
        #expect(read.columns.map(\.modifier) == columns.map(\.modifier) && read.columns.map(\.collation) == columns.map(\.collation))
        #expect(read.limits == limits)
        #expect(
            read.types == types && read.columns.map(\.enumeration) == columns.map(\.enumeration)
                && read.columns.map(\.domain) == columns.map(\.domain))
        let service = try #require(read.service)
        #expect(service.listen.description == "127.0.0.1:6432" && service.server.description == "127.0.0.1:5433")
        #expect(service.vault == folder.vault && service.passphraseFile == folder.passphrase)
        #expect(service.admin.passwordFile == folder.proxyPassword)
        #expect(service.enclave.measurements == [[UInt8](repeating: 0xab, count: 48)])
        #expect(service.enclave.roots == [folder.platform + "/tee-root.pem"])
    }

    @Test func environmentHasTheVariablesOfTheContract() {
        var state = DevState(port: 1, directPort: 2)
        state.passwords = ["app": "a", "postgres": "b"]
        #expect(
            DevConfig.environment(state) == """
                export PGHOST='127.0.0.1'
                export PGPORT='1'
                export PGUSER='app'
                export PGPASSWORD='a'
                export PGDATABASE='app'
                export CLOISTER_DIRECT_PORT='2'
                export CLOISTER_SUPERUSER='postgres'
                export CLOISTER_SUPERUSER_PASSWORD='b'

                """)
    }

    @Test func foldersAreAbsoluteWithoutLinks() {
        #expect(DevFolder("/tmp/../tmp/x/").path == "/tmp/x")
        #expect(DevFolder("x").path == FileManager.default.currentDirectoryPath + "/x")
    }

    @Test func randomWordsAreLongAndDiffer() {
        let words = Set((0..<100).map { _ in DevStack.randomWord() })
        #expect(words.count == 100 && words.allSatisfy { $0.count == 26 })
    }
}
