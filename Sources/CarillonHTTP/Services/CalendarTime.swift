#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A point in time in UTC, for the two ways in which answers write one.
struct CalendarTime {
    private let year: Int
    private let month: Int
    private let day: Int
    private let weekday: Int
    private let secondOfDay: Int
    private let millisecond: Int

    init(unixMs: Int64) {
        let seconds = Int(unixMs.flooredQuotient(by: 1000))
        millisecond = Int(unixMs) - seconds * 1000
        let days = seconds.flooredQuotient(by: 86_400)
        secondOfDay = seconds - days * 86_400
        // 1970-01-01 was a Thursday.
        weekday = ((days + 4) % 7 + 7) % 7
        // Years are counted from March, so that the leap day comes last; 719,468 days lead from 0000-03-01 to 1970.
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// The wall clock.
    static var now: CalendarTime {
        CalendarTime(unixMs: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// `2024-01-01T12:00:00.000Z`.
    ///
    /// - Source: RFC 3339 §5.6
    var rfc3339: String {
        let year = Self.padded(year, to: 4)
        return "\(year)-\(Self.padded(month))-\(Self.padded(day))T\(clock).\(Self.padded(millisecond, to: 3))Z"
    }

    /// `Mon, 01 Jan 2024 12:00:00 GMT`.
    ///
    /// - Source: RFC 9110 §5.6.7
    var httpDate: String {
        let name = Self.months[month - 1]
        return "\(Self.weekdays[weekday]), \(Self.padded(day)) \(name) \(Self.padded(year, to: 4)) \(clock) GMT"
    }

    private var clock: String {
        "\(Self.padded(secondOfDay / 3600)):\(Self.padded(secondOfDay / 60 % 60)):\(Self.padded(secondOfDay % 60))"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func padded(_ number: Int, to width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension BinaryInteger {
    fileprivate func flooredQuotient(by divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
