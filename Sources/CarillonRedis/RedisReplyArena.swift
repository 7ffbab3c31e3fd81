import CHiredis

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Memory for the tree of one reply: hiredis takes it in pieces, of which a stream entry needs ten, and all of it is given back
/// at once.
///
/// - Isolation: whoever owns the `redisReader` that it is the `privdata` of
/// - Cost: no allocation for replies of up to 16 KiB, what hiredis calls a `redisReply` being 48 bytes of it
struct RedisReplyArena {
    private static let blockBytes = 16 * 1_024
    private static let alignment = 16

    /// The first one is kept; large replies add more.
    private var blocks: [UnsafeMutableRawPointer] = []
    private var next: UnsafeMutableRawPointer
    private var free: Int

    init() {
        guard let block = malloc(Self.blockBytes) else { fatalError("out of memory") }
        next = block
        free = Self.blockBytes
        blocks = [block]
    }

    /// Forgets the reply; its memory serves the next one.
    mutating func clear() {
        while blocks.count > 1 { Self.release(blocks.removeLast()) }
        next = blocks[0]
        free = Self.blockBytes
    }

    /// Frees everything.
    mutating func deallocate() {
        for block in blocks { Self.release(block) }
        blocks = []
        free = 0
    }

    /// Nil where there is no memory, which hiredis makes an error of the connection: a reply may claim any length.
    private mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
        let rounded = (bytes + Self.alignment - 1) & ~(Self.alignment - 1)
        if rounded > free {
            let size = max(Self.blockBytes, rounded)
            guard let block = malloc(size) else { return nil }
            blocks.append(block)
            (next, free) = (block, size)
        }
        defer {
            next += rounded
            free -= rounded
        }
        return next
    }

    // SAFETY: `block` came from `malloc`, and nobody has it any more.
    private static func release(_ block: UnsafeMutableRawPointer) { Glibc.free(block) }

    // MARK: - What hiredis asks for

    /// Makes a node and hangs it into its array, if it is in one.
    private mutating func node(_ task: UnsafePointer<redisReadTask>) -> UnsafeMutablePointer<redisReply>? {
        guard let memory = take(MemoryLayout<redisReply>.stride) else { return nil }
        let node = memory.bindMemory(to: redisReply.self, capacity: 1)
        node.initialize(to: redisReply())
        node.pointee.type = task.pointee.type
        // SAFETY: the parent was made by `array`, and hiredis counts `idx` below the number of elements that it was made for.
        if let parent = task.pointee.parent?.pointee.obj?.assumingMemoryBound(to: redisReply.self) {
            parent.pointee.element[Int(task.pointee.idx)] = node
        }
        return node
    }

    private mutating func string(
        _ task: UnsafePointer<redisReadTask>,
        _ text: UnsafePointer<CChar>,
        _ count: Int
    ) -> UnsafeMutablePointer<redisReply>? {
        guard let node = node(task), let copy = take(count) else { return nil }
        // SAFETY: hiredis has `count` bytes at `text`, which move when it is fed again.
        copy.copyMemory(from: text, byteCount: count)
        node.pointee.str = copy.assumingMemoryBound(to: CChar.self)
        node.pointee.len = count
        return node
    }

    private mutating func array(_ task: UnsafePointer<redisReadTask>, _ count: Int) -> UnsafeMutablePointer<redisReply>?
    {
        let stride = MemoryLayout<UnsafeMutablePointer<redisReply>?>.stride
        guard let node = node(task), let elements = take(count * stride) else { return nil }
        // Left as they are, since nobody sees an array before hiredis has filled it.
        node.pointee.element = elements.bindMemory(to: UnsafeMutablePointer<redisReply>?.self, capacity: count)
        node.pointee.elements = count
        return node
    }

    /// hiredis's hooks, for every reader that has an arena as its `privdata`. Made once and never freed, because readers point to it.
    // SAFETY: nobody writes to it once it is made.
    nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        var functions = redisReplyObjectFunctions()
        // SAFETY: hiredis passes a task, whose `privdata` is the reader's, and text that it has.
        functions.createString = { task, text, count in .init(arena(task!).pointee.string(task!, text!, count)) }
        functions.createArray = { task, count in .init(arena(task!).pointee.array(task!, Int(count))) }
        functions.createInteger = { task, value in
            guard let node = arena(task!).pointee.node(task!) else { return nil }
            node.pointee.integer = value
            return .init(node)
        }
        functions.createNil = { task in
            guard let node = arena(task!).pointee.node(task!) else { return nil }
            // The task still says string or array.
            node.pointee.type = REDIS_REPLY_NIL
            return .init(node)
        }
        // The arena gives everything back at once.
        functions.freeObject = { _ in }
        let pointer = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        pointer.initialize(to: functions)
        return pointer
    }()

    private static func arena(_ task: UnsafePointer<redisReadTask>) -> UnsafeMutablePointer<RedisReplyArena> {
        task.pointee.privdata.assumingMemoryBound(to: RedisReplyArena.self)
    }
}
