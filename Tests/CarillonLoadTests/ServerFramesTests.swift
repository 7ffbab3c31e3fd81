import CarillonDomain
import NIOCore
import Testing

@testable import CarillonLoad

@Suite struct ServerFramesTests {
    private func frame(_ head: [UInt8], _ text: String) -> [UInt8] { head + Array(text.utf8) }

    private func all(_ bytes: [UInt8], by step: Int) throws -> [String] {
        var frames = ServerFrames()
        var texts: [String] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            frames.append(ByteBuffer(bytes: bytes[start..<min(start + step, bytes.count)]))
            while let frame = try frames.nextFrame() { texts.append(String(buffer: frame.payload)) }
        }
        return texts
    }

    @Test(arguments: [1, 2, 3, 7, 100_000])
    func cutsFramesHoweverTheyCome(step: Int) throws {
        let middle = String(repeating: "m", count: 300)
        let long = String(repeating: "l", count: 70_000)
        let bytes =
            frame([0x81, 5], "short") + frame([0x81, 126, 1, 44], middle) + frame([0x89, 0], "")
            + frame([0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70], long)
        #expect(try all(bytes, by: step) == ["short", middle, "", long])
    }

    @Test(arguments: [[0x01, 1], [0x81, 0x81], [0xc1, 1], [0x83, 1]] as [[UInt8]])
    func refusesWhatThisServerMustNotSend(head: [UInt8]) {
        #expect(throws: LoadError.self) { try all(head + [0], by: 10) }
    }

    @Test(arguments: [0, 125, 126, 65_535, 65_536])
    func ownFramesAreMasked(length: Int) {
        let payload = ByteBuffer(repeating: 0x41, count: length)
        var encoded = ServerFrames.encodeMasked(.text, payload, mask: 0x0102_0304)
        let headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10
        #expect(encoded.readableBytes == headBytes + 4 + length)
        encoded.moveReaderIndex(forwardBy: headBytes)
        let mask = encoded.readBytes(length: 4) ?? []
        let plain = encoded.readableBytesView.enumerated().map { $1 ^ mask[$0 & 3] }
        #expect(plain == [UInt8](repeating: 0x41, count: length))
    }
}

@Suite struct HTTPHeadTests {
    private func read(_ text: String) throws -> HTTPHead? {
        var buffer = ByteBuffer(string: text)
        var searched = 0
        return try HTTPHead.read(from: &buffer, searched: &searched)
    }

    @Test func readsWhatPostersNeed() throws {
        let head = try #require(
            try read("HTTP/1.1 503 Down\r\nCONTENT-length: 12\r\nRetry-After:  3\r\nConnection: Close\r\n\r\nrest")
        )
        #expect(head.status == 503 && head.contentLength == 12 && head.retryAfterSeconds == 3 && head.closes)
        #expect(!head.isReplayed && !head.isAccepted)
        #expect(try #require(try read("HTTP/1.1 202 OK\r\nidempotent-replayed: true\r\n\r\n")).isReplayed)
    }

    @Test func acceptsOnlyTheRightAnswerToTheHandshake() throws {
        let start = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: "
        #expect(try #require(try read("\(start)\(Handshake.accept)\r\n\r\n")).isAccepted)
        #expect(!(try #require(try read("\(start)wrong\r\n\r\n")).isAccepted))
    }

    @Test func waitsForTheEnd() throws {
        var buffer = ByteBuffer()
        var searched = 0
        for byte in "HTTP/1.1 200 OK\r\n\r".utf8 {
            buffer.writeInteger(byte)
            #expect(try HTTPHead.read(from: &buffer, searched: &searched) == nil)
        }
        buffer.writeString("\nbody")
        #expect(try HTTPHead.read(from: &buffer, searched: &searched)?.status == 200)
        #expect(String(buffer: buffer) == "body")
    }

    @Test(arguments: [
        "SMTP 200 OK, I think\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ])
    func refuses(_ text: String) { #expect(throws: LoadError.self) { try read(text) } }
}

@Suite struct ServerMessageTests {
    @Test func isNotDeceivedByText() throws {
        let text = #"""
            {"type":"notification.push","data":{"notification_id":"f4c24798-f827-4bab-835f-0d2083ab1fa0","stream_id":"5-6",
            "message":"\"},\"type\":\"error\",\"stream_id\":\"1-1\"","status":"read","read":true,"type":"session.ready",
            "data":{"stream_id":"9-9","status":"unread"}}}
            """#
        guard case .push(let push) = try ServerMessage(ByteBuffer(string: text)) else {
            Issue.record("not a push")
            return
        }
        #expect(push.entry.streamID.text == "5-6" && push.status == .read)
        #expect(String(buffer: push.message) == #"\"},\"type\":\"error\",\"stream_id\":\"1-1\""#)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"type":"notification.push"}"#, #"{"type":"notification.push","data":{"stream_id":"5-6"}}"#,
        #"{"type":"session.ready","data":{"unread_count":-1,"epoch":"e","last_stream_id":"0-0"}}"#, #"{"type":"x",}"#,
    ])
    func refuses(_ text: String) {
        #expect(throws: LoadError.self) { try ServerMessage(ByteBuffer(string: text)) }
    }

    @Test func passesOverOtherTypes() throws {
        guard case .other = try ServerMessage(ByteBuffer(string: #"{"type":"sync.response","data":[{"a":1}]}"#)) else {
            Issue.record("not passed over")
            return
        }
    }
}

@Suite struct LoadUUIDTests {
    @Test func keepsTheText() {
        let text = "f4c24798-f827-4bab-835f-0d2083ab1fa0"
        #expect(LoadUUID(text)?.text == text)
        #expect(LoadUUID(text.uppercased())?.text == text)
    }

    @Test(arguments: ["", "f4c24798", "f4c24798xf827-4bab-835f-0d2083ab1fa0", "g4c24798-f827-4bab-835f-0d2083ab1fa0"])
    func refuses(_ text: String) { #expect(LoadUUID(text) == nil) }
}
