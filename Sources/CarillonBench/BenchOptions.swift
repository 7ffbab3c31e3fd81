/// What a bench run does.
package struct BenchOptions: Sendable {
    package var cells = Cell.all
    package var hubs: [HubKind] = [.carillon]
    /// A hub that runs already, instead of one that the bench starts.
    private(set) var remote: RemoteHub?
    /// How often each cell is measured; the table shows the median.
    package var rounds = 1
    /// Factor for warm-up and duration.
    package var pace = 1.0

    package init() {}

    /// - Throws: where this is no address of a server.
    package mutating func measure(url: String) throws { remote = try RemoteHub(url) }
}
