/// A moment in UTC, taken apart into the numbers of the proleptic Gregorian calendar.
package struct CalendarDate: Hashable, Sendable {
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to 31.
    package let day: Int
    /// 0 is Sunday.
    package let weekday: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    package let millisecond: Int

    /// The present moment by the wall clock.
    package static func now() -> CalendarDate { CalendarDate(milliseconds: Int64(Timestamp.nowMilliseconds())) }

    /// - Parameter milliseconds: Since 1970-01-01T00:00:00Z; negative before.
    package init(milliseconds: Int64) {
        let (days, rest) = Self.floored(Int(milliseconds), by: 86_400_000)
        hour = rest / 3_600_000
        minute = rest / 60_000 % 60
        second = rest / 1_000 % 60
        millisecond = rest % 1_000
        // 1970-01-01 was a Thursday.
        weekday = Self.floored(days + 4, by: 7).remainder
        // Years are counted from March, so that the leap day comes last; 719,468 days lead from 0000-03-01 to 1970.
        let (era, dayOfEra) = Self.floored(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// `2024-01-01T12:00:00.000Z`, always with milliseconds.
    ///
    /// - Source: RFC 3339 section 5.6
    package var rfc3339: String { "\(dateAndTime).\(Self.padded(millisecond, to: 3))Z" }

    /// `Mon, 01 Jan 2024 12:00:00 GMT`.
    ///
    /// - Source: RFC 9110 section 5.6.7
    package var httpDate: String {
        let date = "\(Self.padded(day, to: 2)) \(Self.months[month - 1]) \(Self.padded(year, to: 4))"
        return "\(Self.weekdays[weekday]), \(date) \(time) GMT"
    }

    /// `2024-01-01T12:00:00`
    var dateAndTime: String {
        "\(Self.padded(year, to: 4))-\(Self.padded(month, to: 2))-\(Self.padded(day, to: 2))T\(time)"
    }

    private var time: String {
        "\(Self.padded(hour, to: 2)):\(Self.padded(minute, to: 2)):\(Self.padded(second, to: 2))"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func padded(_ number: Int, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Division whose remainder is never negative.
    private static func floored(_ number: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
