import CarillonTLS
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@Suite struct TLSClientHandlerTests {
    private static let files = Result { try Certificates() }
    private let files: Certificates
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    init() throws { files = try Self.files.get() }

    private var trusting: TLSClientConfiguration { TLSClientConfiguration(caFile: files.path("ca.pem")) }

    private func connect(
        _ server: TLSServer,
        _ configuration: TLSClientConfiguration,
        name: String = "localhost",
        sending: ByteBuffer = ByteBuffer()
    ) -> Recorder {
        let recorder = Recorder(loop)
        ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = try TLSClientHandler(configuration: configuration, serverHostname: name)
                try channel.pipeline.syncOperations.addHandlers([handler, recorder.handler()])
                // Before the connection is there: has to wait for the handshake.
                channel.writeAndFlush(sending, promise: nil)
            }
        }.connect(host: "127.0.0.1", port: server.port).whenFailure { recorder.ended.fail($0) }
        return recorder
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func echoesAMebibyteAndClosesCleanly(name: String) async throws {
        let server = try TLSServer(.echo, files: files)
        let mebibyte = ByteBuffer(bytes: (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
        let recorder = connect(server, trusting, name: name, sending: mebibyte)
        recorder.closeAfter(bytes: mebibyte.readableBytes)
        let end = try await recorder.ended.futureResult.get()
        #expect(end.received == mebibyte)
        #expect(end.errors.isEmpty)
        #expect(end.activations == 1)
        #expect(server.verdict() == "clean", "the peer must see close_notify")
    }

    @Test func oneFlushIsOneSocketWrite() async throws {
        let server = try TLSServer(.echo, files: files)
        let recorder = Recorder(loop)
        recorder.closeAfter(bytes: 300_000)
        let counter = NIOLoopBoundBox.makeBoxSendingValue(WriteCounter.Counts(), eventLoop: loop)
        let configuration = trusting
        let channel = try await ClientBootstrap(group: loop).connect(host: "127.0.0.1", port: server.port).get()
        try await channel.eventLoop.submit {
            let handler = try TLSClientHandler(configuration: configuration, serverHostname: "localhost")
            try channel.pipeline.syncOperations.addHandlers([WriteCounter(counter), handler, recorder.handler()])
            let piece = ByteBuffer(repeating: 7, count: 100_000)
            for _ in 0..<3 { channel.write(piece, promise: nil) }
            channel.flush()
        }.get()
        let end = try await recorder.ended.futureResult.get()
        #expect(end.received.readableBytes == 300_000)
        let counts = try await channel.eventLoop.submit { counter.value }.get()
        #expect(counts.largest > 300_000, "three writes and their twenty records in one")
        #expect(counts.writes <= 4, "ClientHello, Finished, the data, close_notify")
    }

    @Test func joinsAnActiveChannel() async throws {
        let server = try TLSServer(.echo, files: files)
        let channel = try await ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: server.port).get()
        let recorder = Recorder(loop)
        recorder.closeAfter(bytes: 5)
        let configuration = trusting
        try await channel.eventLoop.submit {
            let handler = try TLSClientHandler(configuration: configuration, serverHostname: "localhost")
            try channel.pipeline.syncOperations.addHandlers([handler, recorder.handler()])
        }.get()
        channel.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
        // One request for data, although the handshake and tickets come first.
        channel.read()
        let end = try await recorder.ended.futureResult.get()
        #expect(end.received == ByteBuffer(string: "hello"))
        #expect(end.activations == 1)
        #expect(end.errors.isEmpty)
    }

    @Test func wrongHost() async throws {
        let server = try TLSServer(.echo, files: files)
        let end = try await connect(server, trusting, name: "other.example").ended.futureResult.get()
        let message = "certificate verify failed: host name mismatch, the certificate is not for other.example"
        #expect(end.errors.map(\.message) == [message])
        #expect(end.errors.map(\.code) == [.certificate])
        #expect(end.activations == 0)
        #expect(server.verdict().hasPrefix("refused"), "the peer hears why")
    }

    @Test func wrongAddress() async throws {
        let server = try TLSServer(.echo, files: files)
        let end = try await connect(server, trusting, name: "127.0.0.2").ended.futureResult.get()
        #expect(
            end.errors.map(\.message)
                == ["certificate verify failed: address mismatch, the certificate is not for 127.0.0.2"]
        )
    }

    @Test func unknownAuthority() async throws {
        let server = try TLSServer(.echo, files: files)
        let configuration = TLSClientConfiguration(caFile: files.path("other.pem"))
        let end = try await connect(server, configuration).ended.futureResult.get()
        #expect(end.errors.first?.message == "certificate verify failed: unable to get local issuer certificate")
    }

    @Test func expired() async throws {
        let server = try TLSServer(.echo, certificate: .expired, files: files)
        let end = try await connect(server, trusting).ended.futureResult.get()
        #expect(end.errors.map(\.message) == ["certificate verify failed: certificate has expired"])
    }

    @Test func verificationOff() async throws {
        let server = try TLSServer(.bye, certificate: .expired, files: files)
        let configuration = TLSClientConfiguration(verify: false)
        let end = try await connect(server, configuration, name: "other.example").ended.futureResult.get()
        #expect(end.received == ByteBuffer(string: "bye"))
        #expect(end.errors.isEmpty)
    }

    @Test func peerSaysClose() async throws {
        let server = try TLSServer(.bye, files: files)
        let end = try await connect(server, trusting).ended.futureResult.get()
        #expect(end.received == ByteBuffer(string: "bye"))
        #expect(end.errors.isEmpty)
        #expect(server.verdict() == "clean", "close_notify is answered")
    }

    @Test func peerCutsTheConnection() async throws {
        let server = try TLSServer(.cut, files: files)
        let end = try await connect(server, trusting).ended.futureResult.get()
        #expect(end.received == ByteBuffer(string: "bye"))
        #expect(end.errors.map(\.code) == [.truncated])
    }

    @Test func configurationErrors() {
        #expect(throws: TLSError.self) {
            _ = try TLSClientHandler(configuration: .init(caFile: "/nowhere/ca.pem"), serverHostname: "localhost")
        }
        #expect(throws: TLSError.self) {
            _ = try TLSClientHandler(configuration: .init(), serverHostname: "")
        }
    }
}

/// The handshake's own rules, without a peer.
@Suite struct TLSHandshakeTests {
    private func channel() throws -> (EmbeddedChannel, EventLoopFuture<Void>) {
        let channel = EmbeddedChannel()
        let handler = try TLSClientHandler(configuration: .init(verify: false), serverHostname: "localhost")
        try channel.pipeline.syncOperations.addHandler(handler)
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        channel.writeAndFlush(ByteBuffer(string: "early"), promise: promise)
        return (channel, promise.futureResult)
    }

    @Test func silentPeerIsGivenUp() throws {
        let (channel, write) = try channel()
        #expect(try channel.readOutbound(as: ByteBuffer.self)?.readableBytes ?? 0 > 100, "a ClientHello")
        channel.embeddedEventLoop.advanceTime(by: TLSClientHandler.handshakeTimeout - .nanoseconds(1))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1))
        #expect(!channel.isActive)
        #expect(throws: TLSError.self) { try channel.throwIfErrorCaught() }
        #expect(throws: TLSError.self) { try write.wait() }
    }

    @Test func peerThatSpeaksNoTLS() throws {
        let (channel, write) = try channel()
        let error = #expect(throws: TLSError.self) {
            try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
        }
        #expect(error?.message.contains("wrong version number") == true)
        #expect(!channel.isActive)
        #expect(throws: TLSError.self) { try write.wait() }
    }

    @Test func peerThatHangsUp() throws {
        let (channel, write) = try channel()
        channel.pipeline.fireChannelInactive()
        let error = #expect(throws: TLSError.self) { try channel.throwIfErrorCaught() }
        #expect(error?.code == .handshake)
        #expect(throws: (any Error).self) { try write.wait() }
    }

    @Test func closingEarlyIsNoError() throws {
        let (channel, write) = try channel()
        try channel.close().wait()
        try channel.throwIfErrorCaught()
        #expect(throws: ChannelError.self) { try write.wait() }
    }
}
