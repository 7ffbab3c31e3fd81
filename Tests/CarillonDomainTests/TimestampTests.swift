import CarillonDomain
import Testing

@Suite struct TimestampTests {
    private func parse(_ text: String) -> String? {
        Array(text.utf8).withUnsafeBytes { Timestamp(rfc3339: $0)?.text }
    }

    @Test(arguments: [
        ("2024-01-01T12:00:00Z", "2024-01-01T12:00:00Z"), ("2024-01-01t12:00:00z", "2024-01-01T12:00:00Z"),
        ("2024-01-01T12:00:00+00:00", "2024-01-01T12:00:00Z"), ("2024-01-01T12:00:00-00:00", "2024-01-01T12:00:00Z"),
        ("2024-01-01T12:00:00+02:30", "2024-01-01T09:30:00Z"), ("2024-01-01T12:00:00-05:00", "2024-01-01T17:00:00Z"),
        ("2024-01-01T00:00:00+00:01", "2023-12-31T23:59:00Z"), ("2023-12-31T23:59:59-23:59", "2024-01-01T23:58:59Z"),
        ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"), ("2023-02-28T23:30:00-01:00", "2023-03-01T00:30:00Z"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"), ("2024-03-01T00:00:00+00:01", "2024-02-29T23:59:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"), ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.5Z"),
        ("2024-01-01T12:00:00.1Z", "2024-01-01T12:00:00.1Z"), ("2024-01-01T12:00:00.000Z", "2024-01-01T12:00:00.000Z"),
        ("2024-01-01T12:00:00.123456789+01:00", "2024-01-01T11:00:00.123456789Z"),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"), ("1900-03-01T00:00:00Z", "1900-03-01T00:00:00Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"), ("0000-02-29T00:00:00Z", "0000-02-29T00:00:00Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"), ("0000-01-01T01:00:00+01:00", "0000-01-01T00:00:00Z"),
    ])
    func valid(text: String, utc: String) {
        #expect(parse(text) == utc)
    }

    @Test(arguments: [
        "", "2024", "2024-01-01", "2024-01-01T12:00:00", "2024-01-01 12:00:00Z", "2024-01-01T12:00Z",
        "2024-01-01T12:00:00 Z",
        "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2024-02-30T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z", "2024-01-01T12:00:00.Z", "2024-01-01T12:00:00,5Z",
        "2024-01-01T12:00:00.5",
        "2024-01-01T12:00:00+24:00", "2024-01-01T12:00:00+00:60", "2024-01-01T12:00:00+0100", "2024-01-01T12:00:00+01",
        "2024-01-01T12:00:00+01:0", "2024-01-01T12:00:00+01:00Z", "2024-01-01T12:00:00ZZ", "2024-01-01T12:00:00Z\n",
        "24-01-01T12:00:00Z   ", "+2024-01-01T12:00:00Z", "-024-01-01T12:00:00Z", "2024-1-01T12:00:00Z0",
        "20240101T120000Z    ",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z", "2024-01-01T12:00:00.5+",
    ])
    func invalid(text: String) {
        #expect(parse(text) == nil)
    }

    @Test func lengthOfAFraction() {
        let head = "2024-01-01T12:00:00."
        #expect(parse(head + String(repeating: "1", count: 27) + "Z") != nil)
        #expect(parse(head + String(repeating: "1", count: 28) + "Z") == nil)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.001Z"), (999, "1970-01-01T00:00:00.999Z"),
            (1_000, "1970-01-01T00:00:01Z"), (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_704_110_400_010, "2024-01-01T12:00:00.010Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "9999-12-31T23:59:59Z"),
            (.max, "9999-12-31T23:59:59.615Z"),
        ] as [(UInt64, String)]
    )
    func milliseconds(value: UInt64, text: String) {
        #expect(Timestamp(milliseconds: value).text == text)
    }

    @Test func eachDayOfFourCenturiesFollowsTheOneBefore() {
        var year = 1_970
        var (month, day) = (1, 1)
        for number in 0..<146_097 {
            let text = Timestamp(milliseconds: UInt64(number) * 86_400_000).text
            let padded = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
            #expect(text == "\(year)-\(padded(month))-\(padded(day))T00:00:00Z")
            #expect(parse(text) == text)
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
            day += 1
            if day > length { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    @Test func nowIsNow() {
        let before = Timestamp.nowMilliseconds()
        let now = Timestamp.now().text
        #expect((Timestamp(milliseconds: before).text...Timestamp(milliseconds: before + 60_000).text).contains(now))
        #expect(parse(now) == now)
    }
}

@Suite struct TimestampOrderTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2024-01-01T12:00:00Z", 1_704_110_400_000),
        ("2024-01-01T12:00:00.5Z", 1_704_110_400_500), ("2024-01-01T12:00:00.1239Z", 1_704_110_400_123),
        ("1969-12-31T23:59:59Z", 0),
    ])
    func millisecondsSince1970(_ text: String, _ milliseconds: UInt64) throws {
        #expect(try #require(Timestamp(rfc3339: text)).milliseconds == milliseconds)
    }

    @Test func laterOnesCompareAsGreater() throws {
        let times = try [
            "2024-01-01T12:00:00Z", "2024-01-01T12:00:00.001Z", "2024-01-01T12:00:00.5Z", "2024-01-01T12:00:01Z",
        ]
        .map { try #require(Timestamp(rfc3339: $0)) }
        #expect(times.sorted() == times)
    }
}
