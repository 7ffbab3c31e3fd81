/// What `carillon_http_requests_total` tells apart: the routes of the contract and the rest.
///
/// The raw value is the place in the family.
package enum HTTPRoute: Int, CaseIterable, Sendable {
    case notify
    /// What became of a notification, and its withdrawal.
    case notification
    /// Everything below `/api/v1/notifications`, and its alias.
    case inbox
    case websocket
    case stream
    case adminClients
    case adminUsers
    case adminPending
    case adminHistory
    case adminPods
    case health
    case live
    case ready
    case metrics
    /// The files of the web interface.
    case web
    case other

    /// - Parameter path: The request's path without its query. Of the web interface only `/` is known by its path.
    package init(path: some StringProtocol) {
        if path.hasPrefix("/api/v1/notify/") {
            self = .notification
        } else if ["/api/v1/notifications", "/api/notifications"].contains(where: {
            $0 == path || path.hasPrefix($0 + "/")
        }) {
            self = .inbox
        } else {
            self = Self.allCases.first { $0.label == path } ?? .other
        }
    }

    /// The value of the label `path`.
    package var label: String {
        switch self {
        case .notify: "/api/v1/notify"
        case .notification: "/api/v1/notify/{id}"
        case .inbox: "/api/v1/notifications"
        case .websocket: "/ws"
        case .stream: "/api/v1/stream"
        case .adminClients: "/api/v1/admin/clients"
        case .adminUsers: "/api/v1/admin/users"
        case .adminPending: "/api/v1/admin/pending"
        case .adminHistory: "/api/v1/admin/history"
        case .adminPods: "/api/v1/admin/pods"
        case .health: "/health"
        case .live: "/live"
        case .ready: "/ready"
        case .metrics: "/metrics"
        case .web: "/"
        case .other: "other"
        }
    }
}

/// The workers that every pod runs.
///
/// The raw value is the place in the family.
package enum WorkerName: Int, CaseIterable, Sendable {
    case ttlJanitor
    case retentionTrimmer
    case groupMaintenance
    case heartbeat
    case busRouter
    case deadPodCleanup
    case upkeep
    case snoozeWaker

    /// The value of the label `worker`.
    package var label: String {
        switch self {
        case .ttlJanitor: "ttl_janitor"
        case .retentionTrimmer: "retention_trimmer"
        case .groupMaintenance: "group_maintenance"
        case .heartbeat: "heartbeat"
        case .busRouter: "bus_router"
        case .deadPodCleanup: "dead_pod_cleanup"
        case .upkeep: "upkeep"
        case .snoozeWaker: "snooze_waker"
        }
    }
}

/// The counters of one worker.
package struct WorkerMetrics: Sendable {
    package let runs: Counter
    package let errors: Counter
    /// What the runs changed: entries, users or keys.
    package let items: Counter
}
