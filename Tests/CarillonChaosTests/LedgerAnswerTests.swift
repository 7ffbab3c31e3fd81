import CarillonChaos
import CarillonLoad
import NIOCore
import Testing

/// Answers to posts and reads.
@Suite struct LedgerAnswerTests {
    let book = Book()

    private func refuse(_ status: Int, retryAfter: Int? = 1, isKeyed: Bool = false) -> Bool {
        let token = book.post(isKeyed: isKeyed, isAccepted: false)
        return book.ledger.refused(token, status: status, retryAfterSeconds: retryAfter, tried: book.now)
    }

    @Test func unavailableIsRightDuringFaultsOnly() {
        let fault = book.fault()
        let mayBeStored = refuse(503)
        #expect(mayBeStored && book.count(.badAnswer) == 0)
        _ = refuse(503, retryAfter: nil)
        #expect(book.count(.badAnswer) == 1, "Retry-After is missing")
        book.ledger.faultEnded(fault)
        book.pass(.milliseconds(4_900))
        _ = refuse(503)
        #expect(book.count(.badAnswer) == 1)
        book.pass(.milliseconds(200))
        _ = refuse(503)
        #expect(book.count(.badAnswer) == 2)
        #expect(book.ledger.counts.refused == 4)
    }

    @Test(arguments: [400, 404, 422, 500, 502])
    func otherErrorsAreNeverRight(status: Int) {
        _ = book.fault()
        let mayBeStored = refuse(status)
        #expect(mayBeStored == (status >= 500))
        #expect(book.count(.badAnswer) == 1)
    }

    @Test func runningIsRightForKeyedPosts() {
        let mayBeStored = refuse(409, isKeyed: true)
        #expect(mayBeStored && book.count(.badAnswer) == 0)
        _ = refuse(409, isKeyed: false)
        #expect(book.count(.badAnswer) == 1)
    }

    @Test func answersMayBeLostDuringFaultsOnly() {
        let token = book.post(isAccepted: false)
        let tried = book.now
        book.ledger.unanswered(token, LoadError("gone"), sent: true, tried: tried)
        #expect(book.count(.badAnswer) == 1)
        let fault = book.fault()
        book.pass(.seconds(10))
        book.ledger.faultEnded(fault)
        book.ledger.unanswered(token, LoadError("gone"), sent: true, tried: tried)
        #expect(book.count(.badAnswer) == 1)
    }

    @Test func answerWithTooFewIDs() {
        let token = book.post(to: [0, 1], isAccepted: false)
        book.accept(token, targets: 1)
        #expect(book.count(.badAnswer) == 1)
    }

    @Test func readIsAcknowledged() {
        let device = book.device()
        let token = book.post()
        book.push(token, to: device)
        book.ledger.readSaid(0, book.entry(token))
        book.ledger.readAcknowledged(0, book.entry(token))
        book.ledger.readAcknowledged(0, book.entry(token))
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.findings.isEmpty)
        #expect(snapshot.counts.readsSaid == 1 && snapshot.counts.readsAcknowledged == 1)
        #expect(snapshot.users[0][0].isReadAcknowledged)
    }

    @Test func pushThatShowsTheReadAcknowledgesIt() {
        let devices = [book.device(), book.device()]
        let token = book.post()
        book.push(token, to: devices[0])
        book.ledger.readSaid(0, book.entry(token))
        book.push(token, to: devices[1], status: .read)
        #expect(book.ledger.snapshot().findings.isEmpty)
    }

    @Test func readThatIsNotAnswered() {
        let device = book.device()
        let token = book.post()
        book.push(token, to: device)
        book.ledger.readSaid(0, book.entry(token))
        #expect(book.ledger.snapshot().findings.count(.readUnanswered) == 1)
    }

    @Test func readThatNobodySaid() {
        let device = book.device()
        let token = book.post()
        book.push(token, to: device, status: .read)
        book.ledger.readAcknowledged(0, book.entry(token))
        #expect(book.count(.unexpected) == 2)
    }

    @Test(arguments: ["not_found", "gone"])
    func readThatIsRefused(code: String) {
        let device = book.device()
        let token = book.post()
        book.push(token, to: device)
        book.ledger.readSaid(0, book.entry(token))
        let error = LoadErrorFrame(code: code, detail: "", entry: book.entry(token))
        let again = book.ledger.readRefused(device, error)
        #expect(!again && book.count(.readLost) == 1)
    }

    @Test func refusalOfAReadIsExcusedAfterAWipe() {
        let device = book.device()
        let token = book.post()
        book.push(token, to: device)
        book.ledger.readSaid(0, book.entry(token))
        book.ledger.faultEnded(book.fault(.wiped(users: nil)))
        book.ledger.readRefused(device, LoadErrorFrame(code: "not_found", detail: "", entry: book.entry(token)))
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.findings.isEmpty)
        #expect(snapshot.users[0][0].readExcuse == 0)
    }

    @Test func unavailableReadIsSaidAgain() {
        let device = book.device()
        let error = LoadErrorFrame(code: "unavailable", detail: "", entry: nil)
        let fault = book.fault()
        let again = book.ledger.readRefused(device, error)
        #expect(again && book.ledger.findings.isEmpty)
        book.ledger.faultEnded(fault)
        book.pass(.seconds(6))
        book.ledger.readRefused(device, error)
        #expect(book.count(.badAnswer) == 1)
    }

    @Test func brokenFrameIsAFinding() {
        let device = book.device()
        book.ledger.readRefused(device, LoadErrorFrame(code: "malformed_json", detail: "", entry: nil))
        #expect(book.count(.badAnswer) == 1)
    }
}
