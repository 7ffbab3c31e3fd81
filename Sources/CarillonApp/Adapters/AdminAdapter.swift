import CarillonDomain
import CarillonHTTP
import CarillonRealtime
import CarillonStore
import NIOCore

/// The admin calls, out of the hub's directory and out of Redis.
struct AdminAdapter: AdminService {
    let pod: PodHandle
    let store: AdminStore
    let registry: PodRegistry

    func clients(page: Page) async throws(Problem) -> ClientList {
        let listing = try await connections()
        let part = try listing.part(page)
        let rows = part.rows.map { connection in
            ClientList.Client(
                user: connection.user.user,
                podID: connection.podID,
                connectionID: connection.connectionID,
                connectedAtMs: Int64(connection.connectedAt),
                transport: connection.transport.rawValue
            )
        }
        return ClientList(clients: rows, total: listing.count, nextCursor: part.next)
    }

    func users(page: Page) async throws(Problem) -> UserList {
        let (listing, counts) = try await connections().users()
        let part = try listing.part(page)
        let rows = part.rows.map { UserList.Row(user: $0.user.user, connections: counts[$0.user] ?? 0) }
        return UserList(users: rows, total: listing.count, nextCursor: part.next)
    }

    func pods() async throws(Problem) -> [PodRow] {
        let (others, own) = await pod.run { ($0.pods.others, $0.hub.connections.count) }
        do throws(StoreError) {
            return try await registry.all().map { row in
                let isSelf = row.pod == registry.podID
                return PodRow(
                    podID: row.pod,
                    heartbeatAt: row.heartbeat,
                    isAlive: isSelf || others.contains(row.pod),
                    isSelf: isSelf,
                    connections: isSelf ? own : row.connections
                )
            }
        } catch {
            throw .redisAway()
        }
    }

    /// The connections of all pods: this one's as they are, the others' as they told Redis a moment ago.
    private func connections() async throws(Problem) -> ConnectionListing {
        let (own, others) = await pod.run { ($0.hub.connections, Array($0.pods.others)) }
        guard !others.isEmpty else { return ConnectionListing(own) }
        do throws(StoreError) {
            return ConnectionListing(own + (try await store.connections(of: others)))
        } catch {
            throw .redisAway()
        }
    }

    func pending(page: Page) async throws(Problem) -> PendingList {
        var position: AdminStore.Position?
        if let cursor = page.cursor {
            guard let parsed = AdminStore.Position(cursor) else { throw .badCursor }
            position = parsed
        }
        // What was accepted a moment ago must be in the list.
        await pod.run { $0.store.activity.flush() }
        do throws(StoreError) {
            let (users, next) = try await store.pending(limit: page.limit, from: position)
            let rows = users.map { user in
                PendingList.Row(
                    user: user.user,
                    notifications: user.rows.map { .init(id: $0.place.streamID, payload: $0.payload, read: false) }
                )
            }
            var totals = (entries: rows.reduce(0) { $0 + $1.notifications.count }, users: rows.count)
            // A page that is not the whole listing says nothing of the rest.
            if position != nil || next != nil { totals = try await store.pendingTotals() }
            return PendingList(
                users: rows,
                totalPending: totals.entries,
                usersWithPending: totals.users,
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
                    id: row.place.text,
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
}
