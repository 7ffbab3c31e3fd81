package import CarillonDomain

/// The listings behind `/api/v1/admin`.
package protocol AdminService: Sendable {
    /// Connections on all pods, newest first.
    func clients(page: Page) async throws(Problem) -> ClientList
    /// Users with at least one live connection on any pod, newest first.
    func users(page: Page) async throws(Problem) -> UserList
    /// Pods and their signs of life, by name.
    func pods() async throws(Problem) -> [PodRow]
    /// Unread notifications, newest first.
    func pending(page: Page) async throws(Problem) -> PendingList
    /// One user's last notifications, oldest first.
    func history(user: User) async throws(Problem) -> History
}

/// A row of `/api/v1/admin/pods`.
package struct PodRow: Sendable {
    package let podID: String
    /// Unix time in seconds at which it said last that it lives, by its own clock.
    package let heartbeatAt: UInt64
    /// The pod that answers hears its heartbeat.
    package let isAlive: Bool
    /// It is the pod that answers.
    package let isSelf: Bool
    package let connections: Int

    package init(podID: String, heartbeatAt: UInt64, isAlive: Bool, isSelf: Bool, connections: Int) {
        self.podID = podID
        self.heartbeatAt = heartbeatAt
        self.isAlive = isAlive
        self.isSelf = isSelf
        self.connections = connections
    }
}

/// Which part of a listing is asked for.
package struct Page: Hashable, Sendable {
    package static let limits = 1...Limits.adminRows
    package static let cursorBytes = 1_024

    /// Rows, 1...10,000.
    package let limit: Int
    /// `next_cursor` of the page before; what it means is the service's own affair.
    package let cursor: String?

    package init(limit: Int = Limits.adminRows, cursor: String? = nil) {
        self.limit = limit
        self.cursor = cursor
    }

    /// Reads `limit` and `cursor` from a query string.
    init(_ parameters: QueryParameters) throws(Problem) {
        if let text = parameters["limit"] {
            guard let limit = Int(text), Self.limits.contains(limit), !text.hasPrefix("+") else {
                throw .badParameter("limit", "must be 1 to \(Self.limits.upperBound)")
            }
            self.limit = limit
        } else {
            self.limit = Self.limits.upperBound
        }
        cursor = parameters["cursor"]
        if let cursor {
            guard (1...Self.cursorBytes).contains(cursor.utf8.count), cursor.utf8.allSatisfy({ (0x21...0x7e) ~= $0 })
            else { throw .badParameter("cursor", "must be the next_cursor of an earlier answer") }
        }
    }
}

/// The answer of `/api/v1/admin/clients`.
package struct ClientList: Sendable {
    package struct Client: Sendable {
        package let user: User
        package let podID: String
        package let connectionID: String
        /// Unix time in milliseconds.
        package let connectedAtMs: Int64
        /// `websocket`.
        package let transport: String

        package init(user: User, podID: String, connectionID: String, connectedAtMs: Int64, transport: String) {
            self.user = user
            self.podID = podID
            self.connectionID = connectionID
            self.connectedAtMs = connectedAtMs
            self.transport = transport
        }
    }

    package let clients: [Client]
    /// Rows of the whole listing, not of this page.
    package let total: Int
    /// Nil where this page is the last.
    package let nextCursor: String?

    package init(clients: [Client], total: Int, nextCursor: String? = nil) {
        self.clients = clients
        self.total = total
        self.nextCursor = nextCursor
    }
}

/// The answer of `/api/v1/admin/users`.
package struct UserList: Sendable {
    package struct Row: Sendable {
        package let user: User
        package let connections: Int

        package init(user: User, connections: Int) {
            self.user = user
            self.connections = connections
        }
    }

    package let users: [Row]
    package let total: Int
    package let nextCursor: String?

    package init(users: [Row], total: Int, nextCursor: String? = nil) {
        self.users = users
        self.total = total
        self.nextCursor = nextCursor
    }
}

/// The answer of `/api/v1/admin/pending`.
package struct PendingList: Sendable {
    package struct Notification: Sendable {
        package let id: StreamID
        /// The payload's JSON document, put into the answer unparsed; nil where it expired.
        package let payload: String?
        package let read: Bool

        package init(id: StreamID, payload: String?, read: Bool) {
            self.id = id
            self.payload = payload
            self.read = read
        }
    }

    package struct Row: Sendable {
        package let user: UserKey
        package let notifications: [Notification]

        package init(user: UserKey, notifications: [Notification]) {
            self.user = user
            self.notifications = notifications
        }
    }

    /// One row a user: the keys of the answer's object.
    package let users: [Row]
    package let totalPending: Int
    package let usersWithPending: Int
    package let nextCursor: String?

    package init(users: [Row], totalPending: Int, usersWithPending: Int, nextCursor: String? = nil) {
        self.users = users
        self.totalPending = totalPending
        self.usersWithPending = usersWithPending
        self.nextCursor = nextCursor
    }
}

/// The answer of `/api/v1/admin/history`.
package struct History: Sendable {
    package struct Message: Sendable {
        /// The stream id; of a topic's entry with the topic behind an `@`.
        package let id: String
        /// The payload's JSON document, put into the answer unparsed; nil where it expired.
        package let payload: String?
        package let read: Bool
        /// `read`, `unread` or `auto_cleared`.
        package let status: String

        package init(id: String, payload: String?, read: Bool, status: String) {
            self.id = id
            self.payload = payload
            self.read = read
            self.status = status
        }
    }

    package let user: User
    package let messages: [Message]

    package init(user: User, messages: [Message]) {
        self.user = user
        self.messages = messages
    }
}
