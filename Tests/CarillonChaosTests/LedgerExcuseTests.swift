import CarillonChaos
import CarillonLoad
import NIOCore
import Testing

/// What faults excuse, and that it is counted.
@Suite struct LedgerExcuseTests {
    let book = Book()

    /// Accepted this long before Redis was killed.
    @Test(arguments: [(1_900, true), (2_100, false)])
    func unsyncedEntriesAreExcused(milliseconds: Int64, isExcused: Bool) {
        _ = book.device()
        book.post()
        book.pass(.milliseconds(milliseconds))
        book.ledger.faultEnded(book.fault(.unsynced(.seconds(2))))
        let isSettledAtOnce = book.ledger.isSettled
        #expect(!isSettledAtOnce, "what is not gone may still come")
        book.pass(.milliseconds(5_100))
        let isSettled = book.ledger.isSettled
        #expect(isSettled == isExcused)
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.faults[0].undelivered == (isExcused ? [0] : []))
        #expect(snapshot.lost == (isExcused ? [] : [0]))
        #expect(snapshot.users[0][0].excuse == (isExcused ? 0 : nil))
    }

    @Test func whatComesAfterTheFaultIsNotExcused() {
        _ = book.device()
        book.ledger.faultEnded(book.fault(.wiped(users: nil)))
        book.pass(.milliseconds(1))
        book.post()
        #expect(book.ledger.snapshot().lost == [0])
    }

    @Test func onlyTheUsersThatWereWipedAreExcused() {
        _ = (book.device(user: 0), book.device(user: 1))
        book.post(to: [0, 1])
        book.ledger.faultEnded(book.fault(.wiped(users: [1])))
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.lost == [0])
        #expect(snapshot.faults[0].undelivered == [1])
    }

    @Test func faultWithoutAnExcuseExcusesNothing() {
        _ = book.device()
        let fault = book.fault()
        book.post()
        book.ledger.faultEnded(fault)
        #expect(book.ledger.snapshot().lost == [0])
    }

    @Test func excusedEntriesDoNotHoldUpRecovery() {
        _ = book.device()
        book.post()
        let fault = book.fault(.unsynced(.seconds(2)))
        book.ledger.faultEnded(fault)
        #expect(book.ledger.snapshot().faults[0].timeToRecover == .zero)
    }

    @Test func keyedPostMayBeStoredAgainAfterAWipe() {
        let device = book.device()
        let token = book.post(isKeyed: true)
        book.push(token, to: device)
        book.ledger.faultEnded(book.fault(.wiped(users: nil)))
        book.accept(token, variant: 1)
        #expect(book.ledger.findings.isEmpty)
    }

    @Test(arguments: [
        (Excuse.wiped(users: nil), 0), (.unsynced(.seconds(2)), 0),
        (.failedOver(.seconds(1), isPostSafe: true), 0), (.wiped(users: [5]), 1), (.nothing, 1),
    ])
    func resyncIsRightWhereIDsMayHaveGoneBack(excuse: Excuse, findings: Int) {
        let device = book.device()
        book.ledger.faultEnded(book.fault(excuse))
        book.lose(device, .closed(code: 1012, reason: "resync needed"))
        #expect(book.count(.badConnection) == findings)
    }

    // MARK: - Fail-over

    /// Accepted this long before the primary died, with and without a replica's word.
    @Test(arguments: [(900, false, true), (1_100, false, false), (900, true, false)])
    func whatNoReplicaConfirmedIsExcused(milliseconds: Int64, isPostSafe: Bool, isExcused: Bool) {
        _ = book.device()
        book.post()
        book.pass(.milliseconds(milliseconds))
        book.ledger.faultEnded(book.fault(.failedOver(.seconds(1), isPostSafe: isPostSafe)))
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.lost == (isExcused ? [] : [0]))
        #expect(snapshot.faults[0].undelivered == (isExcused ? [0] : []))
        #expect(snapshot.hasFailedOver)
    }

    /// Replicas are asked about posts alone.
    @Test func readsAreExcusedAlthoughPostsAreNot() {
        let device = book.device()
        let token = book.post()
        book.push(token, to: device)
        book.ledger.readSaid(device, book.entry(token))
        book.ledger.readAcknowledged(device, book.entry(token))
        book.ledger.faultEnded(book.fault(.failedOver(.seconds(1), isPostSafe: true)))
        let notification = book.ledger.snapshot().users[0][0]
        #expect(notification.excuse == nil && notification.readExcuse == 0)
    }

    /// The first try was stored and pushed, and nobody confirmed it; the second one was accepted.
    @Test func postThatWasLostBeforeItWasAcceptedMayHaveASecondEntry() {
        let device = book.device()
        let token = book.post(isKeyed: true, isAccepted: false)
        book.push(token, to: device)
        let fault = book.fault(.failedOver(.seconds(1), isPostSafe: true))
        book.pass(.seconds(1))
        book.accept(token, variant: 1)
        book.ledger.faultEnded(fault)
        #expect(book.ledger.findings.isEmpty)
        let notification = book.ledger.snapshot().users[0][0]
        #expect(notification.excuse == nil && notification.copyExcuse == 0)
    }

    // MARK: - Connections

    @Test func connectionsMayBreakDuringFaultsOnly() {
        let device = book.device()
        let closes: [LoadClose] = [
            .lost(LoadError("gone")), .closed(code: 1001, reason: "going away; come back in 200 ms"),
            .refused(status: 503, retryAfterSeconds: 1), .closed(code: 1013, reason: "too slow"),
        ]
        let fault = book.fault()
        for close in closes {
            book.lose(device, close)
            book.connect(device)
        }
        book.ledger.faultEnded(fault)
        #expect(book.ledger.findings.isEmpty)
        book.pass(.seconds(6))
        for close in closes {
            book.connect(device)
            book.lose(device, close)
        }
        #expect(book.count(.badConnection) == closes.count)
        #expect(book.ledger.counts.connectionsLost == 2 * closes.count)
    }

    /// What a device brings upon itself is right where no fault runs; everything else is not.
    @Test(arguments: [
        (DeviceConduct.asleep, LoadClose.closed(code: 1001, reason: "no answer to two pings"), 0),
        (.asleep, .closed(code: 1013, reason: "too slow"), 0),
        (.asleep, .lost(LoadError("gone")), 0),
        (.asleep, .closed(code: 4429, reason: "too many messages"), 1),
        (.flooding, .closed(code: 4429, reason: "too many messages"), 0),
        (.flooding, .lost(LoadError("gone")), 1),
        (.normal, .closed(code: 4429, reason: "too many messages"), 1),
    ])
    func devicesThatMisbehaveAreSentAway(conduct: DeviceConduct, close: LoadClose, findings: Int) {
        let device = book.device()
        book.ledger.conducts(device, conduct)
        book.lose(device, close)
        #expect(book.count(.badConnection) == findings)
    }

    /// What was said while it slept, a device hears when it wakes.
    @Test(arguments: [(999, 0), (1_001, 1)])
    func whoWakesHearsThatItWasClosed(milliseconds: Int64, findings: Int) {
        let device = book.device()
        book.ledger.conducts(device, .asleep)
        book.pass(.seconds(10))
        book.ledger.conducts(device, .normal)
        book.pass(.milliseconds(milliseconds))
        book.lose(device, .closed(code: 1001, reason: "no answer to two pings"))
        #expect(book.count(.badConnection) == findings)
    }

    @Test func someClosesAreNeverRight() {
        let device = book.device()
        _ = book.fault()
        for code in [UInt16(1002), 1007, 1009, 4429] {
            book.lose(device, .closed(code: code, reason: ""))
            book.connect(device)
        }
        book.lose(device, .violated(LoadError("a masked frame")), isOwnWish: true)
        book.lose(device, .refused(status: 400, retryAfterSeconds: nil))
        #expect(book.count(.badConnection) == 6)
    }
}
