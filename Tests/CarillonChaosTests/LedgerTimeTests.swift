import CarillonChaos
import CarillonLoad
import NIOCore
import Testing

/// When things are due, with and without faults.
@Suite struct LedgerTimeTests {
    let book = Book()

    @Test(arguments: [(999, 0), (1_001, 1)])
    func deliveryIsDueAfterASecond(milliseconds: Int64, late: Int) {
        let device = book.device()
        let token = book.post()
        book.pass(.milliseconds(milliseconds))
        book.push(token, to: device)
        #expect(book.count(.late) == late)
    }

    /// Due counts from the attempt that succeeded, not from the loss.
    @Test(arguments: [(900, 0), (1_100, 1)])
    func deliveryIsDueAfterTheNextConnect(milliseconds: Int64, late: Int) {
        let device = book.device()
        book.lose(device, .dropped, isOwnWish: true, pause: .seconds(3))
        let token = book.post()
        book.pass(.seconds(3))
        book.ledger.connecting(device)
        book.ledger.ready(device)
        book.pass(.milliseconds(milliseconds))
        book.push(token, to: device)
        #expect(book.count(.late) == late)
    }

    @Test(arguments: [(4_900, 0), (5_100, 1)])
    func deliveryIsDueFiveSecondsAfterAFault(milliseconds: Int64, late: Int) {
        let device = book.device()
        let fault = book.fault()
        let token = book.post()
        book.pass(.seconds(20))
        book.ledger.faultEnded(fault)
        book.pass(.milliseconds(milliseconds))
        book.push(token, to: device)
        #expect(book.count(.late) == late)
    }

    /// A post in the time that a fault leaves for recovering has what is left of it, and a second at least.
    @Test(arguments: [(1_500, 0), (2_500, 1)])
    func deliveryAfterAFaultHasTheRestOfItsTime(milliseconds: Int64, late: Int) {
        let device = book.device()
        book.ledger.faultEnded(book.fault())
        book.pass(.seconds(3))
        let token = book.post()
        book.pass(.milliseconds(milliseconds))
        book.push(token, to: device)
        #expect(book.count(.late) == late)
    }

    @Test func overlappingFaultsExtendOneAnother() {
        let device = book.device()
        let first = book.fault()
        let token = book.post()
        book.pass(.seconds(1))
        book.ledger.faultEnded(first)
        book.pass(.seconds(4))
        let second = book.fault()
        book.pass(.seconds(10))
        book.ledger.faultEnded(second)
        book.pass(.milliseconds(4_900))
        book.push(token, to: device)
        #expect(book.count(.late) == 0)
    }

    @Test func laterFaultExtendsNothing() {
        let device = book.device()
        let token = book.post()
        book.pass(.milliseconds(1_500))
        let fault = book.fault()
        book.push(token, to: device)
        book.ledger.faultEnded(fault)
        #expect(book.count(.late) == 1)
    }

    @Test(arguments: [(4_900, 0), (5_100, 1)])
    func deviceIsDueFiveSecondsAfterAFault(milliseconds: Int64, late: Int) {
        let device = book.device()
        let fault = book.fault()
        book.lose(device)
        book.pass(.seconds(2))
        book.ledger.faultEnded(fault)
        book.pass(.milliseconds(milliseconds))
        book.connect(device)
        #expect(book.count(.late) == late)
    }

    @Test(arguments: [(1_100, 0), (1_400, 1)])
    func deviceThatMovedIsDueASecondAfterItsPause(milliseconds: Int64, late: Int) {
        let device = book.device()
        book.lose(device, .dropped, isOwnWish: true, pause: .milliseconds(300))
        book.pass(.milliseconds(milliseconds))
        book.connect(device)
        #expect(book.count(.late) == late)
    }

    @Test func deviceThatStaysAway() {
        let device = book.device()
        book.lose(device, .dropped, isOwnWish: true)
        #expect(book.ledger.snapshot().findings.count(.notBack) == 1)
    }

    @Test func recoveryWaitsForDeliveries() throws {
        let device = book.device()
        let fault = book.fault()
        let before = book.post()
        book.pass(.seconds(1))
        book.ledger.faultEnded(fault)
        book.pass(.milliseconds(300))
        let after = book.post()
        book.pass(.milliseconds(400))
        book.push(before, to: device)
        book.pass(.milliseconds(100))
        book.push(after, to: device)
        let record = try #require(book.ledger.snapshot().faults.first)
        #expect(record.length == .seconds(1))
        #expect(record.timeToRecover == .milliseconds(700))
        #expect(record.latency.count == 2)
        #expect(record.latency.max == .milliseconds(1_700))
    }

    @Test func recoveryWaitsForDevices() throws {
        let device = book.device()
        let fault = book.fault()
        book.lose(device)
        book.ledger.faultEnded(fault)
        book.pass(.milliseconds(250))
        book.connect(device)
        #expect(try #require(book.ledger.snapshot().faults.first).timeToRecover == .milliseconds(250))
    }

    @Test func recoveryWaitsForNobodyWhoMoves() throws {
        let device = book.device()
        book.lose(device, .dropped, isOwnWish: true)
        book.ledger.faultEnded(book.fault())
        #expect(try #require(book.ledger.snapshot().faults.first).timeToRecover == .zero)
    }

    @Test func latencyIsKeptApart() {
        let device = book.device()
        let quiet = book.post()
        book.pass(.milliseconds(10))
        book.push(quiet, to: device)
        let fault = book.fault()
        let troubled = book.post()
        book.pass(.milliseconds(500))
        book.push(troubled, to: device)
        book.ledger.faultEnded(fault)
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.deliveries.quiet.count == 1 && snapshot.deliveries.quiet.max == .milliseconds(10))
        #expect(snapshot.deliveries.troubled.count == 1 && snapshot.deliveries.troubled.max == .milliseconds(500))
    }

    /// A device that sleeps hears nothing in time, and is due from when it wakes.
    @Test(arguments: [(900, 0), (1_100, 1)])
    func deliveryIsDueAfterTheWakening(milliseconds: Int64, late: Int) {
        let device = book.device()
        book.ledger.conducts(device, .asleep)
        let early = book.post()
        let token = book.post()
        book.pass(.seconds(30))
        book.push(early, to: device)
        book.ledger.conducts(device, .normal)
        book.pass(.milliseconds(milliseconds))
        book.push(token, to: device)
        #expect(book.count(.late) == late)
        let quiet = book.ledger.snapshot().deliveries.quiet
        #expect(quiet.count == 1 && quiet.max == .milliseconds(milliseconds))
    }

    @Test func answersAreTimedFromTheTryThatWasAccepted() throws {
        let quiet = book.post(isAccepted: false)
        let tried = book.now
        book.pass(.milliseconds(20))
        book.accept(quiet, tried: tried)
        let fault = book.fault()
        let repeated = book.post(isAccepted: false)
        book.pass(.seconds(2))
        let again = book.now
        book.pass(.milliseconds(300))
        book.accept(repeated, tried: again)
        book.pass(.seconds(1))
        // The same answer once more, of a raced try.
        book.accept(repeated, tried: again)
        book.ledger.faultEnded(fault)
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.answers.quiet.count == 1 && snapshot.answers.quiet.max == .milliseconds(20))
        #expect(snapshot.answers.troubled.count == 1 && snapshot.answers.troubled.max == .milliseconds(300))
        let record = try #require(snapshot.faults.first)
        #expect(record.answers.count == 1 && record.answers.max == .milliseconds(300))
    }
}
