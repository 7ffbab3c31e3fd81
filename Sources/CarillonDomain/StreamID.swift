/// The id of a stream entry: milliseconds of Redis's clock and a sequence number within the millisecond.
///
/// The order of ids is the order of a user's notifications.
/// - Source: Redis documentation, "Streams", entry ids
package struct StreamID: Hashable, Comparable, Sendable {
    package let milliseconds: UInt64
    package let sequence: UInt64

    /// `0-0`: older than every entry, and so the cursor of somebody who has seen nothing.
    package static let zero = StreamID(milliseconds: 0, sequence: 0)
    package static let max = StreamID(milliseconds: .max, sequence: .max)

    package init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Parses `<ms>-<seq>` or `<ms>`; anything else, leading signs and numbers above 2^64-1 included, is nil.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let parsed = text.withUTF8({ StreamID(bytes: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    /// Parses the bytes of `<ms>-<seq>` or `<ms>`.
    package init?(bytes: UnsafeRawBufferPointer) {
        var index = bytes.startIndex
        guard let milliseconds = Self.parseNumber(bytes, &index) else { return nil }
        guard index < bytes.endIndex else {
            self.init(milliseconds: milliseconds, sequence: 0)
            return
        }
        guard bytes[index] == UInt8(ascii: "-") else { return nil }
        index += 1
        guard let sequence = Self.parseNumber(bytes, &index), index == bytes.endIndex else { return nil }
        self.init(milliseconds: milliseconds, sequence: sequence)
    }

    package var text: String { "\(milliseconds)-\(sequence)" }

    /// The next possible id: what an exclusive lower bound becomes where a command only knows inclusive ones.
    package var successor: StreamID {
        sequence == .max
            ? StreamID(milliseconds: milliseconds &+ 1, sequence: 0)
            : StreamID(milliseconds: milliseconds, sequence: sequence + 1)
    }

    /// The last possible id before this one; that of zero is zero.
    package var predecessor: StreamID {
        if sequence > 0 { return StreamID(milliseconds: milliseconds, sequence: sequence - 1) }
        return milliseconds > 0 ? StreamID(milliseconds: milliseconds - 1, sequence: .max) : .zero
    }

    @inlinable
    package static func < (left: StreamID, right: StreamID) -> Bool {
        left.milliseconds != right.milliseconds
            ? left.milliseconds < right.milliseconds : left.sequence < right.sequence
    }

    private static func parseNumber(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> UInt64? {
        let start = index
        var value: UInt64 = 0
        while index < bytes.endIndex, case let digit = bytes[index] &- UInt8(ascii: "0"), digit <= 9 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
            index += 1
        }
        return index > start ? value : nil
    }
}

extension StreamID: CustomStringConvertible {
    package var description: String { text }
}
