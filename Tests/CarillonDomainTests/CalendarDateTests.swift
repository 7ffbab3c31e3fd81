import CarillonDomain
import Glibc
import Testing

@Suite struct CalendarDateTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (784_111_777_000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400_007, "2000-02-29T00:00:00.007Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_704_110_400_999, "2024-01-01T12:00:00.999Z", "Mon, 01 Jan 2024 12:00:00 GMT"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z", "Sat, 01 Jan 0000 00:00:00 GMT"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String, String)]
    )
    func aMomentIsWrittenInBothFormats(milliseconds: Int64, rfc3339: String, httpDate: String) {
        let date = CalendarDate(milliseconds: milliseconds)
        #expect(date.rfc3339 == rfc3339)
        #expect(date.httpDate == httpDate)
    }

    /// 400 years, after which the calendar repeats itself, against the C library's.
    @Test func everyDayIsTheOneOfTheCLibrary() {
        for day in -1..<146_097 {
            let date = CalendarDate(milliseconds: Int64(day) * 86_400_000)
            var seconds = day * 86_400
            var parts = tm()
            gmtime_r(&seconds, &parts)
            let ours = [date.year, date.month, date.day, date.weekday]
            let theirs = [parts.tm_year + 1_900, parts.tm_mon + 1, parts.tm_mday, parts.tm_wday].map(Int.init)
            if ours != theirs { Issue.record("day \(day) is \(theirs), not \(ours)") }
        }
    }

    /// A fraction of zero is not written.
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.001Z"), (1_704_110_400_000, "2024-01-01T12:00:00Z"),
            (1_704_110_400_120, "2024-01-01T12:00:00.120Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59Z"), (.max, "9999-12-31T23:59:59.615Z"),
        ] as [(UInt64, String)]
    )
    func aTimestampOfMilliseconds(milliseconds: UInt64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).text == text)
    }

    @Test(arguments: [
        ("2024-01-01T12:00:00.5+02:00", "2024-01-01T10:00:00.5Z"), ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("1969-12-31T23:59:60Z", "1970-01-01T00:00:00Z"), ("2023-03-01t00:30:00.25+01:00", "2023-02-28T23:30:00.25Z"),
    ])
    func aTimestampOfText(text: String, inUTC: String) {
        #expect(Array(text.utf8).withUnsafeBytes { Timestamp(rfc3339: $0) }?.text == inUTC)
    }
}
