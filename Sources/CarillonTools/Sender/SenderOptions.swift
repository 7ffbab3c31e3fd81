internal import CarillonTLS
internal import NIOCore

/// What the sender is asked to do.
package struct SenderOptions: Sendable {
    package var url: ServerURL
    package var source: RequestSource
    /// PEM file of the certificates to trust instead of the system's.
    package var caFile: String?
    package var verifiesCertificate = true
    /// Requests under way at a time, each on a connection of its own.
    package var concurrency = 16
    /// Attempts after the first.
    package var retries = 5
    /// Where there may be several requests, each gets the key with its number behind it.
    package var idempotencyKey: String?
    /// Print each answer and the summary as one line of JSON.
    package var json = false
    var backoff = Backoff(base: .milliseconds(250), cap: .seconds(10))

    var tls: TLSClientConfiguration { TLSClientConfiguration(caFile: caFile, verify: verifiesCertificate) }

    /// - Throws: `UsageError` for an address that cannot be used.
    package init(url: String?, source: RequestSource) throws(UsageError) {
        self.url = try ServerURL(url ?? Environment.text("CARILLON_URL") ?? ServerURL.standard)
        self.source = source
    }

    /// Checks the numbers and the key.
    package func validate() throws(UsageError) {
        guard (1...1_024).contains(concurrency) else { throw UsageError("--concurrency takes 1 to 1024") }
        guard (0...100).contains(retries) else { throw UsageError("--retries takes 0 to 100") }
        if case .body(_, let count) = source, count < 1 { throw UsageError("--count takes a number from 1") }
        guard let key = idempotencyKey else { return }
        // Room for `-` and the number of the request.
        let longest = source.isSingle ? 255 : 235
        guard (1...longest).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw UsageError("--idempotency-key takes 1 to \(longest) visible ASCII characters")
        }
    }

    /// Nobody named: the user of the environment, else the default one.
    package static func defaultTarget() throws(UsageError) -> Target {
        try Target(
            id: Environment.text("DEV_USER_ID") ?? DefaultUser.id,
            login: Environment.text("DEV_LOGIN") ?? DefaultUser.login
        )
    }

    package static let defaultMessage = "Hello from carillon-sender"
}
