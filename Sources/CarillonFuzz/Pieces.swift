import CarillonTestSupport

/// Ways in which the same bytes may arrive besides in one piece: in small ones, cut where the bytes themselves say, so that a
/// finding is found again; and one by one, or, where they are many, in large ones.
enum Pieces {
    /// More single bytes than this are not worth their time.
    private static let longestByByte = 200

    /// Each piece is memory of its own, so that reading past its end is noticed.
    static func ways(of bytes: UnsafeRawBufferPointer) -> [[[UInt8]]] {
        var random = SeededGenerator(seed: hash(bytes))
        let lengths = bytes.count > longestByByte ? 1...400 : 1...1
        return [cut(bytes, pieces: 1...40, &random), cut(bytes, pieces: lengths, &random)]
    }

    private static func cut(
        _ bytes: UnsafeRawBufferPointer,
        pieces lengths: ClosedRange<Int>,
        _ random: inout SeededGenerator
    ) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: lengths, using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    /// - Source: FNV-1a, 64 bits
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
