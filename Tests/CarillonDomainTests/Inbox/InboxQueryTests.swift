import CarillonDomain
import NIOCore
import Testing

@Suite struct InboxQueryTests {
    private func query(_ text: String) throws(Problem) -> InboxQuery { try InboxQuery(QueryParameters(text)) }

    /// The name of the parameter that is refused.
    private func refused(_ text: String) -> String? {
        do throws(Problem) {
            _ = try query(text)
            return nil
        } catch {
            #expect(error.status == 400)
            return error.fields.first?.pointer
        }
    }

    private func offset(_ query: InboxQuery) -> Int? {
        if case .offset(let offset) = query.start { offset } else { nil }
    }

    @Test func defaultsAreTheFirstTwenty() throws {
        let query = try query("user_id=1&login=alice")
        #expect(query.limit == 20)
        #expect(offset(query) == 0)
        #expect(query.wait == nil)
        #expect(!query.filter.unreadOnly && !query.filter.needsPayload)
    }

    @Test func limitsAreTaken() throws {
        #expect(try query("limit=1").limit == 1)
        #expect(try query("limit=100").limit == 100)
        #expect(try query("wait=60").wait == 60)
        #expect(try offset(query("offset=100000")) == 100_000)
        #expect(try query("q=" + String(repeating: "a", count: 256)).filter.words?.count == 256)
    }

    @Test(arguments: [
        "limit=0", "limit=101", "limit=x", "limit=", "limit=+1", "limit=%2B1", "wait=61", "wait=-1", "offset=-1",
        "offset=100001", "page=0", "cursor=x", "unread_only=yes", "archived=maybe", "from=yesterday", "to=1",
        "since=x", "type=", "channel=a,,b",
    ])
    func whatIsBeyondThemIsNamed(_ text: String) {
        #expect(refused(text) == String(text.prefix { $0 != "=" }))
    }

    @Test func longWordsAndManyOfThemAreRefused() {
        let long = String(repeating: "a", count: 129)
        #expect(refused("type=\(long)") == "type")
        #expect(refused("notification_type=\(long)") == "notification_type")
        #expect(refused("channel=\(long.dropLast())") == nil)
        #expect(refused("type=\((0..<32).map(String.init).joined(separator: ","))") == nil)
        #expect(refused("type=\((0..<33).map(String.init).joined(separator: ","))") == "type")
        #expect(refused("q=" + String(repeating: "a", count: 257)) == "q")
    }

    @Test func onlyOneWayOfPagingAtATime() throws {
        #expect(refused("page=1&offset=0") == "cursor")
        #expect(refused("cursor=1-0&page=1") == "cursor")
        #expect(try offset(query("page=3&limit=10")) == 20)
        #expect(try query("page=3&limit=10").page == 3)
        #expect(try query("offset=20&limit=10").page == 3)
        guard case .cursor(let id) = try query("cursor=5-1").start else { return #expect(Bool(false)) }
        #expect(id == StreamID("5-1"))
    }

    @Test func filtersLookAtStateAndPayload() throws {
        var filter = try query("type=a,b&channel=c&from=2024-01-01T12:00:00Z&to=2024-01-01T13:00:00Z&q=SHIP").filter
        let payload = try #require(
            StoredPayload(
                .init(string: #"{"message":"Shipped","type":"b","channel":"c","created_at":"2024-01-01T12:00:00Z"}"#)
            )
        )
        let id = try #require(StreamID("7-0"))
        #expect(filter.passes(payload, streamID: id))
        filter.to = filter.from
        #expect(!filter.passes(payload, streamID: id))
        filter.to = nil
        filter.types = ["a"]
        #expect(!filter.passes(payload, streamID: id))
    }

    @Test func hiddenOnesAreListedOnlyOnDemand() throws {
        let entry = EntryReference(streamID: try #require(StreamID("7-0")), notificationID: NotificationID("n"))
        var marks = InboxMarks()
        marks.add(field: "archived:n", value: "5")
        #expect(try !query("").filter.passes(entry, isRead: false, marks, at: 10))
        #expect(try query("archived=true").filter.passes(entry, isRead: false, marks, at: 10))
        #expect(try query("archived=any").filter.passes(entry, isRead: false, marks, at: 10))
        #expect(try !query("archived=any&unread_only=true").filter.passes(entry, isRead: true, marks, at: 10))
        var snoozed = InboxMarks()
        snoozed.add(field: "snoozed:n", value: "11")
        #expect(try !query("").filter.passes(entry, isRead: false, snoozed, at: 10))
        #expect(try query("").filter.passes(entry, isRead: false, snoozed, at: 11))
        #expect(try query("snoozed=true").filter.passes(entry, isRead: false, snoozed, at: 10))
        #expect(try !query("since=7-0").filter.passes(entry, isRead: false, InboxMarks(), at: 10))
        #expect(try query("since=6-9").filter.passes(entry, isRead: false, InboxMarks(), at: 10))
    }
}

@Suite struct InboxMarksTests {
    @Test func fieldsThatAreNotMarksArePassedOver() {
        var marks = InboxMarks()
        for field in ["seen", "collapse:k", "pinned:n", ""] { marks.add(field: field, value: "1") }
        marks.add(field: "seen:n", value: "soon")
        #expect(marks.isEmpty)
        marks.add(field: "seen:a:b", value: "1")
        #expect(marks.seen[NotificationID("a:b")] == 1)
    }

    @Test func eachFieldIsAboutANotification() {
        #expect(InboxMarks.notification(field: "seen:n", value: "1") == "n")
        #expect(InboxMarks.notification(field: "collapse:seen:x", value: "7-0 n") == "n")
    }

    @Test func membersSayWhatIsSo() {
        var marks = InboxMarks()
        marks.add(field: "seen:n", value: "1")
        marks.add(field: "snoozed:n", value: "1704110400000")
        var text = ""
        marks.writeMembers(NotificationID("n"), at: 5, into: &text)
        #expect(text == ",\"seen\":true,\"snoozed_until\":\"2024-01-01T12:00:00Z\"")
    }
}

@Suite struct StoredPayloadTests {
    @Test func membersOfTheWrongTypeCountAsNotGiven() throws {
        let payload = try #require(StoredPayload(.init(string: #"{"title":7,"message":"a\nb","data":{"x":1}}"#)))
        #expect(payload.json("title", .string) == nil)
        #expect(payload.json("message", .string) == #""a\nb""#)
        #expect(payload.text("message") == "a\nb")
        #expect(payload.json("data", .object) == #"{"x":1}"#)
        #expect(payload.target == nil)
    }

    @Test(arguments: ["", "[]", "{", "7"]) func whatIsNoObjectIsNone(_ text: String) {
        #expect(StoredPayload(.init(string: text)) == nil)
    }

    @Test func theTargetIsRead() throws {
        let payload = try #require(StoredPayload(.init(string: #"{"target":{"id":9007199254740993,"login":"a"}}"#)))
        #expect(payload.target == User(id: .number(9_007_199_254_740_993), login: "a"))
    }
}
