/// Cuts a stream of bytes into lines.
struct LineSplitter {
    enum Line: Hashable {
        case text([UInt8])
        /// Longer than `limit`; its bytes are gone.
        case tooLong
    }

    /// Longest line in bytes, its end not counted.
    let limit: Int
    private var rest: [UInt8] = []
    private var isSkipping = false

    init(limit: Int) { self.limit = limit }

    /// The lines that `chunk` completes.
    mutating func push(_ chunk: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var start = chunk.startIndex
        while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
            append(chunk[start..<end])
            lines.append(take())
            start = end + 1
        }
        append(chunk[start...])
        return lines
    }

    /// The last line, where it has no line end.
    mutating func finish() -> Line? { rest.isEmpty && !isSkipping ? nil : take() }

    private mutating func append(_ bytes: ArraySlice<UInt8>) {
        guard !isSkipping, rest.count + bytes.count <= limit else {
            isSkipping = true
            rest = []
            return
        }
        rest += bytes
    }

    private mutating func take() -> Line {
        defer {
            rest = []
            isSkipping = false
        }
        return isSkipping ? .tooLong : .text(rest)
    }
}
