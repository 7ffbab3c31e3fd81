import CarillonTestSupport
import Testing

/// Pushes to devices that are there, and their order.
@Suite("Live", .pod(["STREAM_MAXLEN": "1000"]))
struct LiveTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    @Test("a post is pushed to every device of the user")
    func push() async throws {
        let user = TestUser()
        let devices = [try await pod.device(user), try await pod.device(user), try await pod.device(user)]
        let id = try await pod.notify(user, message: "now")[0]
        var pushes: [WireJSON] = []
        for device in devices { pushes.append(try await device.push()) }
        #expect(Set(pushes).count == 1)
        #expect(pushes[0]["notification_id"] == .string(id))
        #expect(pushes[0]["status"] == .string("unread"))
        #expect(pushes[0]["read"] == .bool(false))
        let entry = try await pod.redis("XREVRANGE", user.stream, "+", "-", "COUNT", "1").array[0].array
        #expect(entry[0].string == pushes[0]["stream_id"]?.string)
        for device in devices { #expect(try await device.messages().isEmpty) }
    }

    @Test("one call reaches all the users that it names")
    func fanOut() async throws {
        let users = [TestUser(login: "alice"), TestUser(login: "bob"), TestUser(login: "carol")]
        var devices: [Device] = []
        for user in users { devices.append(try await pod.device(user)) }
        let ids = try await pod.notify(users[0], users[1], users[2], message: "System maintenance in 10 minutes")
        for (device, id) in zip(devices, ids) {
            let push = try await device.push()
            #expect(push["notification_id"] == .string(id))
            #expect(push["message"] == .string("System maintenance in 10 minutes"))
        }
    }

    @Test("a device that left hears nothing, and catches up when it is back")
    func comeBack() async throws {
        let user = TestUser()
        let first = try await pod.device(user)
        try await first.client.sendClose()
        #expect(try await first.client.closing().code == 1000)
        try await pod.notify(user, message: "missed")
        #expect(try await pod.device(user).replay.texts == ["missed"])
    }

    @Test("a device that vanished without a word disturbs nobody")
    func vanished() async throws {
        let user = TestUser()
        let (gone, stays) = (try await pod.device(user), try await pod.device(user))
        gone.client.http.stream.reset()
        try await pod.notify(user, message: "still here")
        #expect(try await stays.push()["message"] == .string("still here"))
    }

    @Test("a large message passes both ways of delivery")
    func largeMessage() async throws {
        let user = TestUser()
        let device = try await pod.device(user)
        let message = String(repeating: "0123456789abcdef", count: 16_384)
        try await pod.notify(user, message: message)
        #expect(try await device.push(within: .seconds(10))["message"]?.string == message)
        #expect(try await pod.device(user).replay.texts == [message])
    }

    @Test("posts from eight senders at once arrive in stream order, none lost, none twice")
    func order() async throws {
        let user = TestUser()
        let devices = [try await pod.device(user), try await pod.device(user)]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<8 {
                group.addTask { [pod] in
                    let http = try pod.http()
                    for number in 0..<50 { try await pod.notify(user, message: "\(sender)/\(number)", on: http) }
                }
            }
            try await group.waitForAll()
        }
        let stored = try await pod.redis("XRANGE", user.stream, "-", "+").array.compactMap { $0.array.first?.string }
        #expect(stored.count == 400)
        for device in devices {
            var pushes: [WireJSON] = []
            for _ in 0..<400 { pushes.append(try await device.push()) }
            #expect(pushes.streamIDs == stored)
            for sender in 0..<8 {
                let mine = pushes.texts.filter { $0.hasPrefix("\(sender)/") }
                #expect(mine == (0..<50).map { "\(sender)/\($0)" })
            }
            #expect(try await device.messages().isEmpty)
        }
    }

    @Test("neither gap nor repeat between replay and live: twenty connects while 500 posts flow")
    func connectsDuringFlow() async throws {
        let user = TestUser()
        let expected = (1...500).map(String.init)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [pod] in
                let http = try pod.http()
                for text in expected { try await pod.notify(user, message: text, on: http) }
            }
            for index in 0..<20 {
                group.addTask { [pod] in
                    let redis = try WireRedis(port: pod.redisProcess.port)
                    try await wait(until: "\(index * 24) posts", within: .seconds(60)) {
                        try await redis(["XLEN", user.stream]).int ?? 0 >= index * 24
                    }
                    let device = try await pod.device(user)
                    var texts = device.replay.texts
                    while texts.count < 500 {
                        texts.append(try await device.push(within: .seconds(30))["message"]?.string ?? "")
                    }
                    #expect(texts == expected)
                    #expect(try await device.messages().isEmpty)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a thousand targets in one call: each device hears its own")
    func thousandTargets() async throws {
        let users = (0..<1_000).map { _ in TestUser() }
        var devices: [Device] = []
        for index in stride(from: 0, to: 1_000, by: 100) { devices.append(try await pod.device(users[index])) }
        let answer = try await pod.post(notifyBody(users, "everybody"))
        let ids = try #require(try answer.json["results"]?.array).notificationIDs
        for (index, device) in devices.enumerated() {
            #expect(try await device.push()["notification_id"] == .string(ids[index * 100]))
        }
    }
}
