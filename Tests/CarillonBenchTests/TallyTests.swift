import CarillonLoad
import NIOCore
import Testing

@testable import CarillonBench

/// What is counted of messages that came, came twice, came late or never.
@Suite struct TallyTests {
    private func publish(_ tally: Tally, user: Int, due: UInt64 = 1_000) -> Stamp {
        let stamp = Stamp(run: 1, number: tally.publish(user: user), due: due)
        tally.answered(isAccepted: true)
        return stamp
    }

    @Test func countsOneMessagePerUser() {
        let tally = Tally(connections: 10, users: 10, targets: 1)
        let first = publish(tally, user: 3)
        let second = publish(tally, user: 3)
        let lost = publish(tally, user: 4)
        #expect(tally.undelivered == 3 && tally.lost == 3)
        let isNew = tally.received(first, connection: 3, now: 2_000)
        let isNewAgain = tally.received(first, connection: 3, now: 3_000)
        #expect(isNew && !isNewAgain)
        _ = tally.received(second, connection: 3, now: 2_000)
        #expect(tally.delivered == 2 && tally.duplicated == 1 && tally.lost == 1 && tally.undelivered == 1)
        _ = tally.received(lost, connection: 4, now: 2_000)
        #expect(tally.lost == 0 && tally.disordered == 0)
    }

    @Test func seesDisorderOnAConnection() {
        let tally = Tally(connections: 2, users: 2, targets: 1)
        let stamps = (0..<4).map { _ in publish(tally, user: 1) }
        for number in [0, 2, 1, 3] { _ = tally.received(stamps[number], connection: 1, now: 0) }
        #expect(tally.disordered == 1 && tally.lost == 0 && tally.duplicated == 0)
    }

    /// Each of a user's connections is owed the message once.
    @Test func countsEachDeviceOfAUser() {
        let tally = Tally(connections: 6, users: 2, targets: 1)
        let stamp = publish(tally, user: 1)
        for connection in [1, 3, 5, 3] { _ = tally.received(stamp, connection: connection, now: 0) }
        #expect(tally.delivered == 3 && tally.duplicated == 1 && tally.lost == 0 && tally.completed == 1)
        _ = publish(tally, user: 0)
        #expect(tally.lost == 3 && tally.undelivered == 1)
    }

    @Test func countsEachTargetOfAMessage() {
        let tally = Tally(connections: 8, users: 4, targets: 2)
        let stamp = publish(tally, user: 2)
        for connection in [2, 3, 6, 7, 6] { _ = tally.received(stamp, connection: connection, now: 0) }
        #expect(tally.delivered == 4 && tally.duplicated == 1 && tally.completed == 1 && tally.lost == 0)
    }

    @Test func aRefusedMessageIsOwedToNobody() {
        let tally = Tally(connections: 1, users: 1, targets: 1)
        _ = tally.publish(user: 0)
        tally.answered(isAccepted: false)
        #expect(tally.lost == 0 && tally.refused == 1 && tally.undelivered == 0)
    }

    @Test func withoutDevicesAMessageIsDoneWhenItIsStored() {
        let tally = Tally(connections: 0, users: 100, targets: 10)
        _ = publish(tally, user: 0)
        #expect(tally.completed == 1 && tally.undelivered == 0 && tally.lost == 0)
    }

    /// Latency counts from when a message was due, and only of those that were due while it is measured.
    @Test func measuresWhatWasDueInTime() {
        let tally = Tally(connections: 1, users: 1, targets: 1)
        let stamps = [1_000_000, 2_000_000, 3_000_000].map { publish(tally, user: 0, due: UInt64($0)) }
        tally.startMeasuring(at: 1_500_000)
        tally.stopMeasuring(at: 2_500_000)
        for stamp in stamps { _ = tally.received(stamp, connection: 0, now: stamp.due + 700_000) }
        #expect(tally.latency.count == 1 && tally.latency.max == .microseconds(700))
    }

    @Test func ignoresNumbersThatWereNeverPublished() {
        let tally = Tally(connections: 1, users: 1, targets: 1)
        let isNew = tally.received(Stamp(run: 1, number: 5, due: 0), connection: 0, now: 0)
        #expect(!isNew && tally.delivered == 0 && tally.duplicated == 0)
    }
}
