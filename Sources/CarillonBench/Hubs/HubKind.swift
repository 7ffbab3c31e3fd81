/// The hubs that the bench knows how to start.
package enum HubKind: String, CaseIterable, Sendable {
    case carillon
    case nchan
    case nats

    /// What keeps it from being measured here; nil where nothing does.
    package var missing: String? {
        switch self {
        case .carillon: nil
        case .nchan: NchanHub.missing
        case .nats: NATSHub.missing
        }
    }

    func make(for cell: Cell) -> any Hub {
        switch self {
        case .carillon: CarillonHub(pods: cell.pods, isCrossed: cell.isCrossed)
        case .nchan: NchanHub()
        case .nats: NATSHub()
        }
    }
}
