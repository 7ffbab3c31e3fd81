import CarillonDomain
import CarillonRealtime
import CarillonTestSupport
import Testing

/// Whatever the order in which hints arrive, and whether they know their predecessors: every entry is pushed once and in order.
@Suite struct DeliveryPropertyTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func everyEntryIsPushedOnceAndInOrder(seed: UInt64) {
        for round in 0..<50 {
            var model = Model(seed: seed &* 1_000 &+ UInt64(round))
            model.play(steps: 120)
            let pushed = model.pushed
            #expect(zip(pushed, pushed.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed), round \(round): \(pushed)")
            let owed = model.added.filter { !model.removed.contains($0) }
            #expect(Set(owed).isCovered(by: pushed), "seed \(seed), round \(round): \(owed) but \(pushed)")
            #expect(Set(pushed).isSubset(of: model.added))
            #expect(!model.cursor.isBehind)
        }
    }
}

extension Set {
    /// Whether nothing is left once `others` are taken away.
    fileprivate func isCovered(by others: [Element]) -> Bool { subtracting(others).isEmpty }
}

/// A stream to which several pods add, their hints on the way, and one pod that reads on where it finds a gap.
private struct Model {
    private struct Hint {
        let id: StreamID
        let predecessor: StreamID?
    }

    /// A reading whose reply is on the way: what was there when Redis carried it out.
    private struct Reading {
        let entries: ArraySlice<StreamID>
        let isAtEnd: Bool
        let knownWhenSent: StreamID
    }

    private(set) var cursor = DeliveryCursor()
    private(set) var pushed: [StreamID] = []
    private(set) var added: [StreamID] = []
    private(set) var removed: Set<StreamID> = []
    private var stream: [StreamID] = []
    private var hints: [Hint] = []
    private var reading: Reading?
    private var wantsReading = false
    private var random: SeededGenerator
    private static let readCount = 4

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func play(steps: Int) {
        for _ in 0..<steps {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3: add()
            case 4...6: deliver()
            case 7: if reading == nil, wantsReading { sendReading() } else { deliver() }
            case 8: finishReading()
            default: disturb()
            }
        }
        // All pods fall silent; what is on the way arrives, and somebody compares the last id with the cursor.
        while !hints.isEmpty { deliver() }
        if let newest = stream.last { hear(Hint(id: newest, predecessor: nil)) }
        while wantsReading || reading != nil {
            finishReading()
            if wantsReading { sendReading() }
        }
    }

    private mutating func add() {
        let last = added.last ?? .zero
        let id =
            Bool.random(using: &random) ? last.successor : StreamID(milliseconds: last.milliseconds + 1, sequence: 0)
        let predecessor = stream.last ?? .zero
        stream.append(id)
        added.append(id)
        // A pod that dies in between says nothing.
        guard Int.random(in: 0..<8, using: &random) > 0 else { return }
        let isKnown = Int.random(in: 0..<4, using: &random) > 0
        hints.append(Hint(id: id, predecessor: isKnown ? predecessor : nil))
    }

    private mutating func deliver() {
        guard !hints.isEmpty else { return }
        let place = Int.random(in: hints.indices, using: &random)
        // Now and then one arrives twice.
        let hint = Int.random(in: 0..<6, using: &random) == 0 ? hints[place] : hints.remove(at: place)
        hear(hint)
    }

    /// An entry goes, as by XDEL or MAXLEN, or somebody asks for the stream's last id.
    private mutating func disturb() {
        if Bool.random(using: &random), let place = stream.indices.randomElement(using: &random) {
            removed.insert(stream.remove(at: place))
        } else if let newest = stream.last {
            hear(Hint(id: newest, predecessor: nil))
        }
    }

    private mutating func hear(_ hint: Hint) {
        switch cursor.received(hint.id, predecessor: hint.predecessor) {
        case .push: pushed.append(hint.id)
        case .drop: break
        case .readStream: wantsReading = true
        }
    }

    private mutating func sendReading() {
        wantsReading = false
        let position = cursor.position
        let page = stream.drop { $0 <= position }.prefix(Self.readCount)
        reading = Reading(entries: page, isAtEnd: page.count < Self.readCount, knownWhenSent: cursor.newest)
    }

    private mutating func finishReading() {
        guard let reading else { return }
        self.reading = nil
        for id in reading.entries where cursor.read(id) { pushed.append(id) }
        if reading.isAtEnd { cursor.readToEnd(knownWhenSent: reading.knownWhenSent) }
        if cursor.isBehind || !reading.isAtEnd { wantsReading = true }
    }
}
