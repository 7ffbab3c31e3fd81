import CarillonDomain
import CarillonStore
import NIOCore
import Testing

@Suite struct BusFormatTests {
    private let user = User.test(1, "alice").key
    private let entry = EntryReference(streamID: StreamID("7-1")!, notificationID: NotificationID("n 1"))

    private func written(_ messages: BusMessage...) -> ByteBuffer {
        var buffer = ByteBuffer()
        for message in messages { BusFormat.write(message, into: &buffer) }
        return buffer
    }

    /// What the messages say, in words that compare.
    private func read(_ lines: ByteBuffer, version: Int = BusFormat.version) -> [String]? {
        BusFormat.read(lines, version: version)?.map { message in
            switch message {
            case .pushed(let user, let id, let predecessor, let notification, let payload):
                "push|\(user)|\(id)|\(predecessor.map(\.text) ?? "?")|\(notification.text)|\(payload.map { String(buffer: $0) } ?? "-")"
            case .read(let user, let entry): "read|\(user)|\(entry.streamID)|\(entry.notificationID.text)"
            case .autoCleared(let user, let entry): "cleared|\(user)|\(entry.streamID)|\(entry.notificationID.text)"
            case .inboxChanged(let user, let change):
                "inbox\(change.topic.map { "@\($0.name)" } ?? "")|\(user)|\(change.action)|\(change.until ?? 0)|"
                    + change.entries.map { "\($0.streamID) \($0.notificationID.text)" }.joined(separator: ",")
            case .published(let topic, let id, let predecessor, let notification, let payload):
                "topic|\(topic.name)|\(id)|\(predecessor.map(\.text) ?? "?")|\(notification.text)|"
                    + (payload.map { String(buffer: $0) } ?? "-")
            case .withdrawn(let topic, let action, let entry):
                "withdrawn|\(topic.name)|\(action)|\(entry.streamID)|\(entry.notificationID.text)"
            case .subscriptionsChanged(let user): "topics|\(user)"
            case .topicRead(let user, let read):
                "topicread|\(user)|\(read.topic.name)|\(read.entry.streamID)|\(read.entry.notificationID.text)"
            case .changed(let user): "changed|\(user)"
            case .joined: "joined"
            case .restarted: "restarted"
            case .resync: "resync"
            case .probe: "probe"
            }
        }
    }

    private func push(_ payload: String?, predecessor: StreamID? = .zero) -> BusMessage {
        .pushed(
            user,
            id: StreamID("7-1")!,
            predecessor: predecessor,
            notificationID: NotificationID("n"),
            payload: payload.map { ByteBuffer(string: $0) }
        )
    }

    @Test func everyMessageRoundTrips() {
        let lines = written(
            push("{\"a b\":\"é\"}"),
            push(nil, predecessor: nil),
            .read(user, entry),
            .autoCleared(user, entry),
            .changed(user),
            .joined,
            .restarted,
            .resync,
            .probe
        )
        #expect(
            read(lines) == [
                "push|1-alice|7-1|0-0|n|{\"a b\":\"é\"}", "push|1-alice|7-1|?|n|-", "read|1-alice|7-1|n 1",
                "cleared|1-alice|7-1|n 1", "changed|1-alice", "joined", "restarted", "resync", "probe",
            ]
        )
        #expect(
            String(buffer: lines) == """
                push 1-alice 7-1 0-0 n {"a b":"é"}
                push 1-alice 7-1 ? n
                read 1-alice 7-1 n 1
                cleared 1-alice 7-1 n 1
                changed 1-alice
                joined
                restarted
                resync
                probe

                """
        )
        #expect(read(ByteBuffer()) == [])
    }

    @Test(arguments: [(4_095, true), (4_096, true), (4_097, false)])
    func largePayloadsStayAtHome(size: Int, travels: Bool) {
        let payload = "\"\(String(repeating: "x", count: size - 2))\""
        #expect(read(written(push(payload))) == ["push|1-alice|7-1|0-0|n|\(travels ? payload : "-")"])
    }

    /// `data` is kept as it was posted, white space included.
    @Test func payloadsWithLineFeedsRoundTrip() {
        let lines = written(push("{\"data\":{\n  \"a\": 1,\r\n\t\"b\": \"x\\ny\"\n}}"), .probe)
        #expect(read(lines) == ["push|1-alice|7-1|0-0|n|{\"data\":{   \"a\": 1,\r \t\"b\": \"x\\ny\" }}", "probe"])
    }

    @Test func aLineFeedInAForeignIDMakesTheReaderLookItself() {
        let odd = EntryReference(streamID: .zero, notificationID: NotificationID("a\nprobe"))
        #expect(read(written(.read(user, odd), .autoCleared(user, odd), .probe)) == ["resync", "resync", "probe"])
    }

    /// CR LF is one `Character`, and so is a space with a combining mark behind it.
    @Test func whatOtherProgramsNameIsOneLineOrTheReaderLooksItself() {
        let odd = EntryReference(streamID: .zero, notificationID: NotificationID("a\r\nprobe"))
        let empty = EntryReference(streamID: .zero, notificationID: NotificationID(""))
        let stranger = UserKey(text: "1-a b\nprobe")!
        #expect(read(written(.read(user, odd), .autoCleared(user, empty))) == ["resync", "resync"])
        #expect(read(written(.changed(stranger), .subscriptionsChanged(stranger))) == ["resync", "resync"])
        #expect(
            read(written(.read(stranger, entry), .inboxChanged(stranger, InboxChange(.read, [])))) == [
                "resync", "resync",
            ]
        )
        let payload = ByteBuffer(string: "{}")
        #expect(
            read(
                written(
                    .pushed(user, id: .zero, predecessor: nil, notificationID: odd.notificationID, payload: payload),
                    .pushed(user, id: .zero, predecessor: nil, notificationID: empty.notificationID, payload: nil),
                    .published(
                        .everybody,
                        id: .zero,
                        predecessor: nil,
                        notificationID: NotificationID("n 1"),
                        payload: nil
                    ),
                    .withdrawn(Topic(stored: "a b"), .withdraw, odd)
                )
            ) == ["changed|1-alice", "changed|1-alice", "resync", "resync"]
        )
    }

    @Test(arguments: [
        "probe", "\n", "hello\n", "probe\nhello\n", "push\n", "push 1-alice\n", "push 1-alice 7-1\n",
        "push 1-alice 7-1 0-0\n",
        "push alice 7-1 0-0 n\n", "push 1-alice x 0-0 n\n", "read 1-alice 7-1\n", "read 1-alice 7-1 \n",
        "read 1-alice x n\n",
        "cleared 1-alice\n", "Probe\n", "probe\nread 1-alice 7-1 n",
    ])
    func whatCannotBeUnderstood(lines: String) {
        #expect(read(ByteBuffer(string: lines)) == nil)
    }

    /// What a later version says of one user costs a look at that user only.
    @Test func laterVersionsNameTheUser() {
        #expect(read(ByteBuffer(string: "archived 1-alice 7-1 n\nprobe\n")) == ["changed|1-alice", "probe"])
        let lines = written(push("{}"), .read(user, entry), .autoCleared(user, entry))
        #expect(read(lines, version: 2) == ["changed|1-alice", "changed|1-alice", "changed|1-alice"])
        #expect(read(ByteBuffer(string: "tidings 1-alice\n"), version: 99) == ["changed|1-alice"])
        #expect(read(ByteBuffer(string: "resync\n"), version: 2) == nil)
    }

    @Test func everyTruncationIsNoCrash() {
        let whole = written(push("{\"a\":1}"), .read(user, entry), .autoCleared(user, entry), .probe)
        for length in 0..<whole.readableBytes { _ = read(whole.getSlice(at: 0, length: length)!) }
    }

    @Test func changesOfInboxesRoundTrip() {
        let other = EntryReference(streamID: StreamID("8-0")!, notificationID: NotificationID("m"))
        let known = EntryReference(streamID: StreamID("7-1")!, notificationID: NotificationID("n"))
        let lines = written(
            .inboxChanged(user, InboxChange(.snooze, [known], until: 99)),
            .inboxChanged(user, InboxChange(.read, [known, other])),
            .inboxChanged(user, InboxChange(.count, []))
        )
        #expect(
            read(lines) == [
                "inbox|1-alice|snooze|99|7-1 n", "inbox|1-alice|read|0|7-1 n,8-0 m", "inbox|1-alice|count|0|",
            ]
        )
    }

    @Test(arguments: ["orders", "", "\u{301}x"])
    func whatConcernsTopicsRoundTrips(name: String) {
        let topic = Topic(stored: name)
        let known = EntryReference(streamID: StreamID("7-1")!, notificationID: NotificationID("n"))
        let payload = ByteBuffer(string: "{\"a b\":\n1}")
        let lines = written(
            .published(
                topic,
                id: known.streamID,
                predecessor: .zero,
                notificationID: known.notificationID,
                payload: payload
            ),
            .published(
                topic,
                id: known.streamID,
                predecessor: nil,
                notificationID: known.notificationID,
                payload: nil
            ),
            .withdrawn(topic, .collapse, known),
            .subscriptionsChanged(user),
            .topicRead(user, TopicReference(topic, known)),
            .inboxChanged(user, InboxChange(.seen, [known], of: topic))
        )
        #expect(
            read(lines) == [
                "topic|\(name)|7-1|0-0|n|{\"a b\": 1}", "topic|\(name)|7-1|?|n|-", "withdrawn|\(name)|collapse|7-1|n",
                "topics|1-alice", "topicread|1-alice|\(name)|7-1|n", "inbox@\(name)|1-alice|seen|0|7-1 n",
            ]
        )
        // Ids of another program's entries that do not fit.
        #expect(read(written(.withdrawn(topic, .withdraw, entry))) == ["resync"])
        #expect(read(written(.topicRead(user, TopicReference(topic, entry)))) == ["changed|1-alice"])
    }

    @Test func changesThatCannotBeUnderstoodSayLookForYourself() {
        // An id of another program's entry that holds a space, and an action of a later version.
        #expect(read(written(.inboxChanged(user, InboxChange(.read, [entry])))) == ["changed|1-alice"])
        #expect(read(ByteBuffer(string: "inbox 1-alice pin - 7-1 n\n")) == ["changed|1-alice"])
        #expect(read(ByteBuffer(string: "inbox 1-alice read - 7-1\n")) == nil)
    }
}
