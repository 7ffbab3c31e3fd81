package import CarillonDomain
package import CarillonStore

/// What a user does with one notification besides reading it.
package enum InboxVerb: Sendable {
    case unread
    case seen
    case archive
    case unarchive
    /// Until this moment.
    case snooze(until: UInt64)
    case unsnooze
}

/// A notification with the number of unread ones beside it.
package struct InboxState: Sendable {
    package let item: InboxItem
    package let unreadCount: Int

    package init(item: InboxItem, unreadCount: Int) {
        self.item = item
        self.unreadCount = unreadCount
    }
}

/// What became of a notification.
package enum NotificationReport: Sendable {
    case ofUser(UserReport)
    case ofTopic(TopicReport)
}

/// What became of a user's notification.
package struct UserReport: Sendable {
    package let target: User
    package let item: InboxItem
    /// When its payload expires, in milliseconds since 1970; nil where it does not.
    package let expiresAt: UInt64?

    package init(target: User, item: InboxItem, expiresAt: UInt64?) {
        self.target = target
        self.item = item
        self.expiresAt = expiresAt
    }
}

/// The inboxes of users, and what senders ask of single notifications.
///
/// Every change is stored, and then told to all devices of the user, when a call returns.
package protocol InboxService: Sendable {
    /// A page, as soon as it is news, or when `query.wait` has passed.
    ///
    /// - Parameter isNews: Whether a page is what the client waits for; asked at once, and whenever something has happened.
    func page(
        _ query: InboxQuery,
        of user: User,
        isNews: @Sendable (_ page: InboxPage, _ hasChanged: Bool) -> Bool
    ) async throws(Problem) -> InboxPage
    func count(_ filter: InboxFilter, of user: User) async throws(Problem) -> (count: Int, unread: Int)
    func item(_ id: NotificationID, of user: User) async throws(Problem) -> InboxItem
    /// - Parameter time: When it was read, in milliseconds since 1970; nil: now.
    func read(_ id: NotificationID, at time: UInt64?, of user: User) async throws(Problem) -> InboxState
    func change(_ id: NotificationID, _ verb: InboxVerb, of user: User) async throws(Problem) -> InboxState
    /// Reads, or sees, everything that passes the filter.
    func readAll(_ filter: InboxFilter, of user: User) async throws(Problem) -> (updated: Int, unread: Int)
    func seeAll(_ filter: InboxFilter, of user: User) async throws(Problem) -> (updated: Int, unread: Int)
    /// - Returns: The number of unread ones that are left.
    func remove(_ id: NotificationID, of user: User) async throws(Problem) -> Int
    func report(on id: NotificationID) async throws(Problem) -> NotificationReport
    func withdraw(_ id: NotificationID) async throws(Problem)
    func channels(of user: User) async throws(Problem) -> [String]
    /// - Returns: All channels of the user.
    func subscribe(_ user: User, to topic: Topic) async throws(Problem) -> [String]
    func unsubscribe(_ user: User, from topic: Topic) async throws(Problem) -> [String]
    /// How many days the user's notifications are kept.
    func retention(of user: User) async throws(Problem) -> Int
    func setRetention(_ days: Int, of user: User) async throws(Problem)
}

extension Problem {
    package static let notificationNotFound = Problem(
        status: 404,
        code: "not_found",
        title: "Not Found",
        detail: "Notification not found"
    )
}
