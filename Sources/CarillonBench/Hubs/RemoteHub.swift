internal import CarillonLoad
internal import CarillonTLS
internal import CarillonTestSupport
internal import CarillonTools

/// A Carillon that runs already, somewhere.
struct RemoteHub: Hub {
    let name = "carillon"
    private let url: ServerURL

    init(_ url: String) throws { self.url = try ServerURL(url) }

    func start() {}

    func crash() throws { throw BenchError("a hub that runs elsewhere cannot be crashed from here") }

    func restart() {}

    func stop() {}

    func wire(_ shape: LoadShape) -> HubWire {
        let address = LoadAddress(host: url.host, port: url.port, tls: url.isSecure ? TLSClientConfiguration() : nil)
        return .carillon(subscribers: [address], publishers: [address], isTopics: shape.isTopics, prefix: url.prefix)
    }

    func processes() -> ProcessMeter? { nil }

    func redis() -> [RedisProcess] { [] }
}
