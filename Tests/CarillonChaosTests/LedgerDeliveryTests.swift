import CarillonChaos
import CarillonDomain
import CarillonLoad
import NIOCore
import Testing

/// What is owed to devices, and what they may be given.
@Suite struct LedgerDeliveryTests {
    let book = Book()

    @Test func deliveredEverywhereIsNoFinding() {
        let devices = [book.device(), book.device()]
        let token = book.post()
        #expect(!book.ledger.isSettled)
        for device in devices {
            let isNew = book.push(token, to: device)
            #expect(isNew)
        }
        #expect(book.ledger.isSettled)
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.findings.isEmpty && snapshot.lost.isEmpty)
        #expect(snapshot.counts.accepted == 1 && snapshot.counts.delivered == 2)
    }

    @Test func whatNeverComesIsLost() {
        let device = book.device()
        let other = book.device()
        let token = book.post()
        book.push(token, to: device)
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.lost == [0])
        #expect(snapshot.findings.count(.notDelivered) == 1)
        _ = other
    }

    @Test func pushBeforeTheAnswerCounts() {
        let device = book.device()
        let token = book.post(isAccepted: false)
        book.push(token, to: device)
        book.accept(token)
        #expect(book.ledger.isSettled)
        #expect(book.ledger.snapshot().findings.isEmpty)
    }

    @Test func nothingIsOwedToDevicesThatCameLater() {
        book.post()
        _ = book.device()
        #expect(book.ledger.isSettled)
    }

    @Test func deviceThatIsAwayIsOwedUntilItIsBack() {
        let device = book.device()
        book.lose(device, .dropped, isOwnWish: true)
        let token = book.post()
        #expect(!book.ledger.isSettled)
        book.pass(.milliseconds(200))
        book.ledger.connecting(device)
        book.push(token, to: device)
        book.ledger.ready(device)
        #expect(book.ledger.isSettled)
        #expect(book.ledger.snapshot().findings.isEmpty)
    }

    @Test func unknownOutcomeIsOwedToNobodyAndMayStillCome() {
        let device = book.device()
        let lostOnes = [book.post(isAccepted: false), book.post(isAccepted: false)]
        for token in lostOnes { book.ledger.gaveUp(token, mayBeStored: true) }
        book.push(lostOnes[1], to: device)
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.findings.isEmpty)
        #expect(snapshot.counts.unknown == 2)
    }

    @Test func pushOfWhatNobodyPosted() {
        let device = book.device()
        book.push(7, to: device)
        book.ledger.pushed(device, token: nil, entry: book.entry(8), status: .unread)
        #expect(book.count(.unexpected) == 2)
    }

    @Test func pushToAnotherUser() {
        let stranger = book.device(user: 1)
        let token = book.post(to: [0])
        book.push(token, to: stranger)
        #expect(book.count(.unexpected) == 1)
    }

    @Test(arguments: [true, false])
    func pushOfWhatWasRefused(comesFirst: Bool) {
        let device = book.device()
        let token = book.post(isAccepted: false)
        if comesFirst { book.push(token, to: device) }
        book.ledger.gaveUp(token, mayBeStored: false)
        if !comesFirst { book.push(token, to: device) }
        #expect(book.count(.unexpected) == 1)
    }

    @Test func repeatOnAConnection() {
        let device = book.device()
        let tokens = [book.post(), book.post()]
        for token in tokens { book.push(token, to: device) }
        book.push(tokens[0], to: device)
        #expect(book.count(.repeated) == 1 && book.count(.disordered) == 0)
    }

    @Test func repeatOnTheNextConnectionIsRight() {
        let device = book.device()
        let token = book.post()
        book.push(token, to: device)
        book.lose(device, .dropped, isOwnWish: true)
        book.ledger.connecting(device)
        let isNew = book.push(token, to: device)
        #expect(!isNew && book.ledger.findings.isEmpty)
        #expect(book.ledger.counts.deliveredAgain == 1)
    }

    @Test func disorder() {
        let device = book.device()
        let tokens = [book.post(), book.post(), book.post()]
        for token in [tokens[0], tokens[2], tokens[1]] { book.push(token, to: device) }
        #expect(book.count(.disordered) == 1 && book.count(.repeated) == 0)
        book.push(tokens[1], to: device)
        #expect(book.count(.repeated) == 1)
    }

    @Test func secondEntryOfOneNotification() {
        let device = book.device()
        let token = book.post()
        book.push(token, to: device)
        book.ledger.pushed(device, token: token, entry: book.entry(token, sequence: 1), status: .unread)
        #expect(book.count(.storedTwice) == 1)
    }

    @Test func keyedPostWithTwoIDs() {
        _ = book.device()
        let token = book.post(isKeyed: true)
        book.accept(token)
        #expect(book.count(.storedTwice) == 0)
        book.accept(token, variant: 1)
        #expect(book.count(.storedTwice) == 1)
        #expect(book.ledger.counts.accepted == 1)
    }

    @Test func pushUnderAnotherIDThanTheAnswers() {
        let device = book.device()
        let token = book.post()
        book.ledger.pushed(device, token: token, entry: book.entry(token, variant: 1), status: .unread)
        #expect(book.count(.storedTwice) == 1)
    }

    @Test func oneIDForTwoNotifications() {
        _ = book.device()
        let first = book.post()
        let second = book.post(isAccepted: false)
        book.ledger.accepted(second, ids: [book.entry(first).id], tried: book.now)
        #expect(book.count(.unexpected) == 1)
    }

    @Test func clearingBeforeThePayloadsEnd() {
        let book = Book(payloadLife: .seconds(10))
        let device = book.device()
        let early = book.post()
        book.ledger.pushed(device, token: nil, entry: book.entry(early), status: .autoCleared)
        #expect(book.count(.payloadLost) == 1)
        let late = book.post()
        book.pass(.seconds(11))
        book.ledger.pushed(device, token: nil, entry: book.entry(late), status: .autoCleared)
        book.ledger.autoCleared(0, book.entry(late))
        #expect(book.count(.payloadLost) == 1)
        book.ledger.pushed(device, token: nil, entry: book.entry(90), status: .autoCleared)
        #expect(book.count(.payloadLost) == 2)
    }

    /// What was posted before the life of payloads was changed keeps its own.
    @Test func livesOfPayloadsMayChange() {
        let book = Book(payloadLife: .seconds(10))
        let device = book.device()
        let early = book.post()
        book.ledger.payloadLife = .seconds(100)
        let late = book.post()
        book.pass(.seconds(11))
        book.ledger.pushed(device, token: nil, entry: book.entry(early), status: .autoCleared)
        #expect(book.count(.payloadLost) == 0)
        book.ledger.pushed(device, token: nil, entry: book.entry(late), status: .autoCleared)
        #expect(book.count(.payloadLost) == 1)
    }

    @Test func fullReplayMayLeaveOutWhatIsReadAndOld() {
        let devices = [book.device(), book.device()]
        book.lose(devices[0], .dropped, isOwnWish: true)
        let tokens = (0..<102).map { _ in book.post() }
        for token in tokens { book.push(token, to: devices[1]) }
        book.ledger.readSaid(0, book.entry(tokens[0]))
        book.ledger.connecting(devices[0])
        for token in tokens[2...] { book.push(token, to: devices[0]) }
        book.ledger.ready(devices[0])
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.counts.leftOut == 1)
        #expect(snapshot.findings.count(.notDelivered) == 1, "the second one was unread")
        #expect(snapshot.lost == [1])
    }
}
