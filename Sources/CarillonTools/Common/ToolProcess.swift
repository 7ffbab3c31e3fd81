internal import Dispatch
internal import NIOCore
internal import NIOPosix

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension NotificationClient {
    /// Runs a client on the process's own output until it is done or SIGINT or SIGTERM comes, which is a clean end.
    package static func run(_ options: ClientOptions) async throws -> ToolStatus {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let interrupted = loop.makePromise(of: Void.self)
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { interrupted.succeed() }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            interrupted.succeed()
        }
        return try await run(options, console: .standard(), on: loop, until: interrupted.futureResult)
    }
}

extension Sender {
    /// Sends everything, with the process's own output.
    package static func run(_ options: SenderOptions) async throws -> ToolStatus {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return try await run(options, console: .standard(), on: loop).status
    }
}
