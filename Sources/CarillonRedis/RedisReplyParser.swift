import CHiredis

/// Cuts the bytes of a connection into replies. A thin owner of hiredis's `redisReader`, which keeps its place inside
/// a reply that has not come whole.
///
/// Arrays may be nested eight deep, which is hiredis's own bound; no command that the hub sends comes near it.
///
/// - Isolation: event loop of the connection.
package final class RedisReplyParser {
    /// Unused room that the reader keeps for the next reply; beyond it an idle reader gives its memory back.
    private static let keptBytes = 1_024 * 1_024

    // SAFETY: both created in `init`, freed in `deinit`, and used by nobody else.
    private let reader: UnsafeMutablePointer<redisReader>
    private let arena: UnsafeMutablePointer<RedisReplyArena>

    package init() {
        guard let reader = redisReaderCreateWithFunctions(RedisReplyArena.functions) else {
            fatalError("out of memory")
        }
        arena = .allocate(capacity: 1)
        arena.initialize(to: RedisReplyArena())
        reader.pointee.maxbuf = Self.keptBytes
        reader.pointee.privdata = UnsafeMutableRawPointer(arena)
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        arena.pointee.deallocate()
        arena.deinitialize(count: 1)
        arena.deallocate()
    }

    /// Hands each reply that is complete to `body`, in order, until `body` returns false.
    ///
    /// - Throws: `RedisError` code `.protocolViolation`; the parser is of no use afterwards.
    package func parse(_ bytes: UnsafeRawBufferPointer, _ body: (RedisReply) -> Bool) throws(RedisError) {
        // SAFETY: hiredis copies the bytes before it returns.
        let status = redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        guard status == REDIS_OK else { throw violation }
        while true {
            var reply: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw violation }
            guard let reply else { return }
            // SAFETY: the arena made it, so it is a redisReply; it lives until the arena is cleared.
            defer { arena.pointee.clear() }
            guard body(RedisReply(reply.assumingMemoryBound(to: redisReply.self))) else { return }
        }
    }

    private var violation: RedisError {
        let message = withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return RedisError(.protocolViolation, detail: message)
    }
}
