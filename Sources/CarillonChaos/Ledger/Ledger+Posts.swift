package import CarillonLoad
package import NIOCore

/// What is posted and how it is answered.
extension Ledger {
    /// A post is about to be sent for the first time. - Returns: its token.
    package func posted(to targets: [Int], isKeyed: Bool) -> Int {
        let now = clock()
        for user in targets where user >= users.count {
            users += [BookedUser](repeating: BookedUser(), count: user + 1 - users.count)
        }
        posts.append(
            BookedPost(
                users: targets,
                topic: nil,
                isKeyed: isKeyed,
                firstNotification: notifications.count,
                firstSent: now,
                expires: now + payloadLife,
                triedAt: now
            )
        )
        let token = posts.count - 1
        for user in targets {
            notifications.append(BookedNotification(post: token, user: user, original: notifications.count))
        }
        counts.posts += 1
        return token
    }

    /// A post was due, and there was no connection to send it.
    package func skippedPost() { counts.postsSkipped += 1 }

    /// The post is sent, for the first time or again. - Returns: the time of this try, to be given back with its answer.
    package func tried(_ token: Int) -> NIODeadline {
        let now = clock()
        if posts[token].outcome == .pending { posts[token].triedAt = now }
        return now
    }

    /// A 202 came. A keyed post may be answered so several times, with the same ids each time.
    ///
    /// - Parameter ids: One for each target, in order, or that of a topic's notification.
    package func accepted(_ token: Int, ids: [LoadUUID], tried: NIODeadline) {
        let range = notificationRange(token)
        guard ids.count == range.count else {
            findings.add(.badAnswer, "post \(token) of \(range.count) notifications was answered with \(ids.count) ids")
            return
        }
        let isFirst = posts[token].outcome != .accepted
        if isFirst {
            posts[token].outcome = .accepted
            posts[token].triedAt = tried
            let now = clock()
            posts[token].acceptedAt = now
            counts.accepted += range.count
            if posts[token].topic != nil { counts.topicsAccepted += 1 }
            answers.record(now - tried, isTroubled: faults.record(from: tried, to: now, in: \.answers))
        }
        for (offset, id) in ids.enumerated() {
            let index = range.lowerBound + offset
            name(index, id)
            guard isFirst else { continue }
            if posts[token].topic == nil { owe(index) } else { oweCopies(token) }
        }
        settle()
    }

    func owe(_ index: Int) {
        let notification = notifications[index]
        guard let user = notification.user else { return }
        let owed = users[user].wereLive & ~notification.delivered
        guard owed != 0 else { return }
        notifications[index].owed = owed
        owing.append(index)
    }

    /// Another answer than 202 came.
    ///
    /// - Returns: whether the post may be stored all the same, and repeating it makes sense.
    @discardableResult
    package func refused(_ token: Int, status: Int, retryAfterSeconds: Int?, tried: NIODeadline) -> Bool {
        let post = posts[token]
        switch status {
        case 503:
            counts.refused += 1
            if retryAfterSeconds == nil { findings.add(.badAnswer, "post \(token): 503 without Retry-After") }
            if !faults.touches(from: tried, to: clock()) {
                findings.add(.badAnswer, "post \(token): 503 where no fault ran")
            }
            return true
        case 409 where post.isKeyed:
            if retryAfterSeconds == nil { findings.add(.badAnswer, "post \(token): 409 without Retry-After") }
            return true
        default:
            findings.add(.badAnswer, "post \(token): status \(status)")
            return status >= 500
        }
    }

    /// No answer came.
    ///
    /// - Parameter sent: Whether the request had left; if not, this try stored nothing.
    package func unanswered(_ token: Int, _ error: LoadError, sent: Bool, tried: NIODeadline) {
        guard !faults.touches(from: tried, to: clock()) else { return }
        findings.add(.badAnswer, "post \(token): no answer where no fault ran: \(error)")
    }

    /// The post is not repeated any more, and was not accepted.
    ///
    /// - Parameter mayBeStored: Whether any try may have been stored.
    package func gaveUp(_ token: Int, mayBeStored: Bool) {
        guard posts[token].outcome == .pending else { return }
        posts[token].outcome = mayBeStored ? .unknown : .refused
        if mayBeStored { counts.unknown += notificationRange(token).count }
        let indexes = Array(notificationRange(token)) + posts[token].copies.values
        for index in indexes where !mayBeStored && notifications[index].delivered != 0 {
            findings.add(.unexpected, "\(describe(index)) was refused and pushed all the same")
        }
    }

    func notificationRange(_ token: Int) -> Range<Int> {
        let first = posts[token].firstNotification
        return first..<first + (posts[token].topic == nil ? posts[token].users.count : 1)
    }

    /// The notification was called by this id, in an answer or a push.
    func name(_ index: Int, _ id: LoadUUID) {
        let index = notifications[index].original
        guard let known = notifications[index].id else {
            notifications[index].id = id
            if let other = byID.updateValue(index, forKey: id), other != index {
                findings.add(.unexpected, "\(describe(index)) has the id of \(describe(other))")
            }
            return
        }
        guard known != id, !isDoubleExcused(index) else { return }
        findings.add(.storedTwice, "\(describe(index)) is also known as \(id)")
    }

    /// Whether a second id or entry is right because a fault may have taken the first, with its reservation. Otherwise it is
    /// told once.
    func isDoubleExcused(_ index: Int) -> Bool {
        if excuse(index) != nil || notifications[index].isStoredTwice { return true }
        notifications[index].isStoredTwice = true
        return false
    }
}
