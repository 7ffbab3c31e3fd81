import CarillonTestSupport
import Testing

/// Whatever is done to an inbox in whatever order, over two pods: every answer and every device ends with the same number, and it is
/// the one that a simple model gives.
@Suite("Inbox property")
struct InboxPropertyTests {
    @Test("counts are right after any mix of things", arguments: [7, 8, 9] as [UInt64])
    func anyMix(seed: UInt64) async throws {
        try await TwoPods.with { pods in
            var random = SeededGenerator(seed: seed)
            for round in 0..<4 {
                var play = try await Play(pods: pods, round: round)
                for _ in 0..<40 { try await play.step(&random) }
                try await play.expectAgreement()
            }
        }
    }
}

/// One user, what was done for him, and his devices on both pods.
private struct Play {
    private struct Entry {
        let id: String
        var isRead = false
        var isArchived = false
        var isThere = true

        var counts: Bool { isThere && !isRead && !isArchived }
    }

    private let pods: TwoPods
    private let user = TestUser()
    private let round: Int
    private var entries: [Entry] = []
    private var devices: [Device]
    /// The number that each device was told last.
    private var told: [String?]

    init(pods: TwoPods, round: Int) async throws {
        self.pods = pods
        self.round = round
        devices = [
            try await pods.first.device(user, "&unread_count=true"),
            try await pods.second.device(user, "&unread_count=true"),
        ]
        told = [nil, nil]
    }

    private var unread: String { "\(entries.count(where: \.counts))" }

    private func pod(_ random: inout SeededGenerator) -> Pod { Bool.random(using: &random) ? pods.first : pods.second }

    mutating func step(_ random: inout SeededGenerator) async throws {
        let pod = pod(&random)
        let there = entries.indices.filter { entries[$0].isThere }
        guard let index = there.randomElement(using: &random), Int.random(in: 0..<10, using: &random) > 3 else {
            return entries.append(Entry(id: try await pod.notify(user)[0]))
        }
        let id = entries[index].id
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            try await pod.inboxDocument(user, "PUT", "/\(id)/read")
            entries[index].isRead = true
        case 2:
            try await pod.inboxDocument(user, "PUT", "/\(id)/unread")
            entries[index].isRead = false
        case 3:
            try await pod.inboxDocument(user, "PUT", "/\(id)/archive")
            entries[index].isArchived = true
        case 4:
            try await pod.inboxDocument(user, "PUT", "/\(id)/unarchive")
            entries[index].isArchived = false
        case 5:
            try await pod.inboxDocument(user, "DELETE", "/\(id)")
            entries[index].isThere = false
        case 6:
            try await pod.redis("DEL", "notification:\(id)")
            entries[index].isThere = false
        default: try await reconnect(&random)
        }
    }

    /// A device goes and comes back, at once or with what it knows.
    private mutating func reconnect(_ random: inout SeededGenerator) async throws {
        let place = Int.random(in: 0..<2, using: &random)
        let since = devices[place].ready["last_stream_id"]?.string ?? ""
        devices[place].client.drop()
        let query = "&unread_count=true" + (Bool.random(using: &random) ? "&since=\(since)" : "")
        devices[place] = try await pod(&random).device(user, query)
        told[place] = devices[place].ready["unread_count"]?.numberText
        #expect(told[place] == unread, "round \(round): session.ready after a reconnect")
    }

    mutating func expectAgreement() async throws {
        for pod in [pods.first, pods.second] {
            #expect(try await pod.unreadCount(user) == unread, "round \(round)")
            let page = try await pod.inboxDocument(user, query: "&unread_only=true&limit=100")
            #expect(page["total"]?.numberText == unread)
            let listed = Set(entries.filter { $0.isThere && !$0.isArchived }.map(\.id))
            #expect(Set(try await pod.inboxIDs(user, "&limit=100")) == listed)
        }
        // Something that both devices hear of, so that nothing needs to be waited for in vain.
        try await pods.first.notify(user, message: "last")
        entries.append(Entry(id: "last"))
        for (place, device) in devices.enumerated() {
            try await wait(until: "device \(place) is told \(unread)") {
                let change = try await device.client.first("inbox.changed")
                return change["unread_count"]?.numberText == unread
            }
        }
    }
}
