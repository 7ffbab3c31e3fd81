import CarillonDomain
import Testing

@testable import CarillonConfig

@Suite("Ranges of settings: at, under and over")
struct SettingsRangeTests {
    /// Bounds that belong together with another setting's get that one too.
    private static let companions = [
        "UPKEEP_INTERVAL": ["LOCK_TTL": "10m"],
        "LOCK_TTL": ["UPKEEP_INTERVAL": "1s"],
    ]

    private func expect(_ name: String, accepts values: [String], refuses others: [String]) {
        let companions = Self.companions[name] ?? [:]
        let definition = SettingDefinition.named(name)
        for value in values {
            #expect(refusal([], companions.merging([name: value]) { $1 }) == nil, "\(name)=\(value)")
        }
        for value in others {
            let line = "carillon-server: \(name): \"\(value)\" is not \(definition.rule)"
            #expect(refusal([], companions.merging([name: value]) { $1 }) == line)
        }
    }

    @Test(arguments: SettingDefinition.all.map(\.name))
    func numbersAndDurationsHoldTheirBounds(name: String) throws {
        switch SettingDefinition.named(name).kind {
        case .integer(let range):
            expect(
                name,
                accepts: ["\(range.lowerBound)", "\(range.upperBound)"],
                refuses: [
                    "\(range.lowerBound - 1)", "\(range.upperBound + 1)", "x", "1.5", "+5", " 5", "5 ", "0x5",
                    "99999999999999999999",
                ]
            )
        case .duration(let range, let unit):
            let (low, high) = (range.lowerBound.wholeMilliseconds, range.upperBound.wholeMilliseconds)
            var refused = [
                "\(high + unit.wholeMilliseconds)ms", "x", "-1", "1.5s", "5 s", "5S", "s", "99999999999999999d",
            ]
            if low > 0 { refused.append("\(low - unit.wholeMilliseconds)ms") }
            if unit == .seconds(1) { refused.append("1500ms") }
            expect(name, accepts: ["\(low)ms", "\(high)ms"], refuses: refused)
        case .boolean:
            expect(
                name,
                accepts: ["true", "FALSE", "1", "0", "yes", "no", "on", "off"],
                refuses: ["2", "ja", "truee"]
            )
        case .choice(let choices):
            expect(name, accepts: choices + choices.map { $0.uppercased() }, refuses: ["x", choices[0] + "x"])
        case .text:
            break
        }
    }

    @Test func theTableHasTheContractsRanges() {
        func values(_ name: String) -> String { SettingDefinition.named(name).shownValues }
        #expect(values("REDIS_DB") == "0 to 15")
        #expect(values("NOTIFICATION_TTL") == "1s to 15d")
        #expect(values("STREAM_MAXLEN") == "1 to 100000")
        #expect(values("DRAIN_SECONDS") == "0s to 10s")
        #expect(values("MAX_MESSAGE_BYTES") == "1 to 1048576")
        #expect(values("MAX_BODY_BYTES") == "1 to 16777216")
        #expect(values("SWEEP_STREAMS_PER_SECOND") == "1 to 200")
        #expect(values("REDIS_COMMAND_TIMEOUT") == "100ms to 1m")
    }

    @Test func aPodIDHolds1To128PlainBytes() throws {
        expect(
            "POD_ID",
            accepts: ["a", "pod-1.eu_west", String(repeating: "x", count: 128)],
            refuses: ["a b", "a:b", "ü", "a/b", "a\u{7f}"].filter { !$0.contains("\u{7f}") }
        )
        let long = try #require(refusal([], ["POD_ID": String(repeating: "x", count: 129)]))
        #expect(long.hasPrefix("carillon-server: POD_ID: \"xxx"))
        #expect(long.contains("xxx…\" is not 1 to 128 letters"))
    }

    @Test func aLockOutlivesTwoUpkeeps() throws {
        #expect(refusal([], ["LOCK_TTL": "40001ms", "UPKEEP_INTERVAL": "20s"]) == nil)
        #expect(
            refusal([], ["LOCK_TTL": "40s", "UPKEEP_INTERVAL": "20s"])
                == "carillon-server: LOCK_TTL: 40s is not more than twice UPKEEP_INTERVAL (20s)"
        )
    }

    @Test func eventTypesAreAList() throws {
        #expect(try load([], ["EVENT_TYPES": "order, mail,,a b "]).eventTypes == ["order", "mail", "a b"])
        #expect(try load(["--event-types", "order,mail"]).eventTypes == ["order", "mail"])
        let names = (1...100).map { "t\($0)" }
        #expect(try load([], ["EVENT_TYPES": names.joined(separator: ",")]).eventTypes == names)
        #expect(refusal([], ["EVENT_TYPES": (names + ["x"]).joined(separator: ",")]) != nil)
        #expect(refusal([], ["EVENT_TYPES": String(repeating: "x", count: Limits.typeBytes)]) == nil)
        #expect(refusal([], ["EVENT_TYPES": String(repeating: "x", count: Limits.typeBytes + 1)]) != nil)
    }

    @Test func originsAreAList() throws {
        #expect(try load([]).allowedOrigins == nil)
        #expect(try load([], ["FRONTEND_URL": ""]).allowedOrigins == nil)
        #expect(try load([], ["FRONTEND_URL": "*"]).allowedOrigins == .any)
        let both = AllowedOrigins.only(["https://a", "http://b:1"])
        #expect(try load([], ["FRONTEND_URL": "https://a, http://b:1"]).allowedOrigins == both)
        #expect(try load(["--frontend-url", "https://a,http://b:1"]).allowedOrigins == both)
        expect("FRONTEND_URL", accepts: ["https://a"], refuses: ["https://a/", "a", "https://a,", "*,https://a"])
    }

    @Test func foldersAndFilesHaveToExist() throws {
        #expect(try load([], ["WEB_DIR": "/usr/bin"]).webFolder == "/usr/bin")
        expect("WEB_DIR", accepts: ["/", "."], refuses: ["/dev/null/nowhere", "/etc/passwd"])
        let tls = ["REDIS_TLS": "true"]
        #expect(
            try load([], tls.merging(["REDIS_TLS_CA": "/etc/passwd"]) { $1 }).redis.authoritiesFile == "/etc/passwd"
        )
        #expect(refusal([], tls.merging(["REDIS_TLS_CA": "/etc"]) { $1 }) != nil)
        #expect(refusal([], tls.merging(["REDIS_TLS_CA": "/dev/null/nowhere"]) { $1 }) != nil)
    }
}
