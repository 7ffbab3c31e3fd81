import NIOCore

/// What one connection of an attack does, from its connect to its end.
struct AttackScript: Sendable {
    enum Ending: Sendable {
        /// Waits for what the server does.
        case waits
        /// Closes as soon as everything is sent.
        case closes
        /// The same without a goodbye: the server sees a reset.
        case resets
        /// Ends its own half and keeps the other one.
        case halfCloses
    }

    /// Bytes that are said again and again.
    struct Drip: Sendable {
        let bytes: ByteBuffer
        /// Requests or frames in `bytes`, as the table counts attempts; zero where it is a part of one.
        var attempts = 1
        var pauseMilliseconds: Int64
    }

    /// Said on connecting.
    var opening = ByteBuffer()
    /// Said once the server has agreed to speak WebSocket.
    var upgraded: ByteBuffer?
    /// Said in turns after that, as long as the socket takes it.
    var drip: Drip?
    /// Takes nothing from its socket, whose buffer is small.
    var isDeaf = false
    var ending = Ending.waits

    /// A WebSocket whose handshake is as it should be.
    static func webSocket(_ user: Int, _ query: String = "", headers: String = "") -> AttackScript {
        AttackScript(opening: Bytes.handshake(user, query, headers: headers))
    }

    func then(_ bytes: ByteBuffer) -> AttackScript { with { $0.upgraded = bytes } }

    func dripping(_ bytes: ByteBuffer, attempts: Int = 1, every milliseconds: Int64) -> AttackScript {
        with { $0.drip = Drip(bytes: bytes, attempts: attempts, pauseMilliseconds: milliseconds) }
    }

    func deaf() -> AttackScript { with { $0.isDeaf = true } }

    func ending(_ ending: Ending) -> AttackScript { with { $0.ending = ending } }

    private func with(_ change: (inout AttackScript) -> Void) -> AttackScript {
        var script = self
        change(&script)
        return script
    }
}
