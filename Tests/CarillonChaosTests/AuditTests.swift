import CarillonChaos
import CarillonDomain
import CarillonLoad
import CarillonTestSupport
import NIOCore
import Testing

/// What is found in Redis that the ledger does not expect. The pods' part is played by hand.
@Suite struct AuditTests {
    /// A Redis in which one user's two notifications are stored as they should be: both accepted, the first one read.
    private struct Stage {
        let process: RedisProcess
        let redis: WireRedis
        let book = Book()
        let tokens: [Int]

        init(_ process: RedisProcess) async throws {
            self.process = process
            redis = try WireRedis(port: process.port)
            let device = book.device()
            tokens = [book.post(), book.post()]
            for token in tokens {
                book.push(token, to: device)
                try await store(token)
            }
            try await redis(["XGROUP", "CREATE", stream, "notifications", "0"])
            book.ledger.readSaid(0, book.entry(tokens[0]))
            book.ledger.readAcknowledged(0, book.entry(tokens[0]))
            try await redis(["HSET", "notification_state:1-user1", id(tokens[0]), "read"])
        }

        let stream = "stream:user:1-user1"

        func id(_ token: Int) -> String { book.entry(token).id.text }

        func store(_ token: Int, id: String? = nil, at streamID: String? = nil) async throws {
            let id = id ?? self.id(token)
            let message = WireJSON.quoted(MessageToken.message(token, padding: 3))
            try await redis(["SET", "notification:\(id)", "{\"message\":\(message)}"])
            try await redis(["XADD", stream, streamID ?? book.entry(token).streamID.text, "nid", id])
        }

        func report(patience: Duration = .zero) async throws -> AuditReport {
            let snapshot = book.ledger.snapshot()
            return try await Audit(redisPort: process.port, patience: patience).run(snapshot)
        }
    }

    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        let process = try await RedisProcess.start()
        do {
            try await body(try await Stage(process))
        } catch {
            await process.stop()
            throw error
        }
        await process.stop()
    }

    /// The only kind of finding in the report, and how often.
    private func only(_ report: AuditReport, _ kind: Finding.Kind, _ count: Int = 1) {
        let counts = report.findings.counts
        let words = report.findings.list.map(\.text)
        #expect(counts == [kind: count], "\(words)")
    }

    @Test func findsNothingWrong() async throws {
        try await withStage { stage in
            let report = try await stage.report()
            let words = report.findings.list.map(\.text)
            #expect(words.isEmpty && report.lost.isEmpty)
            #expect(report.stored == 2 && report.read == 1 && report.replays == 0)
        }
    }

    @Test func entryThatIsGone() async throws {
        try await withStage { stage in
            try await stage.redis(["XDEL", stage.stream, stage.book.entry(stage.tokens[1]).streamID.text])
            let report = try await stage.report()
            only(report, .notStored)
            #expect(report.lost == [1])
        }
    }

    @Test func entriesAndReadsThatAWipeTook() async throws {
        try await withStage { stage in
            stage.book.ledger.faultEnded(stage.book.fault(.wiped(users: nil)))
            try await stage.redis(["XDEL", stage.stream, stage.book.entry(stage.tokens[1]).streamID.text])
            try await stage.redis(["DEL", "notification_state:1-user1"])
            let report = try await stage.report()
            let isEmpty = report.findings.isEmpty
            #expect(isEmpty && report.lost.isEmpty)
            #expect(report.excused == [0: [1]])
            #expect(report.excusedReads == [0: 1])
        }
    }

    /// The fault may have taken it, but did not.
    @Test func storedEntryThatAFaultWouldExcuse() async throws {
        try await withStage { stage in
            let token = stage.book.post()
            try await stage.store(token)
            stage.book.ledger.faultEnded(stage.book.fault(.unsynced(.seconds(2))))
            let report = try await stage.report()
            only(report, .notDelivered)
            #expect(report.lost == [2] && report.excused.isEmpty)
        }
    }

    @Test func oneIDTwice() async throws {
        try await withStage { stage in
            try await stage.store(stage.tokens[1], at: "9000-0")
            only(try await stage.report(), .storedTwice)
        }
    }

    @Test func oneTextUnderTwoIDs() async throws {
        try await withStage { stage in
            try await stage.store(stage.tokens[1], id: "f4c24798-f827-4bab-835f-0d2083ab1fa0", at: "9000-0")
            only(try await stage.report(), .storedTwice)
        }
    }

    @Test func unknownOutcomeMayBeStored() async throws {
        try await withStage { stage in
            let token = stage.book.post(isAccepted: false)
            stage.book.ledger.gaveUp(token, mayBeStored: true)
            try await stage.store(token)
            let report = try await stage.report()
            let isEmpty = report.findings.isEmpty
            #expect(isEmpty && report.stored == 3)
        }
    }

    @Test func refusedPostThatIsStored() async throws {
        try await withStage { stage in
            let token = stage.book.post(isAccepted: false)
            stage.book.ledger.gaveUp(token, mayBeStored: false)
            try await stage.store(token)
            only(try await stage.report(), .unexpected)
        }
    }

    @Test func entryOfNobody() async throws {
        try await withStage { stage in
            try await stage.store(70)
            only(try await stage.report(), .unexpected)
        }
    }

    @Test func payloadThatIsGone() async throws {
        try await withStage { stage in
            try await stage.redis(["DEL", "notification:\(stage.id(stage.tokens[1]))"])
            only(try await stage.report(), .payloadLost)
        }
    }

    @Test func readThatIsGone() async throws {
        try await withStage { stage in
            try await stage.redis(["DEL", "notification_state:1-user1"])
            only(try await stage.report(), .readLost)
        }
    }

    @Test func readThatIsStillPending() async throws {
        try await withStage { stage in
            try await stage.redis([
                "XREADGROUP", "GROUP", "notifications", "user:1", "STREAMS", stage.stream, ">",
            ])
            only(try await stage.report(), .readPending)
        }
    }

    @Test func pendingReadMayBeRepairedMeanwhile() async throws {
        try await withStage { stage in
            try await stage.redis([
                "XREADGROUP", "GROUP", "notifications", "user:1", "STREAMS", stage.stream, ">",
            ])
            let snapshot = stage.book.ledger.snapshot()
            let audit = Audit(redisPort: stage.process.port)
            async let report = audit.run(snapshot)
            try await stage.redis([
                "XACK", stage.stream, "notifications", stage.book.entry(stage.tokens[0]).streamID.text,
            ])
            let isEmpty = try await report.findings.isEmpty
            #expect(isEmpty)
        }
    }

    /// One notification for a channel to which the user is subscribed, as it should be.
    private func publish(on stage: Stage) async throws -> Int {
        let orders = Topic(stored: "orders")
        stage.book.subscribe(0, [orders])
        let token = stage.book.post(to: orders)
        stage.book.push(token, of: orders, to: 0)
        try await stage.redis(["HSET", "notif:topics:1-user1", "sub:orders", "1-0"])
        let message = WireJSON.quoted(MessageToken.message(token, padding: 3))
        try await stage.redis(["SET", "notification:\(stage.id(token))", "{\"message\":\(message)}"])
        let place = stage.book.entry(token).streamID.text
        try await stage.redis(["XADD", "notif:topic:orders", place, "nid", stage.id(token)])
        return token
    }

    @Test func topicThatIsAsItShouldBe() async throws {
        try await withStage { stage in
            _ = try await publish(on: stage)
            let report = try await stage.report()
            let words = report.findings.list.map(\.text)
            #expect(words.isEmpty && report.stored == 3)
        }
    }

    @Test func topicsEntryThatIsGone() async throws {
        try await withStage { stage in
            _ = try await publish(on: stage)
            try await stage.redis(["DEL", "notif:topic:orders"])
            only(try await stage.report(), .notStored)
        }
    }

    @Test func topicsEntryThatIsStoredTwice() async throws {
        try await withStage { stage in
            let token = try await publish(on: stage)
            try await stage.redis(["XADD", "notif:topic:orders", "*", "nid", stage.id(token)])
            only(try await stage.report(), .storedTwice)
        }
    }

    @Test func topicsReadThatIsGone() async throws {
        try await withStage { stage in
            let entry = stage.book.entry(try await publish(on: stage), of: Topic(stored: "orders"))
            stage.book.ledger.readSaid(0, entry)
            stage.book.ledger.readAcknowledged(0, entry)
            only(try await stage.report(), .readLost)
        }
    }

    /// Gone, begun too late or too early, or still there after its end.
    @Test(arguments: [nil, "1000000-0", "0-0"])
    func subscriptionThatIsWrong(since: String?) async throws {
        try await withStage { stage in
            if since == "0-0" {
                let early = stage.book.post(to: Topic(stored: "orders"))
                try await stage.redis([
                    "XADD", "notif:topic:orders", stage.book.entry(early).streamID.text, "nid", stage.id(early),
                ])
                try await stage.redis(["SET", "notification:\(stage.id(early))", "{}"])
                let stranger = stage.book.device(user: 1)
                stage.book.subscribe(stranger, [Topic(stored: "orders")])
                stage.book.push(early, of: Topic(stored: "orders"), to: stranger)
                stage.book.pass(.milliseconds(1))
            }
            _ = try await publish(on: stage)
            try await stage.redis(["DEL", "notif:topics:1-user1"])
            if let since { try await stage.redis(["HSET", "notif:topics:1-user1", "sub:orders", since]) }
            let report = try await stage.report()
            #expect(report.findings.list.map(\.text).contains { $0.hasPrefix("user1: ") })
            #expect(report.findings.count(.subscription) > 0)
        }
    }

    @Test func subscriptionThatOutlivesItsEnd() async throws {
        try await withStage { stage in
            _ = try await publish(on: stage)
            stage.book.pass(.milliseconds(1))
            stage.book.subscribe(0, [Topic(stored: "orders")], isOn: false)
            only(try await stage.report(), .subscription)
        }
    }

    @Test func replayIsComparedWithRedis() async throws {
        try await withStage { stage in
            let server = try await ServerProcess.start(redisPort: stage.process.port)
            defer { server.kill() }
            let snapshot = stage.book.ledger.snapshot()
            let right = try await Audit(redisPort: stage.process.port, ports: [server.port]).run(snapshot)
            #expect(right.replays == 1 && right.findings.list.map(\.text) == [])
            #expect(right.lists == 1)
            // The payload's end is no news to the ledger, but the replay shows the entry as cleared.
            try await stage.redis(["DEL", "notification:\(stage.id(stage.tokens[1]))"])
            let wrong = try await Audit(redisPort: stage.process.port, ports: [server.port]).run(snapshot)
            #expect(wrong.findings.count(.badReplay) > 0)
        }
    }
}
