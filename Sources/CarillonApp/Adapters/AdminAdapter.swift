import CarillonDomain
import CarillonHTTP
import CarillonRealtime
import CarillonStore
import NIOCore

/// The admin calls, out of the hub's directory and out of Redis.
struct AdminAdapter: AdminService {
    let pod: PodHandle
    let store: AdminStore
    let podID: String

    func clients(page: Page) async throws(Problem) -> ClientList {
        let before = try Self.number(page.cursor)
        let all = await pod.run { $0.hub.connections }
        let rest = all.filter { $0.number < before }
        let rows = rest.prefix(page.limit).map { connection in
            ClientList.Client(
                user: connection.user,
                podID: podID,
                connectionID: connection.connectionID,
                connectedAtMs: Int64(connection.connectedAt),
                transport: "websocket"
            )
        }
        return ClientList(
            clients: Array(rows),
            total: all.count,
            nextCursor: rest.count > page.limit ? String(rest[page.limit - 1].number) : nil
        )
    }

    func users(page: Page) async throws(Problem) -> UserList {
        let before = try Self.number(page.cursor)
        // Newest connection first; a user stands where his newest connection does.
        var order: [ConnectionSummary] = []
        var counts: [UserKey: Int] = [:]
        for connection in await pod.run({ $0.hub.connections }) {
            if counts[connection.user.key, default: 0] == 0 { order.append(connection) }
            counts[connection.user.key, default: 0] += 1
        }
        let rest = order.filter { $0.number < before }
        let rows = rest.prefix(page.limit).map {
            UserList.Row(user: $0.user, connections: counts[$0.user.key] ?? 0)
        }
        return UserList(
            users: Array(rows),
            total: order.count,
            nextCursor: rest.count > page.limit ? String(rest[page.limit - 1].number) : nil
        )
    }

    func pending(page: Page) async throws(Problem) -> PendingList {
        var position: AdminStore.Position?
        if let cursor = page.cursor {
            guard let parsed = AdminStore.Position(cursor) else { throw Self.badCursor }
            position = parsed
        }
        // What was accepted a moment ago must be in the list.
        await pod.run { $0.store.activity.flush() }
        do throws(StoreError) {
            let (users, next) = try await store.pending(limit: page.limit, from: position)
            let rows = users.map { user in
                PendingList.Row(
                    user: user.user,
                    notifications: user.rows.map { .init(id: $0.entry.id, payload: $0.payload, read: false) }
                )
            }
            return PendingList(
                users: rows,
                totalPending: rows.reduce(0) { $0 + $1.notifications.count },
                usersWithPending: rows.count,
                nextCursor: next?.text
            )
        } catch {
            throw .redisAway()
        }
    }

    func history(user: User) async throws(Problem) -> History {
        do throws(StoreError) {
            let messages = try await store.history(of: user.key).map { row in
                History.Message(
                    id: row.entry.id,
                    payload: row.payload,
                    read: row.isRead,
                    status: row.isRead ? "read" : row.payload == nil ? "auto_cleared" : "unread"
                )
            }
            return History(user: user, messages: messages)
        } catch {
            throw .redisAway()
        }
    }

    private static func number(_ cursor: String?) throws(Problem) -> UInt64 {
        guard let cursor else { return .max }
        guard let number = UInt64(cursor) else { throw badCursor }
        return number
    }

    private static let badCursor = Problem.badParameter("cursor", "must be the next_cursor of an earlier answer")
}
