extension Settings {
    /// Who says where the primary is.
    package struct Sentinels: Hashable, Sendable {
        /// `REDIS_SENTINELS`
        package var addresses: [Redis.Address]
        /// `REDIS_MASTER_NAME`
        package var primaryName: String
        /// `REDIS_SENTINEL_USERNAME`
        package var username: String?
        /// `REDIS_SENTINEL_PASSWORD`
        package var password: String?
    }

    /// Where Redis is and how to log in there.
    package struct Redis: Hashable, Sendable {
        package enum Address: Hashable, Sendable {
            /// An IPv6 address stands without brackets.
            case tcp(host: String, port: Int)
            case unix(path: String)
        }

        /// `REDIS_ADDR`, or what `REDIS_URL` says; of no meaning where there are Sentinels or a cluster.
        package var address: Address
        /// Nil where there are none.
        package var sentinels: Sentinels?
        /// `REDIS_CLUSTER`: some of its nodes; nil where there is none.
        package var cluster: [Address]?
        /// `REDIS_USERNAME`
        package var username: String?
        /// `REDIS_PASSWORD`
        package var password: String?
        /// `REDIS_DB`
        package var database: Int
        /// `REDIS_TLS`, or a `rediss://` URL.
        package var usesTLS: Bool
        /// `REDIS_TLS_CA`: path of a PEM file; nil for the system's authorities.
        package var authoritiesFile: String?
        /// `REDIS_COMMAND_TIMEOUT`
        package var commandTimeout: Duration

        package init(
            address: Address,
            sentinels: Sentinels? = nil,
            cluster: [Address]? = nil,
            username: String? = nil,
            password: String? = nil,
            database: Int = 0,
            usesTLS: Bool = false,
            authoritiesFile: String? = nil,
            commandTimeout: Duration = .seconds(5)
        ) {
            self.address = address
            self.sentinels = sentinels
            self.cluster = cluster
            self.username = username
            self.password = password
            self.database = database
            self.usesTLS = usesTLS
            self.authoritiesFile = authoritiesFile
            self.commandTimeout = commandTimeout
        }
    }
}

extension Settings.Redis.Address: CustomStringConvertible {
    /// As `REDIS_ADDR` writes it.
    package var description: String {
        switch self {
        case .tcp(let host, let port): AddressText.format(host: host, port: port)
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension Settings.Redis {
    static func load(_ values: SettingValues) throws(SettingsError) -> Settings.Redis {
        var target: RedisURL?
        if !values.isGiven("REDIS_ADDR") {
            target = try values.parsed("REDIS_URL", RedisURL.init)
        }
        let address =
            if let target { target.address } else {
                try values.required("REDIS_ADDR", AddressText.redis)
            }
        let database = try values.integer("REDIS_DB")
        let username = try values.parsed("REDIS_USERNAME", Self.name)
        let redis = Settings.Redis(
            address: address,
            sentinels: try Settings.Sentinels.load(values),
            cluster: try values.parsed("REDIS_CLUSTER") { AddressText.list($0, defaultPort: 6_379) },
            username: username ?? target?.username,
            password: values.text("REDIS_PASSWORD") ?? target?.password,
            database: values.isGiven("REDIS_DB") ? database : target?.database ?? database,
            usesTLS: try values.boolean("REDIS_TLS") || target?.usesTLS == true,
            authoritiesFile: try values.parsed("REDIS_TLS_CA") { FilePath.isReadableFile($0) ? $0 : nil },
            commandTimeout: try values.duration("REDIS_COMMAND_TIMEOUT")
        )
        if redis.usesTLS, case .unix = redis.address {
            throw SettingsError("REDIS_TLS: a unix socket does not speak TLS")
        }
        if redis.cluster != nil {
            guard redis.sentinels == nil else {
                throw SettingsError("REDIS_CLUSTER: a cluster has no Sentinels; leave REDIS_SENTINELS out")
            }
            guard redis.database == 0 else { throw SettingsError("REDIS_CLUSTER: a cluster has the database 0 only") }
        }
        if let way = redis.cluster != nil ? "REDIS_CLUSTER" : redis.sentinels != nil ? "REDIS_SENTINELS" : nil {
            guard !values.isGiven("REDIS_ADDR") else {
                throw SettingsError("\(way): says where Redis is; leave REDIS_ADDR out")
            }
            guard case .tcp = redis.address else {
                throw SettingsError("\(way): says where Redis is; REDIS_URL names a unix socket")
            }
        }
        if redis.authoritiesFile != nil, !redis.usesTLS {
            throw SettingsError("REDIS_TLS_CA: there is no TLS to check; set REDIS_TLS to true")
        }
        if redis.username != nil, redis.password == nil {
            throw SettingsError("REDIS_USERNAME: a user needs a password; set REDIS_PASSWORD")
        }
        return redis
    }

    /// A user's name.
    fileprivate static func name(_ text: String) -> String? {
        text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f } ? text : nil
    }
}

extension Settings.Sentinels {
    static func load(_ values: SettingValues) throws(SettingsError) -> Settings.Sentinels? {
        let addresses = try values.parsed("REDIS_SENTINELS") { AddressText.list($0, defaultPort: 26_379) }
        let sentinels = Settings.Sentinels(
            addresses: addresses ?? [],
            primaryName: try values.required("REDIS_MASTER_NAME", Self.primaryName),
            username: try values.parsed("REDIS_SENTINEL_USERNAME", Settings.Redis.name),
            password: values.text("REDIS_SENTINEL_PASSWORD")
        )
        if sentinels.username != nil, sentinels.password == nil {
            throw SettingsError("REDIS_SENTINEL_USERNAME: a user needs a password; set REDIS_SENTINEL_PASSWORD")
        }
        return addresses == nil ? nil : sentinels
    }

    private static func primaryName(_ text: String) -> String? {
        let isName = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        return isName ? text : nil
    }
}
