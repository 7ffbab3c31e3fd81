package import CarillonDomain

/// What a fleet does.
package struct FleetPlan: Sendable {
    package var users: Int
    package var devicesPerUser: ClosedRange<Int>
    package var postsPerSecond: Double
    /// Connections that post, spread over the pods.
    package var posters: Int
    /// Posts with an Idempotency-Key; repeated with the same key until answered for good.
    package var keyedShare: Double
    /// Of the keyed: sent to two pods at the same moment.
    package var racedShare: Double
    /// Posts to 2 to 10 users at once.
    package var manyTargetsShare: Double
    /// Posts to a hundred users, or to all where there are fewer.
    package var crowdShare: Double
    /// Posts for a topic, and of these the ones for everybody; the others are for a channel.
    package var topicShare: Double
    package var everybodyShare: Double
    package var channels: [Topic]
    /// Users who subscribe, each to some of the channels.
    package var subscriberShare: Double
    /// How often one of them changes his mind about a channel.
    package var resubscribeEvery: Duration?
    /// Pushes that the device reads, after 0 to 300 ms.
    package var readShare: Double
    /// How often a random device leaves its pod and goes to another one, by a close or by dropping the connection.
    package var moveEvery: Duration?
    /// Reconnects without `since` and `epoch`.
    package var fullReplayShare: Double

    package init(
        users: Int,
        devicesPerUser: ClosedRange<Int> = 1...3,
        postsPerSecond: Double,
        posters: Int = 32,
        keyedShare: Double = 0.3,
        racedShare: Double = 0.2,
        manyTargetsShare: Double = 0.1,
        crowdShare: Double = 0,
        topicShare: Double = 0,
        everybodyShare: Double = 0.2,
        channels: Int = 4,
        subscriberShare: Double = 0.5,
        resubscribeEvery: Duration? = nil,
        readShare: Double = 0.5,
        moveEvery: Duration? = nil,
        fullReplayShare: Double = 0.2
    ) {
        self.users = users
        self.devicesPerUser = devicesPerUser
        self.postsPerSecond = postsPerSecond
        self.posters = posters
        self.keyedShare = keyedShare
        self.racedShare = racedShare
        self.manyTargetsShare = manyTargetsShare
        self.crowdShare = crowdShare
        self.topicShare = topicShare
        self.everybodyShare = everybodyShare
        self.channels = (0..<channels).map { Topic(stored: "channel\($0 + 1)") }
        self.subscriberShare = subscriberShare
        self.resubscribeEvery = resubscribeEvery
        self.readShare = readShare
        self.moveEvery = moveEvery
        self.fullReplayShare = fullReplayShare
    }
}

/// The user of an index: id 1 and login `user1` for index 0.
package struct FleetUser: Sendable {
    package let id: Int
    package let login: String

    package init(index: Int) {
        id = index + 1
        login = "user\(index + 1)"
    }

    /// The user's part of Redis keys.
    package var key: String { "\(id)-\(login)" }
    package var json: String { "{\"id\":\(id),\"login\":\"\(login)\"}" }
}
