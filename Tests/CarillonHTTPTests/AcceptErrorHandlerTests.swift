import Foundation
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import CarillonHTTP

@Suite struct AcceptErrorHandlerTests {
    /// Whether the listening socket is read after each step.
    @Test func pausesForASecondWithoutDescriptors() throws {
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(loop: loop)
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try channel.pipeline.syncOperations.addHandler(AcceptErrorHandler(silent))
        var isReading: Bool {
            channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool ?? true
        }

        channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
        #expect(isReading)
        channel.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
        #expect(!isReading)
        loop.advanceTime(by: .milliseconds(999))
        #expect(!isReading)
        loop.advanceTime(by: .milliseconds(1))
        #expect(isReading)
        channel.pipeline.fireErrorCaught(IOError(errnoCode: ENFILE, reason: "accept"))
        #expect(!isReading)
        // The channel was never closed for any of this.
        #expect(channel.isActive == false && channel.closeFuture.isFulfilledNow == false)
    }
}

extension EventLoopFuture {
    fileprivate var isFulfilledNow: Bool {
        var isFulfilled = false
        assumeIsolated().whenComplete { _ in isFulfilled = true }
        return isFulfilled
    }
}
