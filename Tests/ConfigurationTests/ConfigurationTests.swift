import CellFormat
import Configuration
import Diagnostics
import Foundation
import Testing

/// `schemas/config-samples`: read here and, with the JSON Schema, by Tests/Integration/test_config_schema.py.
let samples = URL(filePath: #filePath).appending(path: "../../../schemas/config-samples").standardized

func sampleNames(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: samples.appending(path: folder).path)) ?? []).sorted()
}

@Suite struct ConfigurationSamples {
    @Test(arguments: sampleNames("valid"))
    func validSampleIsRead(name: String) throws {
        _ = try Configuration(contentsOf: samples.appending(path: "valid/\(name)").path)
    }

    /// Each `# expect: LINE:COLUMN CODE words` of a sample is one mistake; there are no others.
    @Test(arguments: sampleNames("invalid"))
    func invalidSampleIsReportedAsItSays(name: String) throws {
        let text = try String(contentsOf: samples.appending(path: "invalid/\(name)"), encoding: .utf8)
        let expected = text.matches(of: /# expect: (\d+:\d+) (CL\d{4}) (.*)/).map { ("f.yaml:\($0.1)", String($0.2), String($0.3)) }
        try #require(!expected.isEmpty)
        let errors = try #require(throws: ConfigurationErrors.self) { _ = try Configuration(yaml: text, file: "f.yaml") }
        for (place, code, words) in expected {
            #expect(
                errors.problems.contains { $0.location == place && $0.code.name == code && "\($0.message) \($0.hint)".contains(words) },
                "no \(code) at \(place) with \(words) in:\n\(errors)")
        }
        #expect(errors.problems.count == expected.count, "\(errors)")
        #expect(!"\(errors)".contains("hunter2"))
    }

    @Test func samplesExist() {
        #expect(sampleNames("valid").count >= 6)
        #expect(sampleNames("invalid").count >= 10)
    }
}

@Suite struct ConfigurationContent {
    @Test func everythingHasItsPlace() throws {
        let read = try Configuration(contentsOf: samples.appending(path: "valid/everything.yaml").path)
        let service = try #require(read.service)
        #expect(service.listen == NetworkAddress(host: "::1", port: 6432))
        #expect(service.listen.description == "[::1]:6432")
        #expect(service.server.description == "db.example.org:5432")
        let tls = service.tls
        #expect(tls.mode == .require && tls.clientCertificates == .require && tls.clientName == .user)
        #expect(tls.identity?.certificate == samples.appending(path: "valid/tls/proxy.crt").path)
        #expect(tls.identity?.key == samples.appending(path: "valid/tls/proxy.key").path)
        #expect(tls.clientCA == "/etc/cloister/clients.crt")
        #expect(service.serverTLS.mode == .verifyFull)
        #expect(service.serverTLS.root == samples.appending(path: "valid/tls/db-ca.crt").path)
        #expect(service.serverTLS.identity?.key == samples.appending(path: "valid/tls/to-db.key").path)
        #expect(service.admin.user == "cloister_proxy")
        #expect(service.admin.passwordFile == samples.appending(path: "valid/admin-password").path)
        #expect(service.admin.database == "app")
        #expect(service.vault == "/var/lib/cloister/keys.sqlite")
        #expect(service.passphraseFile == samples.appending(path: "valid/passphrase").path)
        #expect(service.trustedMasterKeys == ["main", "main.2026"] && service.allowsKeyStatements)
        #expect(service.enclave.measurements.map(\.count) == [48, 48])
        #expect(service.enclave.measurements[0].prefix(3) == [0x38, 0xb0, 0x60])
        #expect(service.enclave.minimumVersion == 2)
        #expect(service.enclave.allow == [.memfdSecret, .mlock])
        #expect(service.enclave.roots.map { URL(filePath: $0).lastPathComponent } == ["tee-root.pem", "other.pem"])
        #expect(read.limits.connections == 200)
        #expect(read.limits.planCache == 0)
        #expect(!read.catalog.logicalTypes)
        #expect(read.columns.map(\.type) == LogicalType.supported)
        #expect(read.columns[0].scheme == .deterministic)
        #expect(read.keyNames == ["k"])
    }

    @Test func socketsAreAddresses() throws {
        let service = try #require(try Configuration(contentsOf: samples.appending(path: "valid/sockets.yaml").path).service)
        #expect(service.listen == NetworkAddress(host: "/run/cloister", port: 6432))
        #expect(service.server.description == "/var/run/postgresql/.s.PGSQL.5432")
        #expect(service.serverTLS.mode == .disable)
        for text in [
            "/.s.PGSQL.x", "run/.s.PGSQL.5432", "/run/.s.PGSQL.65536", "/" + String(repeating: "x", count: 100) + "/.s.PGSQL.5432",
        ] {
            #expect(NetworkAddress(text) == nil, "\(text)")
        }
    }

    @Test func issueExampleHasDefaults() throws {
        let read = try Configuration(contentsOf: samples.appending(path: "valid/issue-2.yaml").path)
        let service = try #require(read.service)
        #expect(service.listen.port == 6432)
        #expect(service.admin == AdminConfiguration() && !service.allowsKeyStatements)
        #expect(service.tls == ListenerTLS() && service.tls.mode == .off)
        #expect(service.serverTLS == ServerTLS() && service.serverTLS.mode == .prefer)
        #expect(service.enclave.measurements == [] && service.enclave.placeholders == 1)
        #expect(service.enclave.roots == [samples.appending(path: "valid/tee-root.pem").path])
        #expect(read.limits == LimitsConfiguration())
        #expect(read.catalog.logicalTypes)
        #expect(read.keyNames == ["people", "ids"])
        #expect(read.columns.map(\.path) == ["public.people.name_last", "public.people.birth_date", "public.people.player_id"])
        #expect(read.columns(underKey: "ids").map(\.column) == ["player_id"])
        #expect(read.columns[1].location.hasSuffix("issue-2.yaml:7:5"))
    }

    @Test func quotedNamesLoseTheirQuotes() throws {
        let read = try Configuration(contentsOf: samples.appending(path: "valid/quoted-names.yaml").path)
        #expect(read.columns.map(\.column) == ["birthDate", "say \"x\"", "straße", "on", "_a$1"])
        #expect(read.columns[0].schema == "My Schema" && read.columns[0].table == "People.all")
        #expect(read.columns[4].table == "mixed")
        #expect(read.columns[0].path == "My Schema.\"People.all\".birthDate")
        #expect(read.columns[1].path == "My Schema.\"People.all\".\"say \"\"x\"\"\"")
    }

    @Test func typesHaveTheirLimitsAndCollations() throws {
        let read = try Configuration(contentsOf: samples.appending(path: "valid/types.yaml").path)
        #expect(
            read.columns.map(\.declaredType.description) == [
                "varchar(40)", "varchar(10485760)", "numeric(10,2)", "numeric(5,-2)", "numeric(7,0)", "timestamp(3)", "timestamptz(0)",
                "timestamp", "float8", "float8", "int4", "int8", "int2", "text", "text", "text",
            ])
        #expect(read.columns.prefix(3).map(\.modifier) == [44, 10_485_764, 655_366])
        #expect(
            read.columns.map(\.collation.name).filter { $0 != "C" } == ["und-u-ks-level2", "und-u-ks-level2", "sv-u-ks-level1-kc", "de"])
    }

    @Test func columnsOnlyHasNoService() throws {
        #expect(try Configuration(yaml: "columns: {}", file: "f").service == nil)
    }
}

@Suite struct ConfigurationRefusals {
    func problems(_ yaml: String) throws -> [CloisterError] {
        try #require(throws: ConfigurationErrors.self) { _ = try Configuration(yaml: yaml, file: "f.yaml") }.problems
    }

    @Test func fileThatIsMissing() throws {
        let errors = try #require(throws: ConfigurationErrors.self) { _ = try Configuration(contentsOf: "/nonexistent/c.yaml") }
        #expect(errors.problems.map(\.code) == [.configurationUnreadable])
        #expect(errors.problems[0].location == "/nonexistent/c.yaml")
    }

    @Test func emptyFile() throws { #expect(try problems("# nothing\n").map(\.code) == [.configurationMissing]) }

    @Test func brokenYAMLHasAPlaceAndQuotesNothing() throws {
        let found = try problems("columns:\n  public.t: { a: [hunter2 }\n")
        #expect(found.map(\.code) == [.configurationNotYAML])
        #expect(found[0].location.hasPrefix("f.yaml:2:"))
        #expect(!found[0].description.contains("hunter2"))
    }

    @Test func twoDocuments() throws { #expect(try problems("columns: {}\n---\ncolumns: {}\n").map(\.code) == [.configurationNotYAML]) }

    @Test func keyTwice() throws {
        let found = try problems("columns: {}\ncolumns: {}\n")
        #expect(found.map(\.code) == [.configurationUnknownKey])
        #expect(found[0].message.contains("'columns'"))
    }

    @Test func sameTableInTwoSpellings() throws {
        let column = "{ type: text, encryption: randomized, key: k }"
        let found = try problems("columns:\n  public.t: { a: \(column) }\n  'public.\"t\"': { '\"a\"': \(column) }\n")
        #expect(found.map(\.location) == ["f.yaml:3:3", "f.yaml:3:19"])
    }

    @Test func mistakesComeInTheFilesOrder() throws {
        let found = try problems("limits: { connections: 0 }\ncolumns: { x: 1 }\nproxi: 1\n")
        #expect(found.map(\.location) == ["f.yaml:1:24", "f.yaml:2:12", "f.yaml:3:1"])
    }

    @Test func theExampleIsFarFromAWordThatIsNot() throws {
        let found = try problems("columns: { public.t: { a: { type: hunter2, encryption: randomized, key: k } } }")
        #expect(found[0].hint == "")
    }
}
