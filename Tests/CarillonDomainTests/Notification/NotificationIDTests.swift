import CarillonDomain
import Testing

@Suite struct NotificationIDTests {
    @Test(arguments: [(0, 0), (.max, .max), (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)] as [(UInt64, UInt64)])
    func form(high: UInt64, low: UInt64) {
        let text = Array(NotificationID(randomBytes: (high, low)).text)
        #expect(text.count == 36)
        #expect([8, 13, 18, 23].allSatisfy { text[$0] == "-" })
        #expect(text[14] == "4")
        #expect("89ab".contains(text[19]))
        #expect(text.filter { $0 != "-" }.allSatisfy { "0123456789abcdef".contains($0) })
        #expect(text.count { $0 == "-" } == 4)
    }

    @Test func bytesStandInOrder() {
        let id = NotificationID(randomBytes: (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210))
        #expect(id.text == "01234567-89ab-4def-bedc-ba9876543210")
        #expect(NotificationID(randomBytes: (0, 0)).text == "00000000-0000-4000-8000-000000000000")
        #expect(NotificationID(randomBytes: (.max, .max)).text == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    }

    @Test func noneIsMadeTwice() {
        var generator = NotificationIDGenerator()
        var other = NotificationIDGenerator()
        var seen: Set<NotificationID> = []
        for _ in 0..<5_000 {
            seen.insert(generator.next())
            seen.insert(other.next())
        }
        #expect(seen.count == 10_000)
    }

    @Test func everyFreeBitVaries() {
        var generator = NotificationIDGenerator()
        var ones = [Int](repeating: 0, count: 128)
        for _ in 0..<2_000 {
            let digits = generator.next().text.filter { $0 != "-" }.map { $0.hexDigitValue ?? 0 }
            for (place, digit) in digits.enumerated() {
                for bit in 0..<4 where digit >> (3 - bit) & 1 == 1 { ones[place * 4 + bit] += 1 }
            }
        }
        let fixed = Set([48, 49, 50, 51, 64, 65])
        for (bit, count) in ones.enumerated() where !fixed.contains(bit) {
            #expect((800...1_200).contains(count), "bit \(bit)")
        }
    }

    /// Another program's ids are compared as Redis compares keys.
    @Test func idsAreComparedByteByByte() {
        #expect(NotificationID("\u{e9}") != NotificationID("e\u{301}"))
        #expect(NotificationID("a") == NotificationID("a"))
        #expect(Set([NotificationID("\u{e9}"), NotificationID("e\u{301}")]).count == 2)
    }
}
