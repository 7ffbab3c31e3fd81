import Dispatch
import Foundation

/// Has Ctrl-C and SIGTERM end this process in the usual way, so that the processes it started end with it.
package final class Interrupts {
    private let sources: [any DispatchSourceSignal]

    /// In force until it is released.
    package init() {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { Foundation.exit(130) }
            source.resume()
            return source
        }
    }

    deinit { sources.forEach { $0.cancel() } }
}
