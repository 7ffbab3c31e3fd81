import CarillonDomain
import CarillonRealtime
import Testing

func id(_ number: UInt64) -> StreamID { StreamID(milliseconds: number, sequence: 0) }

@Suite struct DeliveryCursorTests {
    @Test(
        arguments: [
            // position, entry, predecessor, action, position after
            (0, 1, 0, .push, 1), (5, 6, 5, .push, 6), (5, 9, 5, .push, 9), (5, 9, 3, .push, 9), (5, 9, 0, .push, 9),
            (5, 9, 6, .readStream, 5), (5, 9, 8, .readStream, 5), (5, 9, nil, .readStream, 5),
            (0, 1, nil, .readStream, 0),
            (5, 5, 4, .drop, 5), (5, 4, 3, .drop, 5), (5, 5, nil, .drop, 5), (5, 1, nil, .drop, 5),
        ] as [(UInt64, UInt64, UInt64?, DeliveryCursor.HintAction, UInt64)]
    )
    func hints(
        position: UInt64,
        entry: UInt64,
        predecessor: UInt64?,
        action: DeliveryCursor.HintAction,
        after: UInt64
    ) {
        var cursor = DeliveryCursor(position: id(position))
        #expect(cursor.received(id(entry), predecessor: predecessor.map(id)) == action)
        #expect(cursor.position == id(after))
        #expect(cursor.newest == id(max(position, entry)))
        #expect(cursor.isBehind == (action == .readStream))
    }

    @Test func aGapIsFilledByReading() {
        var cursor = DeliveryCursor(position: id(5))
        #expect(cursor.received(id(8), predecessor: id(7)) == .readStream)
        #expect(cursor.read(id(6)) == true)
        #expect(cursor.read(id(6)) == false)
        // A hint that overtakes the reading may go out as soon as its predecessor has.
        #expect(cursor.received(id(7), predecessor: id(6)) == .push)
        #expect(cursor.read(id(7)) == false)
        #expect(cursor.isBehind)
        #expect(cursor.read(id(8)) == true)
        #expect(!cursor.isBehind)
        #expect(cursor.received(id(8), predecessor: id(7)) == .drop)
    }

    @Test func readingGoesOverWhatNobodyHeardOf() {
        var cursor = DeliveryCursor(position: id(5))
        #expect(cursor.read(id(9)) == true)
        #expect(cursor.position == id(9))
        #expect(cursor.newest == id(9))
        #expect(cursor.read(id(8)) == false)
    }

    @Test func whatIsMissingAtTheEndIsGone() {
        var cursor = DeliveryCursor(position: id(5))
        #expect(cursor.received(id(7), predecessor: nil) == .readStream)
        let known = cursor.newest
        #expect(cursor.received(id(9), predecessor: nil) == .readStream)
        cursor.readToEnd(knownWhenSent: known)
        #expect(cursor.position == id(7))
        #expect(cursor.isBehind)
        cursor.readToEnd(knownWhenSent: id(3))
        #expect(cursor.position == id(7))
        cursor.readToEnd(knownWhenSent: id(9))
        #expect(!cursor.isBehind)
        #expect(cursor.received(id(10), predecessor: id(6)) == .push)
    }

    @Test func theFirstDeviceSetsThePosition() {
        var cursor = DeliveryCursor()
        #expect(cursor.received(id(9), predecessor: nil) == .readStream)
        cursor.start(at: id(4))
        #expect(cursor.position == id(4))
        #expect(cursor.isBehind)
        cursor.start(at: id(9))
        #expect(!cursor.isBehind)
        cursor.start(at: id(2))
        #expect(cursor.position == id(9))
        cursor.start(at: id(12))
        #expect(cursor.newest == id(12))
    }
}
