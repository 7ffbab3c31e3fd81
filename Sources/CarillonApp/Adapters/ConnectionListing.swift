import CarillonDomain
import CarillonHTTP
import CarillonStore

/// All open connections in the order of the listings: the newest first.
struct ConnectionListing {
    private let records: [ConnectionRecord]

    /// Where a listing goes on: behind one connection.
    struct Position {
        let connectedAt: UInt64
        let connectionID: String

        init(_ record: ConnectionRecord) {
            connectedAt = record.connectedAt
            connectionID = record.connectionID
        }

        /// Parses what `text` gave.
        init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let time = UInt64(parts[0]) else { return nil }
            connectedAt = time
            connectionID = String(parts[1])
        }

        var text: String { "\(connectedAt):\(connectionID)" }

        /// Ids of one process end with a number that counts up, so a longer one is newer.
        func isNewer(than other: Position) -> Bool {
            if connectedAt != other.connectedAt { return connectedAt > other.connectedAt }
            let (length, otherLength) = (connectionID.utf8.count, other.connectionID.utf8.count)
            return length != otherLength ? length > otherLength : connectionID > other.connectionID
        }
    }

    /// One page of rows, and where the next one begins.
    struct Part {
        let rows: ArraySlice<ConnectionRecord>
        let next: String?
    }

    init(_ records: [ConnectionRecord]) {
        self.records = records.sorted { Position($0).isNewer(than: Position($1)) }
    }

    var count: Int { records.count }

    /// - Throws: `Problem` for a cursor that no answer gave.
    func part(_ page: Page) throws(Problem) -> Part {
        var rest = records[...]
        if let cursor = page.cursor {
            guard let position = Position(cursor) else { throw .badCursor }
            rest = rest.drop { !position.isNewer(than: Position($0)) }
        }
        let rows = rest.prefix(page.limit)
        return Part(rows: rows, next: rest.count > rows.count ? rows.last.map { Position($0).text } : nil)
    }

    /// Each user once, where his newest connection stands, with the number of his connections.
    func users() -> (listing: ConnectionListing, counts: [UserKey: Int]) {
        var newest: [ConnectionRecord] = []
        var counts: [UserKey: Int] = [:]
        for record in records {
            if counts[record.user, default: 0] == 0 { newest.append(record) }
            counts[record.user, default: 0] += 1
        }
        return (ConnectionListing(newest), counts)
    }
}

extension Problem {
    static let badCursor = Problem.badParameter("cursor", "must be the next_cursor of an earlier answer")
}
