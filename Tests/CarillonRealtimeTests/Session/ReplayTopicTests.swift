import CarillonDomain
import CarillonRealtime
import CarillonStore
import CarillonTestSupport
import Testing

/// Whatever happens between replay and live pushes, a device is given every entry of each stream once and in order.
@Suite struct ReplayTopicTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func everyEntryComesOnceAndInOrder(seed: UInt64) throws {
        for round in 0..<50 {
            var model = try Model(seed: seed &* 1_000 &+ UInt64(round))
            model.play(steps: 100)
            for stream in model.streams.indices {
                #expect(model.given[stream] == model.streams[stream], "seed \(seed), round \(round), stream \(stream)")
            }
        }
    }

    private func entry(_ number: UInt64) -> EntryReference {
        EntryReference(
            streamID: StreamID(milliseconds: number, sequence: 0),
            notificationID: NotificationID("n\(number)")
        )
    }

    @Test func whatIsReadOrRemovedMeanwhile() throws {
        let topic = try #require(Topic("a"))
        let record = TopicRecord(fields: [("sub:a", "0-0"), ("read:n1", "5"), ("gone:n2", "5"), ("archived:n3", "5")])
        var replay = Replay()
        replay.load(InboxPart(entries: [], read: []), start: .full)
        replay.load(record)
        var tellsNow = replay.read(TopicReference(topic, entry(5)))
        #expect(!tellsNow)
        replay.plan((1...5).map(entry), of: topic, start: .full, through: entry(5).streamID)
        #expect(replay.page(10).map(\.entry.id.milliseconds) == [1, 3, 4, 5])
        #expect(replay.page(10).map(\.isRead) == [true, false, false, true])
        #expect(replay.unreadCount == 1)
        tellsNow = replay.read(TopicReference(topic, entry(4)))
        #expect(!tellsNow)
        replay.remove([entry(3)])
        #expect(replay.page(10).allSatisfy { !$0.isGone })
        replay.remove([entry(3)], of: topic)
        _ = replay.advance()
        let (removed, read) = (replay.advance(), replay.advance())
        #expect(removed?.isGone == true && read?.isRead == true)
        tellsNow = replay.read(TopicReference(topic, entry(3)))
        #expect(tellsNow)
        #expect(replay.position.topics[topic] == entry(5).streamID.predecessor)
        _ = replay.advance()
        #expect(replay.position == StreamPosition(topics: [topic: entry(5).streamID]))
    }

    @Test func sinceAndTheLastHundred() throws {
        let topic = try #require(Topic("a"))
        let reads = (1...150).map { ("read:n\($0)", "5") }.filter { $0.0 != "read:n7" }
        for (start, count) in [(Replay.Start.full, 101), (.after(entry(140).streamID), 10)] {
            var replay = Replay()
            replay.load(InboxPart(entries: [], read: []), start: .full)
            replay.load(TopicRecord(fields: reads))
            replay.plan((1...150).map(entry), of: topic, start: start, through: entry(150).streamID)
            #expect(replay.page(1_000).count == count)
            #expect(replay.unreadCount == 1)
        }
    }
}

/// The user's own stream and two topics, whose entries a pod hears of a while after they were added, and a device.
private struct Model {
    private enum Phase {
        case connecting
        /// What was there when Redis read the user's stream.
        case reading([UInt64], known: UInt64)
        case replaying
        case fetching(Int)
        case readingOn([UInt64], known: UInt64)
        case live
    }

    /// The user's own first.
    private(set) var streams: [[UInt64]] = [[], [], []]
    private(set) var given: [[UInt64]] = [[], [], []]
    private var heard = [0, 0, 0]
    private let topics: [Topic]
    private var replay = Replay()
    private var phase = Phase.connecting
    private var next: UInt64 = 1
    private var random: SeededGenerator

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        topics = [.everybody, try #require(Topic("a"))]
    }

    mutating func play(steps: Int) {
        for _ in 0..<steps {
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1: add()
            case 2, 3, 4: hear(Int.random(in: 0..<3, using: &random))
            default: step()
            }
        }
        for stream in 0..<3 { while heard[stream] < streams[stream].count { hear(stream) } }
        while true {
            if case .live = phase { return }
            step()
        }
    }

    private mutating func add() {
        streams[Int.random(in: 0..<3, using: &random)].append(next)
        next += 1
    }

    /// The pod hears of the next entry of a stream: its cursor moves, and a live device is given it.
    private mutating func hear(_ stream: Int) {
        guard heard[stream] < streams[stream].count else { return }
        heard[stream] += 1
        let number = newest(stream)
        // What the device found in the user's stream before the pod heard of it is no news.
        if case .live = phase, stream > 0 || id(number) > replay.mark { given[stream].append(number) }
    }

    private func newest(_ stream: Int) -> UInt64 { heard[stream] == 0 ? 0 : streams[stream][heard[stream] - 1] }
    private func id(_ number: UInt64) -> StreamID { StreamID(milliseconds: number, sequence: 0) }

    private func part(_ numbers: [UInt64]) -> InboxPart {
        InboxPart(entries: numbers.map { .init(id: id($0), notificationID: NotificationID("n\($0)")) }, read: [])
    }

    private mutating func plan() -> Bool {
        for (index, topic) in topics.enumerated() where id(newest(index + 1)) > replay.end(of: topic) {
            let entries = streams[index + 1].prefix(heard[index + 1]).map {
                EntryReference(streamID: id($0), notificationID: NotificationID("n\($0)"))
            }
            replay.plan(entries, of: topic, start: .full, through: id(newest(index + 1)))
        }
        return !replay.isEmpty
    }

    /// What `Device` does next.
    private mutating func step() {
        switch phase {
        case .connecting: phase = .reading(streams[0], known: newest(0))
        case .reading(let numbers, let known):
            replay.load(part(numbers), start: .full)
            replay.readToEnd(knownWhenSent: id(known))
            _ = plan()
            phase = .replaying
        case .replaying: showPage()
        case .fetching(let count):
            for _ in 0..<count {
                guard let item = replay.advance() else { break }
                let stream = item.topic.map { topics.firstIndex(of: $0)! + 1 } ?? 0
                given[stream].append(item.entry.id.milliseconds)
            }
            phase = .replaying
        case .readingOn(let numbers, let known):
            replay.append(part(numbers))
            replay.readToEnd(knownWhenSent: id(known))
            phase = .replaying
        case .live: break
        }
    }

    private mutating func showPage() {
        let page = replay.page(Int.random(in: 1...5, using: &random))
        guard page.isEmpty else { return phase = .fetching(page.count) }
        if id(newest(0)) > replay.mark {
            phase = .readingOn(streams[0].filter { id($0) > replay.mark }, known: newest(0))
        } else if !plan() {
            phase = .live
        }
    }
}
