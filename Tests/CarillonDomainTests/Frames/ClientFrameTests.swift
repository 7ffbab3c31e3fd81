import CarillonDomain
import NIOCore
import Testing

@Suite struct ClientFrameTests {
    private func frame(_ text: String) throws -> ClientFrame { try ClientFrame.parse(ByteBuffer(string: text)) }

    private func frame(_ type: String, _ data: String) throws -> ClientFrame {
        try frame("{\"type\":\"\(type)\",\"data\":\(data)}")
    }

    private func refusal(_ text: String) -> ClientFrameError? {
        #expect(throws: ClientFrameError.self) { try frame(text) }
    }

    private func refusal(_ type: String, _ data: String) -> ClientFrameError? {
        refusal("{\"type\":\"\(type)\",\"data\":\(data)}")
    }

    private func pair(_ number: Int) -> String { "{\"notification_id\":\"n\(number)\",\"stream_id\":\"\(number)-0\"}" }

    private func reads(_ data: String) throws -> [String]? {
        guard case .read(let entries, _) = try frame("notification.read", data) else { return nil }
        return entries.map { "\($0.notificationID.text) \($0.streamID)" }
    }

    // MARK: - The frame

    @Test(arguments: [
        "", "{", "[]", "1", "null", "\"a\"", "{\"type\":\"sync.request\"", "{\"type\":\"sync.request\"}x",
    ])
    func malformed(text: String) {
        let error = refusal(text)
        #expect(error?.code == .malformedJSON)
        #expect(error?.type == nil)
    }

    @Test(arguments: ["{}", "{\"type\":1}", "{\"type\":null}", "{\"type\":{}}", "{\"Type\":\"sync.request\"}"])
    func withoutAType(text: String) {
        #expect(refusal(text)?.code == .invalidData)
    }

    @Test(arguments: ["", "notification.push", "Sync.request", "sync.request ", "a\\\"b"])
    func unknownTypes(type: String) {
        let error = refusal(type, "{}")
        #expect(error?.code == .unknownType)
        #expect(error?.type == type.replacing("\\", with: ""))
    }

    @Test func escapedNames() throws {
        guard
            case .setRetention(let days) = try frame(
                "{\"d\\u0061ta\":{\"d\\u0061ys\":3},\"typ\\u0065\":\"retention\\u002eset\"}"
            )
        else {
            Issue.record("not retention.set")
            return
        }
        #expect(days == 3)
    }

    @Test func depth() {
        func text(_ depth: Int) -> String {
            let inner = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
            return "{\"type\":\"sync.request\",\"more\":\(inner)}"
        }
        #expect(throws: Never.self) { try frame(text(Limits.jsonDepth)) }
        #expect(refusal(text(Limits.jsonDepth + 1))?.code == .malformedJSON)
    }

    @Test func illFormedUTF8() {
        let bytes = Array("{\"type\":\"".utf8) + [0xc0, 0x80] + Array("\"}".utf8)
        let error = #expect(throws: ClientFrameError.self) { try ClientFrame.parse(ByteBuffer(bytes: bytes)) }
        #expect(error?.code == .malformedJSON)
    }

    // MARK: - notification.read

    @Test func onePairOrSeveral() throws {
        #expect(try reads(pair(1)) == ["n1 1-0"])
        #expect(try reads("[\(pair(1))]") == ["n1 1-0"])
        #expect(try reads("[ \(pair(2)) , \(pair(1)), \(pair(2)) ]") == ["n2 2-0", "n1 1-0", "n2 2-0"])
        #expect(try reads("{\"stream_id\":\"5\",\"more\":1,\"notification_id\":\"\\u0061 é\"}") == ["a é 5-0"])
        #expect(try reads("{\"stream_id\":\"5\\u002d6\",\"notification_id\":\"a\"}") == ["a 5-6"])
    }

    @Test(arguments: [(0, false), (1, true), (99, true), (100, true), (101, false)])
    func numberOfPairs(count: Int, isValid: Bool) throws {
        let data = "[\((0..<count).map(pair).joined(separator: ","))]"
        if isValid {
            #expect(try reads(data)?.count == count)
        } else {
            #expect(refusal("notification.read", data)?.code == .invalidData)
        }
    }

    @Test(arguments: [(0, false), (1, true), (127, true), (128, true), (129, false)])
    func lengthOfIDs(length: Int, isValid: Bool) {
        let data = "{\"notification_id\":\"\(String(repeating: "a", count: length))\",\"stream_id\":\"1-0\"}"
        #expect(((try? reads(data)) != nil) == isValid)
    }

    @Test(arguments: [
        "null", "1", "\"a\"", "{}", "{\"notification_id\":\"a\"}", "{\"stream_id\":\"1-0\"}", "[1]", "[[]]", "[{}]",
        "{\"notification_id\":1,\"stream_id\":\"1-0\"}", "{\"notification_id\":\"a\",\"stream_id\":1}",
        "{\"notification_id\":\"a\",\"stream_id\":null}", "{\"notification_id\":\"a\",\"stream_id\":\"\"}",
        "{\"notification_id\":\"a\",\"stream_id\":\"1-\"}", "{\"notification_id\":\"a\",\"stream_id\":\"-1-0\"}",
        "[{\"notification_id\":\"a\",\"stream_id\":\"1-0\"},{\"notification_id\":\"a\"}]",
    ])
    func wrongPairs(data: String) {
        let error = refusal("notification.read", data)
        #expect(error?.code == .invalidData)
        #expect(error?.type == "notification.read")
    }

    @Test func readWithoutData() {
        #expect(refusal("{\"type\":\"notification.read\"}")?.code == .invalidData)
    }

    // MARK: - sync.request

    private func sync(_ data: String) throws -> SyncRequest? {
        guard case .sync(let request) = try frame("sync.request", data) else { return nil }
        return request
    }

    @Test func syncWithoutData() throws {
        for text in [
            "{\"type\":\"sync.request\"}", "{\"type\":\"sync.request\",\"data\":null}",
            "{\"type\":\"sync.request\",\"data\":{}}",
        ] {
            guard case .sync(let request) = try frame(text) else { throw ClientFrameError(.invalidData, text) }
            #expect(request.limit == 50)
            #expect(request.before == nil && request.since == nil)
        }
    }

    @Test(arguments: [
        ("0", 1), ("1", 1), ("2", 2), ("50", 50), ("99", 99), ("100", 100), ("101", 100), ("9223372036854775807", 100),
        ("9223372036854775808", 100), ("99999999999999999999999999", 100), ("-0", 1), ("-1", 1),
        ("-99999999999999999999", 1),
        ("7.9", 7), ("0.5", 1), ("1e2", 100), ("1e9999", 100), ("0e5", 1), ("-1e9", 1),
    ])
    func limitsAreClamped(limit: String, expected: Int) throws {
        #expect(try sync("{\"limit\":\(limit)}")?.limit == expected)
    }

    @Test func bounds() throws {
        let request = try #require(try sync("{\"before\":\"9-1\",\"since\":\"3\",\"limit\":5}"))
        #expect(request.before == StreamID("9-1"))
        #expect(request.since == StreamID("3-0"))
        #expect(request.limit == 5)
        let empty = try #require(try sync("{\"before\":null,\"since\":null}"))
        #expect(empty.before == nil && empty.since == nil)
    }

    @Test(arguments: [
        "1", "[]", "\"a\"", "{\"limit\":\"5\"}", "{\"limit\":true}", "{\"before\":5}",
        "{\"since\":\"x\"}",
        "{\"before\":\"\"}", "{\"since\":{}}",
    ])
    func wrongSyncs(data: String) {
        let error = refusal("sync.request", data)
        #expect(error?.code == .invalidData)
        #expect(error?.type == "sync.request")
    }

    // MARK: - retention.set

    @Test(arguments: [1, 2, 14, 15])
    func days(number: Int) throws {
        guard case .setRetention(let days) = try frame("retention.set", "{\"days\":\(number)}") else {
            throw ClientFrameError(.invalidData, "not retention.set")
        }
        #expect(days == number)
    }

    @Test(arguments: [
        "{\"days\":0}", "{\"days\":16}", "{\"days\":-1}", "{\"days\":1.0}", "{\"days\":1e1}", "{\"days\":\"5\"}",
        "{\"days\":null}",
        "{}", "[]", "5", "null", "{\"days\":99999999999999999999}",
    ])
    func wrongDays(data: String) {
        let error = refusal("retention.set", data)
        #expect(error?.code == .invalidData)
        #expect(error?.type == "retention.set")
    }
}
