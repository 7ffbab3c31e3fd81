package import CarillonDomain
package import NIOCore

/// Who is subscribed to what, and what follows from it.
///
/// A notification for a topic is owed to the devices of each user whose subscription was confirmed before the post was first sent,
/// until he says that he wants no more. It may come to users of whom it is not certain that they were not subscribed while it was stored;
/// other pods than the one that was told may take as long to hear of it as a delivery may take.
extension Ledger {
    /// A post for a topic is about to be sent for the first time. - Returns: its token.
    package func posted(to topic: Topic, isKeyed: Bool) -> Int {
        let now = clock()
        let token = posts.count
        let index = notifications.count
        posts.append(
            BookedPost(
                users: [],
                topic: topic,
                isKeyed: isKeyed,
                firstNotification: index,
                firstSent: now,
                expires: now + payloadLife,
                triedAt: now
            )
        )
        notifications.append(BookedNotification(post: token, user: nil, original: index))
        counts.posts += 1
        return token
    }

    // MARK: - Subscriptions

    /// A device says that its user wants to hear of these channels, or no more; for the first time or again.
    package func subscribing(_ device: Int, to topics: Set<Topic>, isOn: Bool) {
        let now = clock()
        let user = devices[device].user
        for topic in topics {
            guard var known = users[user].subscriptions[topic] else {
                users[user].subscriptions[topic] = BookedSubscription(
                    isOn: isOn,
                    saidAt: now,
                    saidBy: device,
                    beganAt: now,
                    // Nobody has ever subscribed him.
                    absences: [.init(said: .distantPast, confirmed: .distantPast, end: now)]
                )
                continue
            }
            known.saidBy = device
            if known.isOn != isOn || known.confirmedAt != nil {
                if !known.isOn, let confirmed = known.confirmedAt {
                    known.absences.append(.init(said: known.saidAt, confirmed: confirmed, end: now))
                }
                if known.isOn != isOn { known.beganAt = now }
                known.isOn = isOn
                known.saidAt = now
                known.confirmedAt = nil
            }
            users[user].subscriptions[topic] = known
            if !isOn { oweNoMore(topic, to: user) }
        }
    }

    /// A `subscribe.ack` came.
    package func subscribed(_ device: Int, _ channels: Set<Topic>) {
        let now = clock()
        let user = devices[device].user
        devices[device].channels = channels
        devices[device].toldChannelsAt = now
        for (topic, subscription) in users[user].subscriptions
        where subscription.confirmedAt == nil && subscription.saidBy == device
            && channels.contains(topic) == subscription.isOn
        {
            users[user].subscriptions[topic]?.confirmedAt = now
            counts.subscriptionsChanged += 1
        }
        for topic in channels where users[user].subscriptions[topic] == nil {
            findings.add(.subscription, "device \(device) was told of @\(topic.name), to which nobody subscribed it")
        }
    }

    /// What a user has to say, once or again: what nobody has confirmed, and what a fault may have undone.
    package func unconfirmedSubscriptions(of user: Int) -> [Topic: Bool] {
        guard users.indices.contains(user) else { return [:] }
        return users[user].subscriptions.filter { !isCertain($1) }.mapValues(\.isOn)
    }

    func isCertain(_ subscription: BookedSubscription) -> Bool {
        guard let confirmed = subscription.confirmedAt else { return false }
        let said = subscription.saidAt
        return subscription.isOn
            ? faults.excuse(user: nil, from: said, confirmed: confirmed) == nil
            : !faults.mayHaveUndone(from: said, confirmed: confirmed)
    }

    // MARK: - Copies

    /// What a post is for one user; nil where it is for others.
    func index(of token: Int, user: Int) -> Int? {
        if posts[token].topic == nil {
            return posts[token].users.firstIndex(of: user).map { posts[token].firstNotification + $0 }
        }
        if let index = posts[token].copies[user] { return index }
        let original = posts[token].firstNotification
        notifications.append(BookedNotification(post: token, user: user, original: original))
        posts[token].copies[user] = notifications.count - 1
        return notifications.count - 1
    }

    /// The post for a topic was accepted.
    func oweCopies(_ token: Int) {
        for user in users.indices where users[user].devices > 0 && hasCertainlyHeard(user, token) {
            if let index = index(of: token, user: user) { owe(index) }
        }
    }

    /// Whether the user was subscribed all the time since the post was first sent.
    private func hasCertainlyHeard(_ user: Int, _ token: Int) -> Bool {
        guard let topic = posts[token].topic, topic != .everybody else { return true }
        guard let subscription = users[user].subscriptions[topic], subscription.isOn, isCertain(subscription) else {
            return false
        }
        return subscription.confirmedAt.map { $0 <= posts[token].firstSent } ?? false
    }

    /// Whether nobody can say that the notification is not the user's.
    func isCertainlyHis(_ index: Int) -> Bool {
        notifications[index].user.map { hasCertainlyHeard($0, notifications[index].post) } ?? true
    }

    private func oweNoMore(_ topic: Topic, to user: Int) {
        for index in doubtful + owing[firstOwing...]
        where notifications[index].user == user && posts[notifications[index].post].topic == topic {
            counts.unsubscribed += notifications[index].owed.nonzeroBitCount
            notifications[index].owed = 0
        }
    }

    // MARK: - Pushes

    /// A push of a topic came to a device: whether its user may hear it.
    func checkSubscription(_ device: Int, _ index: Int, _ topic: Topic) {
        guard topic != .everybody else { return }
        let now = clock()
        let post = posts[notifications[index].post]
        guard let subscription = users[devices[device].user].subscriptions[topic] else {
            findings.add(.subscription, "\(describe(index)) reached device \(device), and the user never subscribed")
            return
        }
        let end = post.acceptedAt ?? now
        let isAbsent = absences(subscription).contains { absence in
            guard end < absence.end, let due = faults.due(from: absence.confirmed, base: absence.confirmed) else {
                return false
            }
            return due < post.firstSent
        }
        if isAbsent {
            findings.add(
                .subscription,
                "\(describe(index)) reached device \(device), stored while the user was not subscribed"
            )
        }
        guard !subscription.isOn else { return }
        if devices[device].toldChannelsAt >= subscription.saidAt, devices[device].channels?.contains(topic) == false {
            findings.add(
                .subscription,
                "\(describe(index)) reached device \(device) \(seconds(now - devices[device].toldChannelsAt)) after it was told that "
                    + "the user is not subscribed any more"
            )
        }
        checkEnd(device, index, subscription)
    }

    /// Devices on other pods may hear a little longer, as long as a delivery may take.
    private func checkEnd(_ device: Int, _ index: Int, _ subscription: BookedSubscription) {
        let now = clock()
        guard let confirmed = subscription.confirmedAt, isCertain(subscription), devices[device].conduct != .asleep,
            let due = faults.due(from: confirmed, base: max(confirmed, devices[device].awokeAt)), now > due
        else { return }
        findings.add(
            .subscription,
            "\(describe(index)) reached device \(device) \(seconds(now - confirmed)) after the user had unsubscribed"
        )
    }

    /// The times in which a user certainly was not subscribed.
    private func absences(_ subscription: BookedSubscription) -> [BookedSubscription.Absence] {
        var absences = subscription.absences
        if !subscription.isOn, let confirmed = subscription.confirmedAt {
            absences.append(.init(said: subscription.saidAt, confirmed: confirmed, end: .distantFuture))
        }
        return absences.filter { !faults.mayHaveUndone(from: $0.said, confirmed: $0.confirmed) }
    }
}
