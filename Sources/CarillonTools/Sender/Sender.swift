internal import CarillonTLS
package import NIOCore
internal import NIOHTTP1

/// Sends notify requests over a few keep-alive connections, and tries again what may succeed later.
///
/// Every request that may be tried again carries an Idempotency-Key from its first attempt on, so that a lost answer
/// never doubles a notification.
///
/// - Isolation: its event loop
package final class Sender {
    private struct Job {
        let number: Int
        let body: ByteBuffer
        let key: String?
        var attempts = 0
        var backoff: Backoff
    }

    /// One connection and the request it is busy with.
    private final class Slot {
        var connection: HTTPExchangeHandler?
    }

    private let options: SenderOptions
    private let loop: any EventLoop
    private let queue: RequestQueue
    private let report: SenderReport
    private let ended: EventLoopPromise<ToolStatus>
    private let keyPrefix: String
    private var slots: [Slot] = []
    private var idleSlots = 0
    private var underWay = 0
    /// Whether the present trouble was told: of many requests that fail together one line is news, the rest is noise.
    private var didTellTrouble = false
    private var isOver = false
    private var ticker: RepeatedTask?

    private init(_ options: SenderOptions, _ console: Console, _ loop: any EventLoop) {
        self.options = options
        self.loop = loop
        queue = RequestQueue(options.source, on: loop)
        report = SenderReport(options, console)
        ended = loop.makePromise()
        var random = [UInt8](repeating: 0, count: 16)
        random.withUnsafeMutableBytes { SecureRandom.fill($0) }
        keyPrefix = random.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// Sends everything.
    ///
    /// - Isolation: any thread
    /// - Returns: How the process should end, and the numbers.
    package static func run(
        _ options: SenderOptions,
        console: Console,
        on loop: any EventLoop
    ) async throws -> (status: ToolStatus, summary: SenderSummary) {
        try await loop.flatSubmit {
            let sender = Sender(options, console, loop)
            sender.start()
            return sender.ended.futureResult.assumeIsolated()
                .map { (status: $0, summary: sender.report.summary) }.nonisolated()
        }.get()
    }

    private func start() {
        slots = (0..<(options.source.isSingle ? 1 : options.concurrency)).map { _ in Slot() }
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: .milliseconds(200), delay: .milliseconds(200)) { _ in
            bound.value.report.progress()
        }
        for slot in slots { next(slot) }
    }

    private func next(_ slot: Slot) {
        guard !isOver else { return }
        queue.next { item in
            guard !self.isOver else { return }
            switch item {
            case .request(let number, let body):
                self.report.sent()
                self.underWay += 1
                let buffer = ByteBuffer(bytes: body)
                self.attempt(
                    Job(number: number, body: buffer, key: self.key(number), backoff: self.options.backoff),
                    slot
                )
            case .bad(let number, let reason):
                self.report.failed(number, reason)
                // Not at once: a million bad lines would nest a million calls.
                self.loop.assumeIsolated().execute { self.next(slot) }
            case .end: self.idle()
            case .failed(let error):
                self.report.tell("the input cannot be read: \(Connector.describe(error))")
                self.finish(.failure)
            }
        }
    }

    private func key(_ number: Int) -> String? {
        guard let key = options.idempotencyKey else { return options.retries > 0 ? "\(keyPrefix)-\(number)" : nil }
        return options.source.isSingle ? key : "\(key)-\(number)"
    }

    // MARK: One request

    private func attempt(_ job: Job, _ slot: Slot) {
        guard !isOver else { return }
        var job = job
        job.attempts += 1
        if let connection = slot.connection, connection.isOpen {
            send(job, slot, connection)
            return
        }
        let attempted = job
        Connector.connect(to: options.url, tls: options.tls, on: loop)
            .assumeIsolated().flatMapThrowing { channel in
                let exchange = HTTPExchangeHandler()
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(exchange)
                return exchange
            }
            .whenComplete { (result: Result<HTTPExchangeHandler, any Error>) in
                switch result {
                case .success(let connection) where self.isOver: connection.close()
                case .success(let connection):
                    slot.connection = connection
                    self.send(attempted, slot, connection)
                case .failure(let error): self.unreachable(attempted, slot, error)
                }
            }
    }

    private func send(_ job: Job, _ slot: Slot, _ connection: HTTPExchangeHandler) {
        connection.send(head(job), job.body) { result in
            guard !self.isOver else { return }
            switch result {
            case .success(let response): self.answered(job, slot, response)
            case .failure(let error) where Connector.isHopeless(error): self.unreachable(job, slot, error)
            case .failure(let error):
                slot.connection = nil
                self.again(job, slot, Connector.describe(error), after: nil) {
                    self.report.failed(job.number, Connector.describe(error))
                }
            }
        }
    }

    private func head(_ job: Job) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        headers.add(name: "Host", value: options.url.authority)
        headers.add(name: "Content-Type", value: "application/json")
        headers.add(name: "Content-Length", value: String(job.body.readableBytes))
        headers.add(name: "User-Agent", value: "carillon-sender/\(ToolVersion.text)")
        if let key = job.key { headers.add(name: "Idempotency-Key", value: key) }
        return HTTPRequestHead(version: .http1_1, method: .POST, uri: options.url.notifyPath, headers: headers)
    }

    private func answered(_ job: Job, _ slot: Slot, _ response: HTTPResponse) {
        switch response.status {
        case 202:
            report.accepted(job.number, response)
            didTellTrouble = false
            done(slot)
        case 409, 429, 502, 503, 504:
            again(job, slot, response.problem, after: response.retryAfter) { self.report.refused(job.number, response) }
        default:
            report.refused(job.number, response)
            done(slot)
        }
    }

    /// Tries once more after a pause, or calls `giveUp` and goes on with the next.
    private func again(_ job: Job, _ slot: Slot, _ reason: String, after: TimeAmount?, giveUp: () -> Void) {
        guard job.attempts <= options.retries else {
            giveUp()
            done(slot)
            return
        }
        pause(job, slot, reason, after: after)
    }

    private func pause(_ job: Job, _ slot: Slot, _ reason: String, after: TimeAmount?) {
        var job = job
        let jitter = job.backoff.next()
        let pause = after.map { $0 + jitter } ?? jitter
        if options.source.isSingle {
            report.tell("\(reason); trying again in \(pause.seconds) (\(job.attempts) of \(options.retries))")
        } else if !didTellTrouble {
            report.tell("\(reason); trying again")
            didTellTrouble = true
        }
        let paused = job
        loop.assumeIsolated().scheduleTask(in: pause) { self.attempt(paused, slot) }
    }

    private func unreachable(_ job: Job, _ slot: Slot, _ error: any Error) {
        guard !isOver else { return }
        let reason = "cannot connect to \(options.url.authority): \(Connector.describe(error))"
        guard job.attempts <= options.retries, !Connector.isHopeless(error) else {
            report.failed(job.number, reason)
            underWay -= 1
            finish(.unavailable)
            return
        }
        pause(job, slot, reason, after: nil)
    }

    private func done(_ slot: Slot) {
        underWay -= 1
        next(slot)
    }

    // MARK: The end

    private func idle() {
        idleSlots += 1
        if idleSlots == slots.count { finish(report.summary.failed == 0 ? .success : .failure) }
    }

    private func finish(_ status: ToolStatus) {
        isOver = true
        report.abandoned(underWay)
        ticker?.cancel()
        for slot in slots { slot.connection?.close() }
        report.finish()
        ended.succeed(status)
    }
}

@available(*, unavailable)
extension Sender: Sendable {}
