internal import Glibc
internal import NIOCore

/// What a message under load carries in its text, so that whoever receives it knows which one it is and when it was due:
/// `~b<run>.<number>.<due>~`.
///
/// It is searched for in what a hub sends, so any wrapping will do that leaves the text alone.
struct Stamp: Equatable {
    /// Tells the messages of one run from what earlier ones left in the hub.
    let run: Int
    /// Messages are counted from 0.
    let number: Int
    /// Nanoseconds of the monotonic clock at which it should have been published.
    let due: UInt64

    /// Writes the stamp and fills up with `x` to `size` bytes.
    func write(size: Int, into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeStaticString("~b")
        buffer.writeDecimal(run)
        buffer.writeStaticString(".")
        buffer.writeDecimal(number)
        buffer.writeStaticString(".")
        buffer.writeDecimal(Int(due))
        buffer.writeStaticString("~")
        let missing = size - (buffer.writerIndex - start)
        if missing > 0 { buffer.writeRepeatingByte(UInt8(ascii: "x"), count: missing) }
    }

    /// The next stamp in what was received, and nil where there is none.
    ///
    /// - Parameter start: Where to begin; where to go on, afterwards.
    init?(in bytes: UnsafeRawBufferPointer, from start: inout Int) {
        guard let base = bytes.baseAddress else { return nil }
        while start < bytes.count, let place = memchr(base + start, Int32(UInt8(ascii: "~")), bytes.count - start) {
            start = UnsafeRawPointer(place) - base + 1
            var index = start + 1
            guard start < bytes.count, bytes[start] == UInt8(ascii: "b"),
                let run = Self.number(bytes, &index, end: UInt8(ascii: ".")),
                let number = Self.number(bytes, &index, end: UInt8(ascii: ".")),
                let due = Self.number(bytes, &index, end: UInt8(ascii: "~"))
            else { continue }
            start = index
            self.init(run: run, number: number, due: UInt64(due))
            return
        }
        return nil
    }

    init(run: Int, number: Int, due: UInt64) {
        self.run = run
        self.number = number
        self.due = due
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ index: inout Int, end: UInt8) -> Int? {
        let first = index
        var number = 0
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            guard index - first < 18 else { return nil }
            number = number * 10 + Int(digit)
            index += 1
        }
        guard index > first, index < bytes.count, bytes[index] == end else { return nil }
        index += 1
        return number
    }
}
