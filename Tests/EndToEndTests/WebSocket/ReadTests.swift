import CarillonTestSupport
import Testing

/// `notification.read` and its acknowledgement.
@Suite("Read", .pod())
struct ReadTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("read on one device shows on all, and in Redis before the acknowledgement")
    func readEverywhere() async throws {
        let user = TestUser()
        let (first, second) = (try await pod.device(user), try await pod.device(user))
        let id = try await pod.notify(user)[0]
        let push = try await first.push()
        _ = try await second.push()
        try await first.client.send("notification.read", pair(push))
        let ack = try await first.client.expect("notification.read.ack")
        #expect(ack["notification_id"] == .string(id))
        #expect(ack["stream_id"] == push["stream_id"])
        #expect(try await pod.redis("HGETALL", user.state).strings == [id, "read"])
        #expect(try await pod.pendingCount(user) == 0)
        #expect(try await second.client.expect("notification.read.ack") == ack)
        #expect(try await pod.device(user).ready["unread_count"] == .number("0"))
    }

    @Test("the acknowledgement comes at once, however early the read is")
    func earlyReads() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        for number in 1...20 {
            try await pod.notify(user, message: "\(number)")
            let push = try await device.push()
            try await device.read(push)
            #expect(try await pod.pendingCount(user) == 0)
        }
        #expect(try await pod.redis("HLEN", user.state) == .integer(20))
    }

    @Test("a notification stored before the device came is read like any other")
    func readFromReplay() async throws {
        let user = TestUser()
        for _ in 0..<3 { try await pod.notify(user) }
        let device = try await pod.device(user)
        for push in device.replay { try await device.read(push) }
        #expect(try await pod.redis("HLEN", user.state) == .integer(3))
        #expect(try await pod.pendingCount(user) == 0)
    }

    @Test("reading twice is acknowledged twice and counts once")
    func idempotent() async throws {
        let user = TestUser()
        try await pod.notify(user)
        let device = try await pod.device(user)
        for _ in 0..<3 { try await device.read(device.replay[0]) }
        #expect(try await pod.redis("HLEN", user.state) == .integer(1))
        #expect(try await pod.device(user).ready["unread_count"] == .number("0"))
    }

    @Test("an array of 100 pairs is acknowledged one by one")
    func hundredPairs() async throws {
        let user = TestUser()
        let http = try pod.http()
        for _ in 0..<100 { try await pod.notify(user, on: http) }
        let device = try await pod.device(user)
        try #require(device.replay.count == 100)
        try await device.client.send("notification.read", "[\(device.replay.map(pair).joined(separator: ","))]")
        var acknowledged: Set<WireJSON?> = []
        while acknowledged.count < 100 {
            acknowledged.insert(try await device.client.expect("notification.read.ack")["notification_id"])
        }
        #expect(acknowledged == Set(device.replay.map { $0["notification_id"] }))
        #expect(try await pod.redis("HLEN", user.state) == .integer(100))
        #expect(try await pod.pendingCount(user) == 0)
    }

    @Test("an array of 101 pairs is refused whole")
    func tooManyPairs() async throws {
        let user = TestUser()
        try await pod.notify(user)
        let device = try await pod.device(user)
        let pairs = Array(repeating: pair(device.replay[0]), count: 101)
        try await device.client.send("notification.read", "[\(pairs.joined(separator: ","))]")
        #expect(try await device.client.expect("error")["type"] == .string("notification.read"))
        #expect(try await pod.redis("EXISTS", user.state) == .integer(0))
        #expect(try await device.messages().isEmpty)
    }

    @Test("a pair that does not exist for this user is not_found, and nothing is stored")
    func unknownPairs() async throws {
        let (user, other) = (TestUser(), TestUser())
        try await pod.notify(user, other)
        let device = try await pod.device(user)
        let mine = device.replay[0]
        let theirs = try await pod.device(other).replay[0]
        let pairs = [
            pair(newUUID(), mine["stream_id"]?.string ?? ""), pair(mine["notification_id"]?.string ?? "", "1-1"),
            pair(newUUID(), "1-1"), pair(theirs),
            pair(theirs["notification_id"]?.string ?? "", mine["stream_id"]?.string ?? ""),
            pair(newUUID(), "99999999999999-0"),
        ]
        for unknown in pairs {
            try await device.client.send("notification.read", unknown)
            let error = try await device.client.expect("error")
            #expect(error["code"] == .string("not_found"))
            #expect(error["detail"]?.string?.isEmpty == false)
            #expect(error["type"] == .string("notification.read"))
        }
        #expect(try await pod.redis("EXISTS", user.state, other.state) == .integer(0))
        #expect(try await device.messages().isEmpty)
    }

    @Test("of an array with an unknown pair the known ones are read")
    func partlyKnown() async throws {
        let user = TestUser()
        try await pod.notify(user)
        let device = try await pod.device(user)
        let known = device.replay[0]
        try await device.client.send("notification.read", "[\(pair(newUUID(), "5-5")),\(pair(known))]")
        var types: Set<String> = []
        for _ in 0..<2 { types.insert(try await device.client.message().type) }
        #expect(types == ["error", "notification.read.ack"])
        #expect(try await pod.redis("HKEYS", user.state).strings == [known["notification_id"]?.string ?? ""])
    }

    @Test("what was cleaned since is gone or not found, and nothing is stored")
    func cleaned() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        try await pod.notify(user)
        let push = try await device.push()
        try await pod.redis("XDEL", user.stream, push["stream_id"]?.string ?? "")
        try await device.client.send("notification.read", pair(push))
        let code = try await device.client.first("error")["code"]?.string
        #expect(["gone", "not_found"].contains(code))
        #expect(try await pod.redis("EXISTS", user.state) == .integer(0))
    }

    @Test("counts follow what is read")
    func counts() async throws {
        let user = TestUser()
        for _ in 0..<5 { try await pod.notify(user) }
        let device = try await pod.device(user)
        for (index, push) in device.replay.enumerated() {
            try await device.read(push)
            #expect(try await pod.device(user).ready["unread_count"] == .number("\(4 - index)"))
        }
    }
}
