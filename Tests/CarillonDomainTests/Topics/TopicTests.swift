import CarillonDomain
import NIOCore
import Testing

@Suite struct TopicTests {
    @Test(arguments: ["a", "orders", "orders.eu/7", "ö", "日本", "x:y-z", "0-0", "#", "\"", "\\"])
    func names(name: String) throws {
        let topic = try #require(Topic(name))
        #expect(topic.name == name)
        let place = EntryPlace(StreamID(milliseconds: 7, sequence: 1), in: topic)
        #expect(EntryPlace(place.text) == place)
    }

    @Test(arguments: ["", " ", "a b", "a,b", "a@b", "a\n", "\u{0}", "\u{7f}", "\u{2028}", "\u{a0}", "\u{200b}"])
    func whatIsNoName(name: String) { #expect(Topic(name) == nil) }

    @Test func lengths() {
        #expect(Topic(String(repeating: "a", count: 128)) != nil)
        #expect(Topic(String(repeating: "a", count: 129)) == nil)
        #expect(Topic(String(repeating: "é", count: 64)) != nil)
        #expect(Topic(String(repeating: "é", count: 65)) == nil)
    }

    @Test func namesAreComparedByteByByte() throws {
        #expect(try #require(Topic("e\u{301}")) != #require(Topic("\u{e9}")))
    }

    @Test func places() throws {
        #expect(EntryPlace("7-1@")?.topic == .everybody)
        #expect(EntryPlace("7-1")?.topic == nil)
        for wrong in ["", "@", "@a", "7-1@a b", "-@a", "7-1@a@b"] { #expect(EntryPlace(wrong) == nil) }
        let sorted = ["7-0", "7-0@", "7-0@a", "7-0@b", "7-1", "8-0@"]
        #expect(sorted.reversed().compactMap { EntryPlace($0) }.sorted().map(\.text) == sorted)
    }

    /// A mark that joins the separator before it, so that both are one `Character`.
    @Test(arguments: ["\u{301}x", "\u{20dd}", "\u{fe0f}\u{301}"])
    func namesMayBeginWithACombiningMark(name: String) throws {
        let topic = try #require(Topic(name))
        let id = StreamID(milliseconds: 7, sequence: 1)
        #expect(EntryPlace("7-1@\(name)") == EntryPlace(id, in: topic))
        #expect(StreamPosition("5-0,7-1@\(name),8-0@").map(\.topics) == [topic: id, .everybody: StreamID("8-0")!])
        #expect(try QueryParameters("channels=a,\(name),b").topics("channels") == [Topic("a"), topic, Topic("b")])
        let fields = [("sub:\(name)", "7-1"), ("read:\(name)", "5"), ("gone:\(name)", "6"), ("archived:\(name)", "8")]
        let record = TopicRecord(fields: fields)
        #expect(record.subscriptions == [topic: id] && record.read == [NotificationID(name): 5])
        #expect(record.gone == [NotificationID(name)] && record.marks.archived == [NotificationID(name): 8])
        #expect(TopicRecord.notification(field: "sub:\(name)") == nil)
        #expect(TopicRecord.notification(field: "read:\(name)") == NotificationID(name))
        #expect(InboxMarks.notification(field: "collapse:\(name)", value: "7-1 \(name)") == name)
    }

    @Test func positions() throws {
        let position = try #require(StreamPosition("7-1@a,5-0,8-0@"))
        #expect(position.own == StreamID("5-0") && position.topics.count == 2)
        #expect(position.text == "5-0,7-1@a,8-0@")
        #expect(position.newest == StreamID("8-0"))
        let names = (0..<102).map { "1-0@\($0)" }
        #expect(StreamPosition(names.joined(separator: ",")) != nil)
        #expect(StreamPosition((names + ["1-0"]).joined(separator: ",")) == nil)
    }

    @Test(arguments: [1, 99, 100])
    func channelsOfAFrame(count: Int) throws {
        guard case .subscribe(let topics) = try frame((0..<count).map { "\"c\($0)\"" }) else {
            return #expect(Bool(false))
        }
        #expect(topics.count == count)
    }

    @Test(arguments: [[], (0..<101).map { "\"c\($0)\"" }, ["1"], ["\"a b\""], ["\"\""], ["null"]])
    func framesThatAreRefused(names: [String]) {
        #expect(throws: ClientFrameError.self) { try frame(names) }
    }

    private func frame(_ names: [String]) throws -> ClientFrame {
        let text = "{\"type\":\"subscribe\",\"data\":{\"channels\":[\(names.joined(separator: ","))]}}"
        return try ClientFrame.parse(ByteBuffer(string: text))
    }

    @Test func requests() throws {
        func fault(_ members: String) -> String? {
            do throws(Problem) {
                _ = try NotifyRequest.parse(ByteBuffer(string: "{\"message\":\"m\"\(members)}"), limits: NotifyLimits())
                return nil
            } catch {
                return error.fields.first?.pointer
            }
        }
        let user = #""target":[{"id":1,"login":"a"}]"#
        #expect(fault(#","audience":{"channel":"orders"}"#) == nil)
        #expect(fault(#","audience":{"all":true}"#) == nil)
        #expect(fault(#","audience":{"all":true},"channel":"any label""#) == nil)
        #expect(fault(#","audience":{"channel":"a"},"channel":"a""#) == nil)
        #expect(fault(#","audience":{"channel":"a"},"channel":"b""#) == "/channel")
        #expect(fault(#","audience":{"channel":"a"},\#(user)"#) == "/target")
        #expect(fault("") == "/target")
        for audience in [
            "1", "null", "[]", "{}", #"{"channel":"a","all":true}"#, #"{"channel":"a","x":1}"#, #"{"users":1}"#,
        ] {
            #expect(fault(",\"audience\":\(audience)") == "/audience", "\(audience)")
        }
        #expect(fault(#","audience":{"all":false}"#) == "/audience/all")
        for name in ["1", "null", #""""#, #""a b""#] {
            #expect(fault(",\"audience\":{\"channel\":\(name)}") == "/audience/channel")
        }
    }
}
