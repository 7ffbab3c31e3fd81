internal import NIOCore

/// What can be read out of the reason of a close frame.
enum CloseReason {
    /// The come-back hint of a pod that drains: the first number before `ms` or `s`; nil where there is none.
    static func comeBackAfter(_ reason: String) -> TimeAmount? {
        guard let start = reason.firstIndex(where: \.isNumber) else { return nil }
        let digits = reason[start...].prefix { $0.isNumber }
        let unit = reason[digits.endIndex...].drop { $0 == " " }
        guard let number = UInt16(digits) else { return nil }
        if unit.hasPrefix("ms") { return .milliseconds(Int64(number)) }
        return unit.hasPrefix("s") && number <= 60 ? .seconds(Int64(number)) : nil
    }
}

/// A frame as one line of output.
enum CompactFrame {
    /// The frame's own bytes. Line ends can only stand between tokens, where a space means the same.
    static func line(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 } + [0x0a]
    }
}
