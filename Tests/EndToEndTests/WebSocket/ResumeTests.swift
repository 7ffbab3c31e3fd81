import CarillonTestSupport
import Testing

/// Coming back with `since` and `epoch`.
@Suite("Resume", .pod())
struct ResumeTests {
    let pod: Pod

    init() throws { pod = try Pod.current }

    /// A user with five notifications, and a device that heard them.
    private func heard() async throws -> (user: TestUser, device: Device) {
        let user = TestUser()
        for number in 1...5 { try await pod.notify(user, message: "\(number)") }
        return (user, try await pod.device(user))
    }

    @Test("only what is newer comes")
    func newer() async throws {
        let (user, device) = try await heard()
        let ids = device.replay.streamIDs
        for (index, id) in ids.enumerated() {
            let back = try await pod.device(user, "&since=\(id)&epoch=\(device.epoch)")
            #expect(back.replay.texts == (1...5).dropFirst(index + 1).map(String.init))
            #expect(back.ready["last_stream_id"] == .string(ids[4]))
            #expect(back.ready["unread_count"] == .number("5"))
        }
    }

    @Test("and then live pushes")
    func thenLive() async throws {
        let (user, device) = try await heard()
        device.client.drop()
        try await pod.notify(user, message: "6")
        let last = try #require(device.replay.streamIDs.last)
        let back = try await pod.device(user, "&since=\(last)&epoch=\(device.epoch)")
        #expect(back.replay.texts == ["6"])
        try await pod.notify(user, message: "7")
        #expect(try await back.push()["message"] == .string("7"))
    }

    @Test("last_stream_id of session.ready is a point to come back to")
    func readyPoint() async throws {
        let (user, device) = try await heard()
        let last = try #require(device.ready["last_stream_id"]?.string)
        #expect(try await pod.device(user, "&since=\(last)&epoch=\(device.epoch)").replay.isEmpty)
    }

    /// Acks of what was read elsewhere go out first, and unread entries before `since` are looked up meanwhile.
    @Test("each push has the text of its own notification")
    func ownTexts() async throws {
        let user = TestUser()
        let http = try pod.http()
        var texts: [String: String] = [:]
        func notify(_ number: Int) async throws {
            texts[try await pod.notify(user, message: "\(number)", on: http)[0]] = "\(number)"
        }
        for number in 0..<20 { try await notify(number) }
        let device = try await pod.device(user)
        for push in device.replay.prefix(10) { try await device.read(push) }
        let since = try #require(device.replay.streamIDs.last)
        device.client.drop()
        for number in 20..<90 { try await notify(number) }
        for _ in 0..<10 {
            let back = try await pod.device(user, "&since=\(since)&epoch=\(device.epoch)")
            #expect(back.replay.texts == (20..<90).map(String.init))
            #expect(back.replay.allSatisfy { texts[$0["notification_id"]?.string ?? ""] == $0["message"]?.string })
            #expect(back.ready["unread_count"] == .number("80"))
        }
    }

    @Test("since 0-0 gives everything")
    func fromTheStart() async throws {
        let (user, device) = try await heard()
        #expect(try await pod.device(user, "&since=0-0&epoch=\(device.epoch)").replay.count == 5)
    }

    @Test("another epoch counts as absent")
    func otherEpoch() async throws {
        let (user, device) = try await heard()
        let since = try #require(device.replay.streamIDs.last)
        #expect(try await pod.device(user, "&since=\(since)&epoch=0000\(device.epoch)").replay.count == 5)
        #expect(try await pod.device(user, "&since=\(since)&epoch=").replay.count == 5)
    }

    @Test("a since beyond the last entry counts as absent")
    func beyondTheEnd() async throws {
        let (user, device) = try await heard()
        let last = try #require(EntryID(device.replay.streamIDs.last))
        for since in ["\(last.milliseconds)-\(last.sequence + 1)", "\(last.milliseconds + 1_000_000)-0"] {
            #expect(try await pod.device(user, "&since=\(since)&epoch=\(device.epoch)").replay.count == 5)
        }
    }

    @Test("a since between two entries gives the later ones")
    func betweenEntries() async throws {
        let user = TestUser()
        try await pod.redis("XADD", user.stream, "1000-5", "nid", newUUID())
        _ = try await pod.storeByHand(user, id: "2000-0", message: "later")
        let epoch = try await pod.device(TestUser()).epoch
        #expect(try await pod.device(user, "&since=1500-3&epoch=\(epoch)").replay.texts == ["later"])
        #expect(try await pod.device(user, "&since=1999&epoch=\(epoch)").replay.texts == ["later"])
    }

    @Test(
        "ids that are no stream ids are refused before the upgrade",
        arguments: ["x", "-1", "1-", "1-x", "1-2-3", "%00"]
    )
    func badSince(since: String) async throws {
        let headers = WireClient.handshakeHeaders
        let target = "/ws?\(TestUser().query)&since=\(since)&epoch=e"
        #expect(try await pod.http().request("GET", target, headers: headers).status == 400)
    }

    @Test("reads made meanwhile on another device are told to the one that comes back")
    func readsMeanwhile() async throws {
        let (user, device) = try await heard()
        let last = try #require(device.replay.streamIDs.last)
        let other = try await pod.device(user)
        device.client.drop()
        try await other.read(other.replay[2])
        let client = try await pod.connect(user, "&since=\(last)&epoch=\(device.epoch)")
        var acknowledged: [WireJSON?] = []
        while true {
            let message = try await client.message()
            if message.type == "session.ready" { break }
            #expect(message.type == "notification.read.ack")
            acknowledged.append(message.data["notification_id"])
        }
        acknowledged += try await client.messagesUntilNow().filter { $0.type == "notification.read.ack" }
            .map { $0.data["notification_id"] }
        #expect(acknowledged.contains(other.replay[2]["notification_id"]))
    }
}
