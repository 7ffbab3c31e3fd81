import CarillonDomain
import CarillonRealtime
import CarillonStore
import Testing

/// What a device is to be shown before it goes live.
@Suite struct ReplayTests {
    private func entry(_ number: UInt64) -> StoredEntry {
        StoredEntry(id: id(number), notificationID: NotificationID("n\(number)"))
    }

    private func reference(_ number: UInt64) -> EntryReference {
        EntryReference(streamID: id(number), notificationID: NotificationID("n\(number)"))
    }

    private func part(_ numbers: some Sequence<UInt64>, read: some Sequence<UInt64> = []) -> InboxPart {
        InboxPart(entries: numbers.map(entry), read: Set(read.map { NotificationID("n\($0)") }))
    }

    private func loaded(_ part: InboxPart, _ start: Replay.Start = .full) -> Replay {
        var replay = Replay()
        replay.load(part, start: start)
        return replay
    }

    /// Shows everything; the numbers that are shown as read are negative.
    private func shown(_ replay: inout Replay) -> [Int64] {
        var shown: [Int64] = []
        while let item = replay.advance() {
            let number = Int64(item.entry.id.milliseconds)
            shown.append(item.isRead ? -number : number)
            #expect(replay.mark == item.entry.id)
        }
        return shown
    }

    // MARK: - What is planned

    @Test func nothing() {
        var replay = loaded(part([]))
        #expect(replay.isEmpty && replay.unreadCount == 0 && replay.mark == .zero)
        #expect(shown(&replay).isEmpty)
        #expect(replay.page(10).isEmpty)
    }

    @Test func everythingOldestFirst() {
        var replay = loaded(part(1...3, read: [2]))
        #expect(replay.unreadCount == 2)
        #expect(replay.mark == .zero)
        #expect(shown(&replay) == [1, -2, 3])
        #expect(replay.isEmpty)
    }

    @Test(arguments: [99, 100, 101] as [UInt64])
    func theLastHundredWhetherReadOrNot(count: UInt64) {
        var replay = loaded(part(1...count, read: 1...count))
        #expect(shown(&replay).count == Int(min(count, 100)))
    }

    @Test func olderOnesOnlyIfUnread() {
        var replay = loaded(part(1...105, read: [1, 3, 4, 5, 6]))
        #expect(replay.unreadCount == 100)
        #expect(shown(&replay) == [2, -6] + (7...105).map { Int64($0) })
    }

    @Test(arguments: [(0, [1, -2, 3]), (1, [-2, 3]), (2, [3]), (3, []), (9, [])] as [(UInt64, [Int64])])
    func onlyWhatIsNewer(since: UInt64, expected: [Int64]) {
        var replay = loaded(part(1...3, read: [2]), .after(id(since)))
        #expect(replay.unreadCount == 2)
        #expect(replay.mark == id(expected.isEmpty ? max(since, 3) : since))
        #expect(shown(&replay) == expected)
    }

    @Test func moreThanAHundredNewerOnesAreAllShown() {
        var replay = loaded(part(1...150, read: 1...150), .after(id(10)))
        #expect(shown(&replay).count == 140)
    }

    @Test func strangersEntriesAreNoUnreadOnes() {
        var replay = Replay()
        replay.load(
            InboxPart(entries: [StoredEntry(id: id(1), notificationID: nil), entry(2)], read: []),
            start: .full
        )
        #expect(replay.unreadCount == 1)
        #expect(shown(&replay) == [1, 2])
    }

    @Test func pagesDoNotMoveTheMark() {
        var replay = loaded(part(1...5))
        #expect(replay.page(2).map(\.entry) == [entry(1), entry(2)])
        #expect(replay.page(9).count == 5)
        #expect(replay.mark == .zero)
        _ = replay.advance()
        #expect(replay.page(1).map(\.entry) == [entry(2)])
    }

    // MARK: - Newer entries

    @Test func newerOnesFollow() {
        var replay = loaded(part(1...2))
        replay.append(part(2...4, read: [4]))
        #expect(replay.unreadCount == 3)
        #expect(shown(&replay) == [1, 2, 3, -4])
        replay.append(part([3, 4, 5]))
        #expect(shown(&replay) == [5])
        replay.append(part([]))
        #expect(replay.isEmpty)
    }

    @Test func whatIsMissingAtTheEndIsPassedOver() {
        var replay = loaded(part(1...2))
        replay.readToEnd(knownWhenSent: id(9))
        #expect(replay.mark == .zero)
        _ = shown(&replay)
        #expect(replay.mark == id(2))
        replay.readToEnd(knownWhenSent: id(9))
        #expect(replay.mark == id(9))
        replay.readToEnd(knownWhenSent: id(5))
        #expect(replay.mark == id(9))
    }

    // MARK: - Reads meanwhile

    @Test func aReadBeforeTheStreamIsKnownShowsInThePush() {
        var replay = Replay()
        let tellNow = replay.read(reference(2))
        #expect(!tellNow)
        replay.load(part(1...3), start: .full)
        #expect(replay.unreadCount == 2)
        #expect(shown(&replay) == [1, -2, 3])
    }

    @Test func aReadOfWhatIsPlannedShowsInItsPush() {
        var replay = loaded(part(1...3))
        #expect(replay.read(reference(2)) == false)
        #expect(replay.unreadCount == 2)
        #expect(shown(&replay) == [1, -2, 3])
    }

    @Test func aReadOfWhatWasShownIsToldAtOnce() {
        var replay = loaded(part(1...3))
        _ = replay.advance()
        _ = replay.advance()
        #expect(replay.read(reference(2)) == true)
        #expect(replay.read(reference(2)) == true)
        #expect(replay.unreadCount == 2)
        #expect(shown(&replay) == [3])
    }

    @Test func aReadOfWhatTheDeviceShowedBeforeIsToldAtOnce() {
        var replay = loaded(part(1...3), .after(id(2)))
        #expect(replay.read(reference(1)) == true)
        #expect(replay.unreadCount == 2)
    }

    /// Another pod's word may overtake the reply to our own reading.
    @Test func aReadOfWhatIsNotYetReadFromTheStreamShowsInItsPush() {
        var replay = loaded(part(1...2))
        #expect(replay.read(reference(4)) == false)
        #expect(replay.read(reference(6)) == false)
        replay.append(part(3...4))
        #expect(shown(&replay) == [1, 2, 3, -4])
        replay.append(part(5...6))
        #expect(shown(&replay) == [5, -6])
        #expect(replay.unreadCount == 4)
    }

    @Test func clearedOnesAreNoUnreadOnes() {
        var replay = loaded(part(1...3))
        replay.cleared(NotificationID("n1"))
        replay.cleared(NotificationID("n1"))
        replay.cleared(NotificationID("other"))
        #expect(replay.unreadCount == 2)
    }
}
