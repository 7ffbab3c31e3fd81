import CarillonChaos
import CarillonDomain
import CarillonLoad
import NIOCore
import Testing

/// What topics owe to whom, and to whom they must not come.
@Suite struct LedgerTopicTests {
    let book = Book()
    let orders = Topic(stored: "orders")
    let news = Topic(stored: "news")

    @Test func everyDeviceOfEverySubscriberIsOwed() {
        let devices = [book.device(), book.device(), book.device(user: 1)]
        _ = book.device(user: 2)
        book.subscribe(devices[0], [orders])
        book.subscribe(devices[2], [orders])
        let token = book.post(to: orders)
        for device in devices.dropLast() { book.push(token, of: orders, to: device) }
        #expect(!book.ledger.isSettled)
        let isNew = book.push(token, of: orders, to: devices[2])
        #expect(isNew && book.ledger.isSettled)
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.findings.isEmpty && snapshot.lost.isEmpty)
        #expect(snapshot.counts.topicsAccepted == 1 && snapshot.counts.topicsDelivered == 3)
    }

    @Test func everybodysIsOwedToAll() {
        let devices = [book.device(), book.device(user: 1)]
        let token = book.post(to: .everybody)
        book.push(token, of: .everybody, to: devices[0])
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.findings.count(.notDelivered) == 1 && snapshot.lost.count == 1)
    }

    @Test func nothingIsOwedBeforeTheSubscriptionIsConfirmed() {
        let device = book.device()
        book.subscribe(device, [orders], isTold: false)
        let early = book.post(to: orders)
        book.ledger.subscribed(device, [orders])
        #expect(book.ledger.isSettled)
        // It may have been stored after the subscription.
        book.push(early, of: orders, to: device)
        #expect(book.ledger.snapshot().findings.isEmpty)
    }

    @Test func otherNewsConfirmsNothing() {
        let device = book.device()
        book.subscribe(device, [orders], told: [])
        #expect(book.ledger.unconfirmedSubscriptions(of: 0) == [orders: true])
        book.ledger.subscribed(device, [orders])
        #expect(book.ledger.unconfirmedSubscriptions(of: 0).isEmpty)
        book.ledger.subscribed(device, [orders, news])
        #expect(book.count(.subscription) == 1, "nobody subscribed to news")
    }

    @Test func whatWasStoredWithoutSubscriptionMayNotCome() {
        let device = book.device()
        let stranger = book.device(user: 1)
        let early = book.post(to: orders)
        book.pass(.milliseconds(1))
        book.subscribe(device, [orders])
        book.push(early, of: orders, to: device)
        book.push(early, of: orders, to: stranger)
        #expect(book.count(.subscription) == 2)
    }

    @Test func whoUnsubscribesIsOwedNothing() {
        let device = book.device()
        book.subscribe(device, [orders])
        let token = book.post(to: orders)
        book.subscribe(device, [orders], isOn: false, isTold: false)
        #expect(book.ledger.isSettled)
        // Until it is confirmed it may come.
        book.push(token, of: orders, to: device)
        book.ledger.subscribed(device, [])
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.findings.isEmpty && snapshot.counts.unsubscribed == 1)
    }

    @Test func nothingComesToWhoWasToldThatItIsOver() {
        let devices = [book.device(), book.device()]
        book.subscribe(devices[0], [orders])
        let token = book.post(to: orders)
        book.subscribe(devices[0], [orders], isOn: false)
        book.push(token, of: orders, to: devices[0])
        #expect(book.count(.subscription) == 1)
        // The other one may hear of it a little later.
        book.pass(.seconds(1))
        book.push(token, of: orders, to: devices[1])
        #expect(book.count(.subscription) == 1)
        book.pass(.milliseconds(1))
        let device = book.device()
        book.push(token, of: orders, to: device)
        #expect(book.count(.subscription) == 2)
    }

    @Test func lateAndDisorderedAndRepeated() {
        let device = book.device()
        book.subscribe(device, [orders, news])
        let tokens = [book.post(to: orders), book.post(to: news), book.post(to: orders), book.post(to: orders)]
        book.push(tokens[2], of: orders, to: device)
        // Streams have orders of their own.
        book.push(tokens[1], of: news, to: device)
        #expect(book.ledger.findings.isEmpty)
        book.push(tokens[0], of: orders, to: device)
        book.push(tokens[0], of: orders, to: device)
        #expect(book.count(.disordered) == 1 && book.count(.repeated) == 1)
        book.pass(.milliseconds(1_001))
        book.push(tokens[3], of: orders, to: device)
        #expect(book.count(.late) == 1)
    }

    @Test func pushOfAnotherTopic() {
        let device = book.device()
        book.subscribe(device, [orders, news])
        book.push(book.post(to: orders), of: news, to: device)
        #expect(book.count(.unexpected) == 1)
    }

    @Test func topicsNotificationHasOneIDForAll() {
        let devices = [book.device(), book.device(user: 1)]
        let token = book.post(to: .everybody)
        book.push(token, of: .everybody, to: devices[0])
        let other = LoadEntry(
            id: book.entry(token, variant: 1).id,
            streamID: book.entry(token).streamID,
            topic: .everybody
        )
        book.ledger.pushed(devices[1], token: token, entry: other, status: .unread)
        #expect(book.count(.storedTwice) == 1)
    }

    @Test func readsAreOfOneUser() {
        let devices = [book.device(), book.device(user: 1)]
        let token = book.post(to: .everybody)
        for device in devices { book.push(token, of: .everybody, to: device) }
        book.ledger.readSaid(devices[0], book.entry(token, of: .everybody))
        book.ledger.readAcknowledged(devices[0], book.entry(token, of: .everybody))
        #expect(book.ledger.findings.isEmpty)
        book.ledger.readAcknowledged(devices[1], book.entry(token, of: .everybody))
        #expect(book.count(.unexpected) == 1)
        let snapshot = book.ledger.snapshot()
        #expect(snapshot.listeners.map(\.reads.count) == [1, 0])
    }

    @Test func faultThatMayTakeASubscriptionMakesItUncertain() {
        let device = book.device()
        book.subscribe(device, [orders])
        book.pass(.seconds(10))
        book.subscribe(device, [news], told: [orders, news])
        let fault = book.fault(.unsynced(.seconds(2)))
        #expect(book.ledger.unconfirmedSubscriptions(of: 0) == [news: true])
        book.ledger.faultEnded(fault)
        book.post(to: news)
        #expect(book.ledger.isSettled, "it is owed to nobody")
        book.pass(.milliseconds(1))
        book.subscribe(device, [news], told: [orders, news])
        #expect(book.ledger.unconfirmedSubscriptions(of: 0).isEmpty)
        book.post(to: news)
        #expect(!book.ledger.isSettled)
    }

    @Test func faultMayBringASubscriptionBack() {
        let device = book.device()
        book.subscribe(device, [orders])
        book.pass(.seconds(10))
        book.subscribe(device, [orders], isOn: false)
        let wipe = book.fault(.wiped(users: nil))
        book.ledger.faultEnded(wipe)
        #expect(book.ledger.unconfirmedSubscriptions(of: 0).isEmpty, "what is wiped does not come back")
        book.ledger.faultEnded(book.fault(.unsynced(.seconds(2))))
        #expect(book.ledger.unconfirmedSubscriptions(of: 0) == [orders: false])
        book.pass(.seconds(6))
        book.ledger.connecting(device)
        book.push(book.post(to: orders), of: orders, to: device)
        #expect(book.count(.subscription) == 0)
    }

    @Test func snapshotSaysWhereASubscriptionBegins() throws {
        let device = book.device()
        let before = book.post(to: orders)
        book.pass(.milliseconds(1))
        book.ledger.pushed(book.device(user: 1), token: before, entry: book.entry(before, of: orders), status: .unread)
        book.subscribe(device, [orders])
        let after = book.post(to: orders)
        book.push(after, of: orders, to: device)
        let known = try #require(book.ledger.snapshot().listeners[0].subscriptions[orders])
        #expect(known.isOn)
        #expect(known.last == book.entry(before).streamID && known.first == book.entry(after).streamID)
    }

    /// After a wipe a subscription begins at nothing, whatever was there before.
    @Test func snapshotForgetsWhatWasWiped() throws {
        let devices = [book.device(), book.device(user: 1)]
        book.subscribe(devices[1], [orders])
        book.push(book.post(to: orders), of: orders, to: devices[1])
        book.pass(.milliseconds(1))
        book.subscribe(devices[0], [orders])
        book.ledger.faultEnded(book.fault(.wiped(users: nil)))
        book.pass(.milliseconds(1))
        book.subscribe(devices[0], [orders])
        let known = try #require(book.ledger.snapshot().listeners[0].subscriptions[orders])
        #expect(known.last == .zero)
    }
}
