package import NIOCore

/// Writes commands as RESP arrays of bulk strings, straight into the bytes that go out next.
///
/// Each call writes one argument; how many there will be is said before the first, because RESP counts ahead.
///
/// - Isolation: event loop of the connection that lends it.
/// - Cost: one bounds check and one copy per argument, no allocation unless the buffer grows.
/// - Source: Redis documentation, "Redis serialization protocol specification"
package struct RedisArguments {
    /// Longest decimal `UInt64`.
    private static let maximumDigits = 20
    /// `$`, digits, CRLF, and the CRLF behind the argument.
    private static let overhead = 1 + maximumDigits + 2 + 2

    private(set) var buffer: ByteBuffer
    /// Arguments that the current command still lacks.
    private var missing = 0
    /// Where the first key of the current command lies; empty where it has none.
    private(set) var key = 0..<0

    init(buffer: ByteBuffer) {
        self.buffer = buffer
    }

    package mutating func key(_ key: RedisKey) {
        var suffix = key.suffix
        let length = key.prefix.utf8CodeUnitCount + suffix.utf8.count
        suffix.withUTF8 { append(Self.bytes(of: key.prefix), UnsafeRawBufferPointer($0)) }
        let end = buffer.writerIndex - 2
        if self.key.isEmpty { self.key = (end - length)..<end }
    }

    package mutating func bulk(_ text: StaticString) {
        append(Self.bytes(of: text))
    }

    package mutating func bulk(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    package mutating func bulk(_ text: Substring) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    package mutating func bulk(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { append($0) }
    }

    package mutating func bulk(_ view: ByteBufferView) {
        view.withUnsafeBytes { append($0) }
    }

    package mutating func bulk(bytes: UnsafeRawBufferPointer) {
        append(bytes)
    }

    package mutating func integer(_ value: Int64) {
        appendNumber(value.magnitude, negative: value < 0)
    }

    package mutating func integer(_ value: Int) {
        integer(Int64(value))
    }

    package mutating func integer(_ value: UInt64) {
        appendNumber(value, negative: false)
    }

    /// The id of a stream entry: `<milliseconds>-<sequence>`.
    package mutating func bulk(milliseconds: UInt64, sequence: UInt64) {
        open(Self.overhead + 2 * Self.maximumDigits + 1) { out in
            let left = Self.digits(milliseconds)
            let right = Self.digits(sequence)
            var end = Self.putHeader("$", left + 1 + right, out, at: 0)
            Self.putDecimal(milliseconds, left, out, at: end)
            out[end + left] = UInt8(ascii: "-")
            Self.putDecimal(sequence, right, out, at: end + left + 1)
            end += left + 1 + right
            return Self.putEnd(out, at: end)
        }
    }
}

extension RedisArguments {
    /// Starts a command that takes `arguments` arguments after its name.
    mutating func begin(_ command: StaticString, arguments: Int) {
        begin(Self.bytes(of: command), arguments: arguments)
    }

    mutating func begin(_ command: String, arguments: Int) {
        var command = command
        command.withUTF8 { begin(UnsafeRawBufferPointer($0), arguments: arguments) }
    }

    /// Ends the command. A wrong count would make Redis take one command's bytes for another's, payloads included,
    /// so it is checked in every build.
    func end() {
        precondition(missing == 0, "\(missing) arguments of a Redis command were announced but not written")
    }

    /// Adds a whole command.
    mutating func append(_ encoded: ByteBufferView) {
        buffer.writeBytes(encoded)
    }

    /// Forgets everything from `index` on: the command that began there does not go out.
    mutating func rewind(to index: Int) {
        buffer.moveWriterIndex(to: index)
    }

    /// Starts afresh, and gives memory back once more than `keeping` bytes were needed.
    mutating func clear(keeping: Int) {
        if buffer.capacity > keeping {
            buffer = ByteBuffer()
        } else {
            buffer.clear()
        }
    }

    private mutating func begin(_ command: UnsafeRawBufferPointer, arguments: Int) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.overhead) { out in
            Self.putHeader("*", arguments + 1, out, at: 0)
        }
        missing = arguments + 1
        key = 0..<0
        append(command)
    }

    private mutating func append(
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) {
        let length = first.count + second.count
        open(Self.overhead + length) { out in
            let start = Self.putHeader("$", length, out, at: 0)
            // SAFETY: `open` made room for the overhead and both parts.
            let target = UnsafeMutableRawBufferPointer(rebasing: out[start..<start + length])
            target.copyMemory(from: first)
            if !second.isEmpty {
                UnsafeMutableRawBufferPointer(rebasing: target[first.count...]).copyMemory(from: second)
            }
            return Self.putEnd(out, at: start + length)
        }
    }

    private mutating func appendNumber(_ magnitude: UInt64, negative: Bool) {
        open(Self.overhead + 1 + Self.maximumDigits) { out in
            let digits = Self.digits(magnitude)
            var end = Self.putHeader("$", negative ? digits + 1 : digits, out, at: 0)
            if negative {
                out[end] = UInt8(ascii: "-")
                end += 1
            }
            Self.putDecimal(magnitude, digits, out, at: end)
            return Self.putEnd(out, at: end + digits)
        }
    }

    /// Counts the argument and lets `write` fill at least `minimum` writable bytes; it returns how many it used.
    @inline(__always)
    private mutating func open(_ minimum: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) {
        missing -= 1
        precondition(missing >= 0, "a Redis command got more arguments than were announced")
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: minimum, write)
    }

    private static func bytes(of text: StaticString) -> UnsafeRawBufferPointer {
        precondition(text.hasPointerRepresentation, "a command is more than one character")
        // SAFETY: a StaticString with a pointer lives as long as the program.
        return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// Writes `$<length>\r\n` or `*<length>\r\n`; returns where it ends.
    private static func putHeader(
        _ kind: Unicode.Scalar,
        _ length: Int,
        _ out: UnsafeMutableRawBufferPointer,
        at start: Int
    ) -> Int {
        let digits = digits(UInt64(length))
        out[start] = UInt8(ascii: kind)
        putDecimal(UInt64(length), digits, out, at: start + 1)
        return putEnd(out, at: start + 1 + digits)
    }

    private static func putEnd(_ out: UnsafeMutableRawBufferPointer, at index: Int) -> Int {
        out[index] = UInt8(ascii: "\r")
        out[index + 1] = UInt8(ascii: "\n")
        return index + 2
    }

    private static func putDecimal(_ value: UInt64, _ digits: Int, _ out: UnsafeMutableRawBufferPointer, at start: Int)
    {
        var value = value
        var index = start + digits
        while index > start {
            index -= 1
            let (quotient, digit) = value.quotientAndRemainder(dividingBy: 10)
            out[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            value = quotient
        }
    }

    private static func digits(_ value: UInt64) -> Int {
        var digits = 1
        var bound: UInt64 = 10
        while value >= bound {
            digits += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        return digits
    }
}
