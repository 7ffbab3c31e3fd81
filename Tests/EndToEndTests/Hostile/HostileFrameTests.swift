import CarillonTestSupport
import Testing

/// Frames and messages that never end, and more of them than anybody needs.
@Suite("Hostile frames")
struct HostileFrameTests {
    /// A frame's first bytes, with a mask of zeros.
    private static func announcing(_ length: UInt64) -> [UInt8] {
        [0x81, 0xff] + (0..<8).map { UInt8(length >> (56 - 8 * $0) & 0xff) } + [0, 0, 0, 0]
    }

    @Test("a length is judged before its bytes come", arguments: [(65_536, nil), (65_537, 1009), (Int.max, 1009)])
    func announced(length: Int, code: Int?) async throws {
        try await Pod.with { pod in
            let client = try await pod.device(TestUser()).client
            try await client.send(bytes: Self.announcing(UInt64(length)) + Array(repeating: 0x20, count: 100))
            if let code {
                #expect(try await client.closing().code == code)
            } else {
                try await client.send(bytes: Array(repeating: 0x20, count: 65_436))
                #expect(try await client.first("error")["code"] == .string("malformed_json"))
            }
        }
    }

    @Test("frames that never end cost no more than they may have")
    func neverEnding() async throws {
        try await Pod.with { pod in
            try await pod.withstands { witness in
                let before = try pod.residentBytes
                var clients: [WireClient] = []
                for _ in 0..<200 {
                    let client = try await pod.connect(TestUser())
                    try await client.send(bytes: Self.announcing(65_536) + Array(repeating: 0x20, count: 60_000))
                    clients.append(client)
                }
                for _ in 0..<20 {
                    for client in clients { try await client.send(bytes: [0x20]) }
                    try await witness.isServed()
                }
                // What is kept of each, and what its socket and its buffers take beside.
                #expect(try pod.residentBytes < before + 200 * 192 << 10)
                for client in clients { client.drop() }
            }
        }
    }

    @Test("a message of single bytes may have 65,536 of them")
    func tinyFragments() async throws {
        try await Pod.with(["WS_MESSAGES_PER_SECOND": "100000"]) { pod in
            try await pod.withstands { witness in
                for (count, code) in [(65_536, Int?.none), (65_537, 1009)] {
                    let client = try await pod.device(TestUser()).client
                    var bytes = WireFrame(WireFrame.text, [0x20], isFinal: false).bytes()
                    for _ in 1..<count { bytes += [0x00, 0x81, 0, 0, 0, 0, 0x20] }
                    try await client.send(bytes: bytes + WireFrame(WireFrame.continuation, []).bytes())
                    if let code {
                        #expect(try await client.closing(within: .seconds(20)).code == code)
                    } else {
                        #expect(
                            try await client.first("error", within: .seconds(20))["code"] == .string("malformed_json")
                        )
                    }
                    client.drop()
                    try await witness.isServed()
                }
            }
        }
    }

    @Test("of a thousand closes one is answered")
    func closes() async throws {
        try await Pod.with { pod in
            try await pod.withstands { _ in
                for _ in 0..<20 {
                    let client = try await pod.device(TestUser()).client
                    let close = WireFrame(WireFrame.close, [0x03, 0xe8]).bytes()
                    try await client.send(bytes: (0..<1_000).flatMap { _ in close })
                    #expect(try await client.closing().code == 1000)
                    #expect(try await client.http.stream.toEnd(by: .now + .seconds(5), "the end").isEmpty)
                    client.drop()
                }
            }
        }
    }

    private static let manyReads: [UInt8] = {
        let pairs = [String](repeating: unknown, count: 100).joined(separator: ",")
        return WireFrame(WireFrame.text, "{\"type\":\"notification.read\",\"data\":[\(pairs)]}".utf8).bytes()
    }()
    private static let manyChannels: [UInt8] = {
        let filling = String(repeating: "c", count: 100)
        let names = (0..<100).map { "\"\($0)\(filling)\"" }.joined(separator: ",")
        return WireFrame(WireFrame.text, "{\"type\":\"subscribe\",\"data\":{\"channels\":[\(names)]}}".utf8).bytes()
    }()

    /// Of 100 frames per second two hundred are taken at once.
    @Test("pairs and channels count as frames", arguments: [manyReads, manyChannels])
    func weights(frame: [UInt8]) async throws {
        try await Pod.with(["WS_MESSAGES_PER_SECOND": "100"]) { pod in
            let client = try await pod.device(TestUser()).client
            let begun = ContinuousClock.now
            for _ in 0..<8 { try await client.send(bytes: frame) }
            try await client.send("sync.request", "{\"limit\":1}")
            try await client.first("sync.response", within: .seconds(30))
            #expect(ContinuousClock.now - begun >= .seconds(3))
        }
    }

    /// Of 10 frames per second twenty are taken at once. The next reading is under way when the answer of sixty is made; the one behind it
    /// waits for four seconds.
    @Test("the entries of an answer count as frames")
    func answerWeights() async throws {
        try await Pod.with(["WS_MESSAGES_PER_SECOND": "10"]) { pod in
            let user = TestUser()
            for number in 0..<60 { try await pod.notify(user, message: "\(number)") }
            let client = try await pod.device(user).client
            let begun = ContinuousClock.now
            for limit in [60, 1, 1] {
                try await client.send("sync.request", "{\"limit\":\(limit)}")
                #expect(try await client.first("sync.response", within: .seconds(30)).array?.count == limit)
            }
            #expect(ContinuousClock.now - begun >= .seconds(3))
        }
    }

    @Test("missed notifications count as frames")
    func missedWeights() async throws {
        try await Pod.with(["WS_MESSAGES_PER_SECOND": "10"]) { pod in
            let user = TestUser()
            for number in 0..<60 { try await pod.notify(user, message: "\(number)") }
            let device = try await pod.notificationsDevice(user)
            #expect(try await device.messages().notifications.count == 60)
            let begun = ContinuousClock.now
            try await device.requestMissed(since: nil)
            for _ in 0..<60 { _ = try await device.notification() }
            // The first page has its own, shorter wait.
            for _ in 0..<3 { #expect(try await device.messages().isEmpty) }
            #expect(ContinuousClock.now - begun >= .seconds(3))
        }
    }

    private static let unknown = #"{"notification_id":"00000000-0000-4000-8000-000000000000","stream_id":"1-1"}"#
    private static let channels = (0..<100).map { "\"c\($0)\"" }.joined(separator: ",")

    /// What a flood consists of, and what comes before it.
    private static let floods: [(first: [UInt8], again: [UInt8])] = [
        ([], WireFrame(WireFrame.ping, Array(repeating: 1, count: 125)).bytes()),
        ([], WireFrame(WireFrame.pong, []).bytes()),
        (
            WireFrame(WireFrame.text, [], isFinal: false).bytes(),
            WireFrame(WireFrame.continuation, [], isFinal: false).bytes()
        ),
        ([], WireFrame(WireFrame.text, "{\"type\":".utf8).bytes()),
        ([], WireFrame(WireFrame.text, "{\"type\":\"sync.request\",\"data\":{\"limit\":100}}".utf8).bytes()),
        ([], WireFrame(WireFrame.text, "{\"type\":\"notification.read\",\"data\":\(unknown)}".utf8).bytes()),
        ([], WireFrame(WireFrame.text, "{\"type\":\"subscribe\",\"data\":{\"channels\":[\(channels)]}}".utf8).bytes()),
        (
            [],
            WireFrame(WireFrame.text, "{\"type\":\"unsubscribe\",\"data\":{\"channels\":[\(channels)]}}".utf8).bytes()
        ),
    ]

    @Test("floods of any kind are slowed and, after 30 s, closed with 4429; others are served")
    func floods() async throws {
        try await Pod.with(["WS_MESSAGES_PER_SECOND": "20"]) { pod in
            try await pod.withstands { witness in
                let before = try pod.residentBytes
                try await withThrowingTaskGroup { group in
                    for flood in Self.floods {
                        group.addTask { try await Self.send(flood, to: pod) }
                    }
                    while try await pod.metric("carillon_flood_closes_total") < Double(Self.floods.count) {
                        try await witness.isServed()
                        #expect(try pod.residentBytes < before + 64 << 20)
                    }
                    for try await code in group { #expect(code == 4429) }
                }
            }
        }
    }

    /// Sends as much as the server takes until it has had enough. - Returns: the close code.
    private static func send(_ flood: (first: [UInt8], again: [UInt8]), to pod: Pod) async throws -> Int? {
        let client = try await pod.device(TestUser()).client
        defer { client.drop() }
        try await client.send(bytes: flood.first)
        let burst = (0..<100).flatMap { _ in flood.again }
        while try await client.http.stream.send(burst, within: .seconds(60)) {}
        return try await client.closing().code
    }
}
