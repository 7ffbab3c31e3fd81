/// The hubs that the bench knows how to start.
package enum HubKind: String, CaseIterable, Sendable {
    case carillon
    case nchan
    case nats
    /// Not a hub, but what a hub on SwiftNIO costs at least.
    case bare

    /// What keeps it from being measured here; nil where nothing does.
    package var missing: String? {
        switch self {
        case .carillon, .bare: nil
        case .nchan: NchanHub.missing
        case .nats: NATSHub.missing
        }
    }

    func make(for cell: Cell) -> any Hub {
        switch self {
        case .carillon: CarillonHub(pods: cell.pods, isCrossed: cell.isCrossed, primaries: cell.primaries)
        case .nchan: NchanHub()
        case .nats: NATSHub()
        case .bare: BareHub()
        }
    }
}
