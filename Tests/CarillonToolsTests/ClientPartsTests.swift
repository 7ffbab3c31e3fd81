import NIOCore
import Testing

@testable import CarillonTools

@Suite struct ClientPartsTests {
    private func push(_ json: String) throws -> String {
        PushPrinter(colour: false).push(try JSONValue(parsing: Array(json.utf8)))
    }

    @Test func pushLines() throws {
        #expect(
            try push(
                #"""
                {"created_at":"2024-01-01T12:00:00Z","status":"unread","source":"orders","title":"Shipped",
                "message":"On its way","priority":"urgent"}
                """#
            ) == "2024-01-01T12:00:00Z UNREAD URGENT [orders] Shipped: On its way"
        )
        #expect(try push(#"{"created_at":"t","status":"read","message":"m","source":""}"#) == "t READ m")
        #expect(
            try push(#"{"created_at":"t","status":"auto_cleared","message":"","source":"","notification_id":"n"}"#)
                == "t AUTO-CLEARED n"
        )
    }

    @Test func pushLinesNameTheTopic() throws {
        #expect(
            try push(#"{"created_at":"t","status":"unread","source":"s","message":"m","stream_id":"1-0@orders"}"#)
                == "t UNREAD (channel orders) [s] m"
        )
        #expect(
            try push(#"{"created_at":"t","status":"read","message":"m","stream_id":"1-0@"}"#) == "t READ (everybody) m"
        )
        #expect(try push(#"{"created_at":"t","status":"read","message":"m","stream_id":"1-0"}"#) == "t READ m")
    }

    @Test func positionsOfSeveralStreams() throws {
        let ready = #"{"last_stream_id":"5-0","topics":{"":"4-1","b":"9-0","a":"3-0"}}"#
        var positions = StreamPositions(ready: try JSONValue(parsing: Array(ready.utf8)))
        #expect(positions.text == "5-0,4-1@,3-0@a,9-0@b")
        for id in ["7-2@a", "6-0", "8-0@new", "9-9@"] { positions.advance(to: id) }
        #expect(positions.text == "6-0,9-9@,7-2@a,9-0@b,8-0@new")
    }

    @Test func messagesCannotDriveTheTerminal() throws {
        let line = try push(
            #"{"created_at":"\u001b]0;x\u0007","status":"\u001b[1m","source":"\r","title":"\n","message":"\u001b[2J\u009b"}"#
        )
        #expect(line == #"\u001b]0;x\u0007 \u001b[1M [\r] \n: \u001b[2J\u009b"#)
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test func colours() throws {
        let data = try JSONValue(parsing: Array(#"{"status":"unread","title":"T","message":"m"}"#.utf8))
        #expect(PushPrinter(colour: true).push(data) == "\u{1b}[1;33mUNREAD\u{1b}[0m \u{1b}[1mT:\u{1b}[0m m")
    }

    private func item(_ number: Int) -> ReadQueue.Item {
        ReadQueue.Item(notificationID: "n\(number)", streamID: "\(number)-0")
    }

    @Test(arguments: [99, 100, 101])
    func aFrameNamesAHundred(count: Int) {
        var queue = ReadQueue()
        let now = NIODeadline.now()
        for number in 0..<count { queue.add(item(number), due: now) }
        #expect(queue.takeDue(now).count == min(count, 100))
        #expect(queue.takeDue(now).count == max(count - 100, 0))
        #expect(queue.takeDue(now).isEmpty)
        for number in 0..<count { queue.settle("n\(number)") }
        #expect(queue.isEmpty)
    }

    @Test func readsWaitForTheirTime() {
        var queue = ReadQueue()
        let now = NIODeadline.now()
        queue.add(item(1), due: now)
        queue.add(item(1), due: now)
        queue.add(item(2), due: now + .seconds(1))
        #expect(queue.takeDue(now) == [item(1)])
        #expect(queue.nextDue == now + .seconds(1))
        queue.connectionLost(now)
        #expect(queue.takeDue(now) == [item(1)], "what was not acknowledged is sent again")
        queue.settleOldest()
        queue.settle("n2")
        #expect(queue.isEmpty)
        queue.settle("n2")
        queue.settleOldest()
        #expect(queue.isEmpty)
    }

    @Test func clientLimits() throws {
        func check(_ change: (inout ClientOptions) -> Void) throws {
            var options = try ClientOptions(url: nil, userID: nil, login: nil)
            change(&options)
            try options.validate()
        }
        for limit in [1, 100] { try check { $0.syncLimit = limit } }
        for limit in [0, 101] { #expect(throws: UsageError.self) { try check { $0.syncLimit = limit } } }
        try check { $0.channels = ["orders", "news"] }
        #expect(throws: UsageError.self) { try check { $0.channels = ["orders", ""] } }
        try check { $0.count = 1 }
        #expect(throws: UsageError.self) { try check { $0.count = 0 } }
        for seconds in [0, 31_536_000.0] { try check { $0.timeoutSeconds = seconds } }
        for seconds in [-0.1, 31_536_001, .nan, .infinity] {
            #expect(throws: UsageError.self) { try check { $0.timeoutSeconds = seconds } }
            #expect(throws: UsageError.self) { try check { $0.readAfterSeconds = seconds } }
        }
    }
}
