import NIOCore
import Testing

@testable import CarillonStore

/// Two reads of long payloads are under way at once; the others wait, in the order in which they came.
@Suite struct LongPayloadsTests {
    @Test func turns() {
        let reads = LongPayloads()
        var begun: [Int] = []
        var leaves: [() -> Void] = []
        for number in 0..<5 {
            reads.enter { leave in
                begun.append(number)
                leaves.append(leave)
            }
        }
        for count in 2...5 {
            #expect(begun == Array(0..<count))
            leaves.removeFirst()()
        }
        leaves.removeFirst()()
        // Both are free again.
        for number in 5..<8 { reads.enter { _ in begun.append(number) } }
        #expect(begun == Array(0..<7))
    }

    @Test func oneThatIsDoneAtOnce() {
        let reads = LongPayloads()
        var count = 0
        for _ in 0..<10 {
            reads.enter { leave in
                count += 1
                leave()
            }
        }
        #expect(count == 10)
    }

    @Test func averageLength() {
        let payloads: [ByteBuffer?] = [ByteBuffer(string: "12345"), nil, ByteBuffer(string: "1")]
        #expect(payloads.averageLength == 2)
        #expect([ByteBuffer?]().averageLength == nil)
    }
}
