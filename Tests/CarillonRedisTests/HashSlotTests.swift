import Testing

@testable import CarillonRedis

@Suite struct HashSlotTests {
    private func slot(_ key: String) -> UInt16 { HashSlot.of(Array(key.utf8)) }

    /// Values that `CLUSTER KEYSLOT` of a server gives.
    @Test(arguments: [("", 0), ("123456789", 12_739), ("foo", 12_182), ("notif:pods:hb", 14_657)])
    func slotsOfKeys(key: String, expected: Int) {
        #expect(slot(key) == UInt16(expected))
    }

    @Test func aTagChoosesTheSlot() {
        #expect(slot("{user1000}.following") == slot("user1000"))
        #expect(slot("stream:user:1-{x}y") == slot("x"))
        // Only the first opening brace counts, and the first closing one behind it.
        #expect(slot("foo{bar}{zap}") == slot("bar"))
        #expect(slot("foo{{bar}}zap") == slot("{bar"))
    }

    @Test func emptyAndOpenTagsAreNone() {
        for key in ["foo{}{bar}", "foo{bar", "foo}bar{", "{}"] {
            var crc: UInt16 = 0
            for byte in key.utf8 {
                crc ^= UInt16(byte) << 8
                for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
            }
            #expect(slot(key) == crc % 16_384)
        }
    }
}
