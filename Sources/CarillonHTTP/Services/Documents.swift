import CarillonDomain
import NIOCore

/// The JSON documents of the admin and health answers, written by hand: payloads are spliced in unparsed, and ids are
/// numbers above 2^53.
enum Documents {
    static func clients(_ list: ClientList) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeString("{\"clients\":[")
        out.writeRows(list.clients) { out, client in
            out.writeString("{")
            out.writeMembers(of: client.user)
            out.writeString(",\"pod_id\":\(JSON.quoted(client.podID))")
            out.writeString(",\"connection_id\":\(JSON.quoted(client.connectionID))")
            out.writeString(",\"connected_at\":\"\(CalendarDate(milliseconds: client.connectedAtMs).rfc3339)\"")
            out.writeString(",\"transport\":\(JSON.quoted(client.transport))}")
        }
        out.writeString("],\"total\":\(list.total)")
        out.finishPage(list.nextCursor)
        return out
    }

    static func users(_ list: UserList) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeString("{\"users\":[")
        out.writeRows(list.users) { out, row in
            out.writeString("{")
            out.writeMembers(of: row.user)
            out.writeString(",\"connections\":\(row.connections)}")
        }
        out.writeString("],\"total\":\(list.total)")
        out.finishPage(list.nextCursor)
        return out
    }

    static func pods(_ pods: [PodRow]) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeString("{\"pods\":[")
        out.writeRows(pods) { out, pod in
            out.writeString("{\"pod_id\":\(JSON.quoted(pod.podID))")
            out.writeString(",\"heartbeat_at\":\"\(Timestamp(milliseconds: pod.heartbeatAt * 1_000).text)\"")
            out.writeString(",\"alive\":\(pod.isAlive),\"self\":\(pod.isSelf),\"connections\":\(pod.connections)}")
        }
        out.writeString("],\"total\":\(pods.count)}")
        return out
    }

    static func pending(_ list: PendingList) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeString("{\"pending_notifications\":{")
        out.writeRows(list.users) { out, row in
            out.writeString("\(JSON.quoted(row.user.text)):[")
            out.writeRows(row.notifications) { out, notification in
                out.writeString("{\"id\":\"\(notification.id.text)\",\"payload\":\(notification.payload ?? "null")")
                out.writeString(",\"read\":\(notification.read)}")
            }
            out.writeString("]")
        }
        out.writeString("},\"total_pending\":\(list.totalPending),\"users_with_pending\":\(list.usersWithPending)")
        out.finishPage(list.nextCursor)
        return out
    }

    static func history(_ history: History) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeString("{\"user\":{")
        out.writeMembers(of: history.user)
        out.writeString("},\"messages\":[")
        out.writeRows(history.messages) { out, message in
            out.writeString("{\"id\":\(JSON.quoted(message.id)),\"payload\":\(message.payload ?? "null")")
            out.writeString(",\"read\":\(message.read),\"status\":\(JSON.quoted(message.status))}")
        }
        out.writeString("],\"total\":\(history.messages.count)}")
        return out
    }

    static func health(_ report: HealthReport, at now: CalendarDate) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeString("{\"status\":\"\(word(report.healthy))\",\"timestamp\":\"\(now.rfc3339)\"")
        out.writeString(",\"pod_id\":\(JSON.quoted(report.podID)),\"version\":\(JSON.quoted(report.version))")
        out.writeString(",\"components\":{")
        out.writeRows(report.components) { out, component in
            out.writeString("\(JSON.quoted(component.name)):{\"status\":\"\(word(component.healthy))\"")
            if let detail = component.detail { out.writeString(",\"detail\":\(JSON.quoted(detail))") }
            out.writeString("}")
        }
        out.writeString("}}")
        return out
    }

    private static func word(_ healthy: Bool) -> String { healthy ? "healthy" : "unhealthy" }
}

extension ByteBuffer {
    fileprivate mutating func writeRows<Row>(_ rows: [Row], _ write: (inout ByteBuffer, Row) -> Void) {
        var isFirst = true
        for row in rows {
            if !isFirst { writeString(",") }
            isFirst = false
            write(&self, row)
        }
    }

    fileprivate mutating func writeMembers(of user: User) {
        switch user.id {
        case .number(let number): writeString("\"id\":\(number)")
        case .text(let text): writeString("\"id\":\(JSON.quoted(text))")
        }
        writeString(",\"login\":\(JSON.quoted(user.login))")
    }

    fileprivate mutating func finishPage(_ nextCursor: String?) {
        if let nextCursor { writeString(",\"next_cursor\":\(JSON.quoted(nextCursor))") }
        writeString("}")
    }
}
