import DaybookCore

/// What a trigger says of where its messages come from, how they are let in, and how repeats are known: the JSON
/// object that stands in the log, and the fields of the API.
package struct TriggerConfiguration: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        case webhook(HookVerification)
        case sqs(SQSQueue)
    }

    package struct SQSQueue: Hashable, Sendable {
        package let url: String
        package let region: String
        /// Where requests go instead of the host of `url`: a server that is compatible.
        package let endpoint: String?
        /// A message that cannot be used becomes a refusal at so many receipts, where its queue has no
        /// redrive policy.
        package let maxReceiveCount: Int

        package init(url: String, region: String, endpoint: String?, maxReceiveCount: Int) {
            self.url = url
            self.region = region
            self.endpoint = endpoint
            self.maxReceiveCount = maxReceiveCount
        }
    }

    /// Where a message has the id by which its repeats are known.
    package enum IDPlace: Hashable, Sendable {
        /// Of a webhook.
        case header(String)
        /// Of an SQS message.
        case attribute(String)
        case pointer(JSONPointer)
    }

    package static func days(_ kind: Trigger.Source) -> ClosedRange<Int> {
        kind == .sqs ? defaultDays...90 : 1...90
    }
    /// Longer than any queue keeps a message.
    package static let defaultDays = 15
    package static let receiveCounts = 1...1_000
    package static let defaultReceiveCount = 5

    package var source: Source
    package var idPlace: IDPlace?
    package var deduplicationDays: Int
    /// Whether forms and texts are taken too, as `{"content_type", "body"}`.
    package var acceptsText: Bool

    package init(
        source: Source, idPlace: IDPlace?, deduplicationDays: Int = Self.defaultDays,
        acceptsText: Bool = false
    ) {
        self.source = source
        self.idPlace = idPlace
        self.deduplicationDays = deduplicationDays
        self.acceptsText = acceptsText
    }

    /// Reads what is stored; `nil` where it is not a configuration, which only damage or a newer binary can
    /// bring about.
    package init?(stored bytes: [UInt8], _ kind: Trigger.Source) {
        guard let node = try? JSONScanner.scan(bytes) else { return nil }
        let fields = JSONFields(node, body: bytes)
        guard let read = Self(fields, kind, changing: nil), fields.finish().isEmpty else {
            return nil
        }
        self = read
    }

    /// Reads the fields of a request; what is left out stays as it is in `old`, or has its default.
    package init?(_ fields: JSONFields, _ kind: Trigger.Source, changing old: Self?) {
        let source: Source?
        switch kind {
        case .webhook:
            var verification: HookVerification?
            if case .webhook(let known) = old?.source { verification = known }
            if old == nil || fields.has("verification") {
                let new = fields.required("verification", .verification)
                if let new, let known = verification, known.kind != new.kind {
                    fields.refuse(
                        "verification",
                        "cannot change its type, since its secret depends on it: make a new trigger"
                    )
                }
                verification = new
            }
            source = verification.map { .webhook($0) }
        case .sqs:
            source = Self.queue(fields, old).map { .sqs($0) }
        }
        let place: IDPlace?
        switch fields.field("deduplicate_by", .idPlace(kind)) {
        case .absent: place = old.map { $0.idPlace } ?? source?.usualIDPlace
        case .null: place = nil
        case .value(let new): place = new
        }
        let days = fields.optional("deduplication_days", .integer(Self.days(kind)))
        let acceptsText = fields.optional("accepts_text", .bool)
        guard let source else { return nil }
        self.init(
            source: source, idPlace: place,
            deduplicationDays: days ?? old?.deduplicationDays ?? Self.defaultDays,
            acceptsText: acceptsText ?? old?.acceptsText ?? false)
    }

    private static func queue(_ fields: JSONFields, _ old: Self?) -> SQSQueue? {
        var known: SQSQueue?
        if case .sqs(let queue) = old?.source { known = queue }
        let url: String?
        let region: String?
        if let known {
            url = fields.optional("queue_url", .outboundURL)?.text ?? known.url
            region = fields.optional("region", .region) ?? known.region
        } else {
            url = fields.required("queue_url", .outboundURL)?.text
            region = fields.required("region", .region)
        }
        let endpoint: String?
        switch fields.field("endpoint", .outboundURL) {
        case .absent: endpoint = known?.endpoint
        case .null: endpoint = nil
        case .value(let new): endpoint = new.text
        }
        let count = fields.optional("max_receive_count", .integer(receiveCounts))
        guard let url, let region else { return nil }
        return SQSQueue(
            url: url, region: region, endpoint: endpoint,
            maxReceiveCount: count ?? known?.maxReceiveCount ?? defaultReceiveCount)
    }

    /// The object that is stored.
    package var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.object { $0.configuration(self) }
        return writer.finish()
    }
}

extension TriggerConfiguration.Source {
    /// Where senders of this kind put their ids.
    fileprivate var usualIDPlace: TriggerConfiguration.IDPlace? {
        guard case .webhook(let verification) = self else { return nil }
        switch verification {
        case .standard: return .header(StandardWebhooks.idHeader)
        case .hmac(let hmac):
            switch hmac.preset {
            case .github: return .header("X-GitHub-Delivery")
            case .shopify: return .header("X-Shopify-Webhook-Id")
            case .stripe: return JSONPointer("/id").map { .pointer($0) }
            case nil: return nil
            }
        case .bearer, .none: return nil
        }
    }
}

extension JSONWriter {
    /// The members of a configuration.
    package mutating func configuration(_ configuration: TriggerConfiguration) {
        switch configuration.source {
        case .webhook(let verification):
            object("verification") { $0.verification(verification) }
        case .sqs(let queue):
            field("queue_url", queue.url)
            field("region", queue.region)
            field("endpoint", queue.endpoint)
            field("max_receive_count", queue.maxReceiveCount)
        }
        name("deduplicate_by")
        if let place = configuration.idPlace {
            object { writer in
                switch place {
                case .header(let name): writer.field("header", name)
                case .attribute(let name): writer.field("attribute", name)
                case .pointer(let pointer): writer.field("pointer", pointer.text)
                }
            }
        } else {
            null()
        }
        field("deduplication_days", configuration.deduplicationDays)
        field("accepts_text", configuration.acceptsText)
    }

    private mutating func verification(_ verification: HookVerification) {
        field("type", verification.kind.rawValue)
        guard case .hmac(let hmac) = verification else { return }
        if let preset = hmac.preset { field("preset", preset.rawValue) }
        field("header", hmac.header)
        field("algorithm", hmac.algorithm.rawValue)
        field("prefix", hmac.prefix)
        field("encoding", hmac.encoding.rawValue)
    }
}

extension JSONType where Value == HookVerification {
    fileprivate static var verification: Self {
        JSONType<JSONFields>.object.checked { fields throws(JSONMismatch) in
            let type = fields.required("type", .choice(HookVerification.Kind.self))
            switch type {
            case .standard: return .standard
            case .bearer: return .bearer
            // Also after a mistake, which was noted.
            case HookVerification.Kind.none?, nil: return .none
            case .hmac: return .hmac(try hmac(fields))
            }
        }
    }

    private static func hmac(_ fields: JSONFields) throws(JSONMismatch) -> HMACVerification {
        let preset = fields.optional("preset", .choice(HMACVerification.Preset.self))
        let header = fields.optional("header", .headerName)
        let algorithm = fields.optional("algorithm", .choice(HMACVerification.Algorithm.self))
        let prefix = fields.optional("prefix", .headerPrefix)
        let encoding = fields.optional("encoding", .choice(HMACVerification.Encoding.self))
        guard let preset else {
            guard let header else { throw JSONMismatch("needs a header, or a preset") }
            return HMACVerification(
                header: header, algorithm: algorithm ?? .sha256, prefix: prefix ?? "",
                encoding: encoding ?? .hex)
        }
        let known = HMACVerification(preset)
        guard header ?? known.header == known.header,
            algorithm ?? known.algorithm == known.algorithm,
            prefix ?? known.prefix == known.prefix, encoding ?? known.encoding == known.encoding
        else { throw JSONMismatch("has other values than its preset: leave that out") }
        return known
    }
}

extension JSONType where Value == String {
    /// The name of a header that is read.
    fileprivate static var headerName: Self {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            guard HeaderRules.isName(text) else {
                throw JSONMismatch("must be the name of a header")
            }
            return text
        }
    }

    /// The beginning of a header's value.
    fileprivate static var headerPrefix: Self {
        JSONType<String>.string(bytes: 0...HMACVerification.maximumPrefixBytes).checked {
            text throws(JSONMismatch) in
            guard text.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else {
                throw JSONMismatch("must have visible ASCII and spaces only")
            }
            return text
        }
    }

    /// Of AWS: it is part of what is signed, and shown in no path.
    fileprivate static var region: Self {
        JSONType<String>.string(bytes: 1...64).checked { text throws(JSONMismatch) in
            let isRegion = text.utf8.allSatisfy { byte in
                isDigit(byte) || byte == UInt8(ascii: "-")
                    || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
            }
            guard isRegion else { throw JSONMismatch("must be a region such as eu-central-1") }
            return text
        }
    }
}

extension JSONType where Value == TriggerConfiguration.IDPlace {
    fileprivate static func idPlace(_ kind: Trigger.Source) -> Self {
        JSONType<JSONFields>.object.checked { fields throws(JSONMismatch) in
            let name = kind == .webhook ? "header" : "attribute"
            let pointer = fields.optional("pointer", .pointer)
            let place: String?
            switch kind {
            case .webhook: place = fields.optional(name, .headerName)
            case .sqs: place = fields.optional(name, .string(bytes: 1...256))
            }
            switch (place, pointer) {
            case (let place?, nil): return kind == .webhook ? .header(place) : .attribute(place)
            case (nil, let pointer?): return .pointer(pointer)
            default: throw JSONMismatch("must have one of \(name) and pointer")
            }
        }
    }
}
