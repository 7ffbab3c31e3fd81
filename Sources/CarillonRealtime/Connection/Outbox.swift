import NIOCore

/// The frames that the channel has not been given yet, oldest first.
///
/// One frame, which is the usual case, lies in the struct itself: pushing it allocates nothing. Only live frames are
/// counted, because replay and sync are paged by whoever sends them.
struct Outbox {
    struct Batch {
        let bytes: ByteBuffer
        let frames: Int
        let liveBytes: Int
    }

    private struct Entry {
        let frame: ByteBuffer
        let isLive: Bool
    }

    /// Frames are copied into one buffer up to here: cheaper than a write each, and little memory per socket that does
    /// not take it at once.
    static let joinedBytes = 16_384

    private var first: Entry?
    private var rest: [Entry] = []
    private var head: Int32 = 0
    private(set) var liveBytes = 0

    var isEmpty: Bool { first == nil && rest.isEmpty }

    mutating func append(_ frame: ByteBuffer, isLive: Bool) {
        if isLive { liveBytes += frame.readableBytes }
        let entry = Entry(frame: frame, isLive: isLive)
        if isEmpty { first = entry } else { rest.append(entry) }
    }

    /// Takes the next bytes to write: one frame as it is, or as many small ones as fit one buffer.
    mutating func next() -> Batch? {
        guard let entry = pop() else { return nil }
        var live = entry.isLive ? entry.frame.readableBytes : 0
        guard var size = peek().map({ entry.frame.readableBytes + $0.frame.readableBytes }), size <= Self.joinedBytes
        else {
            liveBytes -= live
            return Batch(bytes: entry.frame, frames: 1, liveBytes: live)
        }
        for next in rest[(Int(head) + 1)...] {
            guard size + next.frame.readableBytes <= Self.joinedBytes else { break }
            size += next.frame.readableBytes
        }
        var bytes = ByteBufferAllocator().buffer(capacity: size)
        bytes.writeImmutableBuffer(entry.frame)
        var frames = 1
        while bytes.readableBytes < size, let next = pop() {
            bytes.writeImmutableBuffer(next.frame)
            frames += 1
            if next.isLive { live += next.frame.readableBytes }
        }
        liveBytes -= live
        return Batch(bytes: bytes, frames: frames, liveBytes: live)
    }

    mutating func removeAll() {
        self = Outbox()
    }

    private func peek() -> Entry? {
        first ?? (rest.isEmpty ? nil : rest[Int(head)])
    }

    private mutating func pop() -> Entry? {
        if let entry = first {
            first = nil
            return entry
        }
        guard !rest.isEmpty else { return nil }
        let entry = rest[Int(head)]
        head += 1
        if head == rest.count {
            rest = []
            head = 0
        } else if head >= 64, Int(head) * 2 >= rest.count {
            rest.removeSubrange(..<Int(head))
            head = 0
        }
        return entry
    }
}
