/// What a new connection says before the first command, all of it in one write: sign in, choose the database, give
/// its name, and ask whether Redis serves; where it should be a primary, ask it too.
///
/// - Isolation: event loop of the connection.
/// - Source: Redis `AUTH`, `SELECT`, `CLIENT SETNAME`, `ROLE`, `PING`
final class RedisHandshake: RedisReceiver {
    private enum Step: Int {
        case signIn
        case selectDatabase
        case setName
        case role
        case ping
    }

    private unowned let connection: RedisConnection
    /// The first refusal, which explains the ones after it.
    private(set) var failure: RedisError?

    init(connection: RedisConnection) {
        self.connection = connection
    }

    func send() {
        let configuration = connection.configuration
        if let password = configuration.password {
            send(.signIn, "AUTH", configuration.username.map { [$0, password] } ?? [password])
        }
        if configuration.database != 0 { send(.selectDatabase, "SELECT", ["\(configuration.database)"]) }
        if let name = configuration.clientName { send(.setName, "CLIENT", ["SETNAME", name]) }
        if connection.locator != nil { send(.role, "ROLE", []) }
        send(.ping, "PING", [])
    }

    private func send(_ step: Step, _ command: StaticString, _ arguments: [String]) {
        connection.send(command, arguments: arguments.count, to: self, tag: step.rawValue) { writer in
            for argument in arguments { writer.bulk(argument) }
        }
    }

    func received(_ reply: RedisReply, tag: Int) {
        switch Step(rawValue: tag) {
        case .role where reply.count == 0 || !reply[0].equals("master"):
            note("it is not the primary", "ROLE says \(reply.count > 0 ? reply[0].string : "nothing")")
        case .ping: connection.handshakeFinished(failure)
        default: break
        }
    }

    func failed(_ error: RedisError, tag: Int) {
        // Only Redis's own words matter here; the loss of the connection is the connection's business.
        guard case .server(let message) = error.code, let step = Step(rawValue: tag) else { return }
        switch step {
        case .signIn: note("AUTH was refused", message)
        case .selectDatabase: note("SELECT was refused", message)
        // A user without the right to ROLE is told by his first write.
        case .setName, .role: break
        case .ping:
            // A user without the right to PING is signed in all the same.
            if error.serverCode != "NOPERM" { note("PING was refused", message) }
            connection.handshakeFinished(failure)
        }
    }

    private func note(_ what: String, _ message: String) {
        if failure == nil { failure = RedisError(.server(message), detail: what) }
    }
}
