import Glibc

/// A moment as the wire shows it: RFC 3339 in UTC, ending in `Z`.
package struct Timestamp: Hashable, Sendable {
    package let text: String

    /// The present moment, to the millisecond.
    package static func now() -> Timestamp { Timestamp(milliseconds: nowMilliseconds()) }

    /// Milliseconds of the wall clock since 1970.
    package static func nowMilliseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
    }

    package init(milliseconds: UInt64) {
        let seconds = Int64(clamping: milliseconds / 1_000)
        let fraction = milliseconds % 1_000
        let digits = fraction == 0 ? "" : "." + CalendarDate.padded(Int(fraction), to: 3)
        text = Self.render(seconds: min(seconds, Self.lastSecond), fraction: digits)
    }

    /// Parses the text of an RFC 3339 date and time.
    package init?(rfc3339 text: String) {
        var text = text
        guard let time = text.withUTF8({ Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = time
    }

    /// Parses an RFC 3339 date and time; an offset is turned into UTC, a fraction is kept as it is.
    ///
    /// - Source: RFC 3339 section 5.6; a leap second counts as the first second of the next minute
    package init?(rfc3339 bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 20, bytes.count <= 48 else { return nil }
        func number(_ start: Int, _ length: Int) -> Int64? {
            guard start + length <= bytes.count else { return nil }
            var value: Int64 = 0
            for index in start..<(start + length) {
                let digit = bytes[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        func isByte(_ index: Int, _ byte: Unicode.Scalar) -> Bool {
            index < bytes.count && bytes[index] == UInt8(ascii: byte)
        }
        guard let year = number(0, 4), isByte(4, "-"), let month = number(5, 2), isByte(7, "-"), let day = number(8, 2),
            isByte(10, "T") || isByte(10, "t"), let hour = number(11, 2), isByte(13, ":"), let minute = number(14, 2),
            isByte(16, ":"), let second = number(17, 2)
        else { return nil }
        guard (1...12).contains(month), (1...Self.days(inMonth: month, of: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var index = 19
        if isByte(index, ".") {
            index += 1
            while index < bytes.count, bytes[index] &- UInt8(ascii: "0") <= 9 { index += 1 }
            guard index > 20 else { return nil }
        }
        let fraction = String(decoding: bytes[19..<index], as: UTF8.self)
        var offset: Int64 = 0
        if isByte(index, "Z") || isByte(index, "z") {
            index += 1
        } else if isByte(index, "+") || isByte(index, "-") {
            guard let hours = number(index + 1, 2), isByte(index + 3, ":"), let minutes = number(index + 4, 2),
                hours < 24,
                minutes < 60
            else { return nil }
            offset = (hours * 3_600 + minutes * 60) * (isByte(index, "-") ? -1 : 1)
            index += 6
        } else {
            return nil
        }
        guard index == bytes.count else { return nil }
        let days = Self.daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
        guard (Self.firstSecond...Self.lastSecond).contains(seconds) else { return nil }
        text = Self.render(seconds: seconds, fraction: fraction)
    }

    /// Milliseconds since 1970; a finer fraction is cut off, and what lies before 1970 counts as 0.
    package var milliseconds: UInt64 {
        let digits = text.utf8.map { Int64($0 &- UInt8(ascii: "0")) }
        func number(_ start: Int, _ length: Int) -> Int64 {
            digits[start..<(start + length)].reduce(0) { $0 * 10 + $1 }
        }
        let days = Self.daysSinceEpoch(year: number(0, 4), month: number(5, 2), day: number(8, 2))
        let seconds = days * 86_400 + number(11, 2) * 3_600 + number(14, 2) * 60 + number(17, 2)
        let fraction = text.utf8.count > 20 ? digits[20..<(digits.count - 1)].prefix(3) : []
        let rest = fraction.reduce(0) { $0 * 10 + $1 } * [1, 100, 10, 1][fraction.count]
        return UInt64(max(0, seconds * 1_000 + rest))
    }

    // MARK: - Calendar

    private static let firstSecond: Int64 = -62_167_219_200  // 0000-01-01T00:00:00Z
    private static let lastSecond: Int64 = 253_402_300_799  // 9999-12-31T23:59:59Z

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
    private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func render(seconds: Int64, fraction: String) -> String {
        "\(CalendarDate(milliseconds: seconds * 1_000).dateAndTime)\(fraction)Z"
    }
}

extension Timestamp: Comparable {
    /// All are in UTC and of the same form up to the fraction of the second, so their texts compare as they do.
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.text.dropLast().utf8.lexicographicallyPrecedes(right.text.dropLast().utf8)
    }
}
