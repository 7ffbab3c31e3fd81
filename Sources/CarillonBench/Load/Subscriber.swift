internal import CarillonDomain
internal import CarillonLoad
internal import Glibc
internal import NIOCore

/// One device under load: it connects, counts what it gets, and answers what it must.
///
/// - Isolation: the event loop
final class Subscriber: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let number: Int
    private unowned let audience: Audience
    private var context: ChannelHandlerContext?
    private var frames = ServerFrames()
    private var isUpgraded = false
    private(set) var isReady = false
    private var isEnded = false

    init(number: Int, audience: Audience) {
        self.number = number
        self.audience = audience
    }

    func connect() {
        let bound = NIOLoopBound(self, eventLoop: audience.eventLoop)
        LoadConnector.connect(
            audience.eventLoop,
            to: audience.address(of: number),
            timeout: .seconds(10),
            handler: self
        )
        .whenFailure { _ in bound.value.end() }
    }

    func close() { context?.close(promise: nil) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(audience.handshake(of: number)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        frames.append(unwrapInboundIn(data))
        do throws(LoadError) {
            if !isUpgraded {
                guard let head = try frames.nextHead() else { return }
                guard head.isAccepted else { throw LoadError("the handshake was answered \(head.status)") }
                isUpgraded = true
                if let hello = audience.hello(of: number) { write(opcode, hello) }
                if case .upgraded = audience.wire.ready { becomeReady() }
            }
            while let frame = try frames.nextFrame() { received(frame) }
        } catch {
            audience.failed(error)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end() {
        guard !isEnded else { return }
        isEnded = true
        audience.ended(self)
    }

    private func becomeReady() {
        isReady = true
        audience.ready(self)
    }

    private func received(_ frame: ServerFrames.Frame) {
        switch frame.opcode {
        case .text, .binary: received(frame.payload)
        case .ping: write(.pong, frame.payload)
        case .pong: break
        case .close: context?.close(promise: nil)
        }
    }

    private func received(_ payload: ByteBuffer) {
        var start = 0
        var isMessage = false
        // A rival may put several messages into a frame.
        while let stamp = payload.withUnsafeReadableBytes({ Stamp(in: $0, from: &start) }) {
            isMessage = true
            audience.received(stamp, payload, by: self)
        }
        guard !isMessage else { return }
        if let liveness = audience.wire.liveness, payload.contains(liveness.question) {
            write(opcode, ByteBuffer(staticString: liveness.answer))
        } else {
            audience.said(payload, to: self)
            if !isReady, case .frame(let text) = audience.wire.ready, payload.contains(text) { becomeReady() }
        }
    }

    private var opcode: ServerFrames.Opcode { audience.wire.sendsBinary ? .binary : .text }

    func write(_ opcode: ServerFrames.Opcode, _ payload: ByteBuffer) {
        guard let context else { return }
        let frame = ServerFrames.encodeMasked(opcode, payload, mask: .random(in: .min ... .max))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}

@available(*, unavailable)
extension Subscriber: Sendable {}

extension ByteBuffer {
    func contains(_ text: StaticString) -> Bool {
        withUnsafeReadableBytes { bytes in
            let word = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
            guard let base = bytes.baseAddress, bytes.count >= word.count else { return false }
            return (0...bytes.count - word.count).contains {
                bytes[$0] == word[0] && memcmp(base + $0, word.baseAddress!, word.count) == 0
            }
        }
    }
}
