import DaybookCore
import LMDB

/// A subscription that has something waiting.
package struct WaitingEndpoint: Hashable, Sendable {
    package let team: TeamID
    package let subscription: SubscriptionID
    /// When the first of it is to be sent.
    package let first: Instant
}

/// Subscriptions and deliveries.
extension View {
    package borrowing func subscription(
        _ id: SubscriptionID, of team: TeamID
    ) throws -> Subscription? {
        try row(tables.subscriptions, Keys.row(team, id))
    }

    /// A page of the team's subscriptions, newest first.
    package borrowing func subscriptions(
        of team: TeamID, after cursor: [UInt8]?, limit: Int
    ) throws -> Page<Subscription> {
        try page(
            tables.subscriptions, ListRange(prefix: team.bytes, descending: true), cursor, limit,
            .max
        ) { _, value in try Subscription(row: value) }
    }

    package borrowing func delivery(_ id: DeliveryID, of team: TeamID) throws -> Delivery? {
        try row(tables.deliveries, Keys.row(team, id))
    }

    /// A page of the team's deliveries, newest first; `work` as with schedules.
    package borrowing func deliveries(
        of team: TeamID, _ filter: DeliveryFilter, after cursor: [UInt8]?, limit: Int, work: Int
    ) throws -> Page<Delivery> {
        guard let subscription = filter.subscription else {
            return try page(
                tables.deliveries, ListRange(prefix: team.bytes, descending: true), cursor, limit,
                work
            ) { _, value in
                let delivery = try Delivery(row: value)
                return filter.matches(delivery) ? delivery : nil
            }
        }
        return try page(
            tables.deliveryLists,
            ListRange(prefix: [2] + team.bytes + subscription.bytes, descending: true), cursor,
            limit, work
        ) { key, _ in
            let delivery = try listed(key, of: team)
            return filter.matches(delivery) ? delivery : nil
        }
    }

    /// The subscription's deliveries of entries after one position up to another, oldest first.
    package borrowing func deliveries(
        of subscription: SubscriptionID, team: TeamID, after: Position, upTo last: Position,
        limit: Int
    ) throws -> [Delivery] {
        let prefix = [2] + team.bytes + subscription.bytes
        func bound(_ position: Position) -> [UInt8]? {
            guard position < .max else { return Keys.end(of: prefix) }
            return prefix + DeliveryID(high: position + 1, low: 0).bytes
        }
        var found: [Delivery] = []
        guard last > after, let start = bound(after) else { return [] }
        try transaction.scan(tables.deliveryLists, from: start, to: bound(last)) { key, _ in
            found.append(try listed(key, of: team))
            return found.count < limit
        }
        return found
    }

    /// The team's deliveries that tell of the entry.
    borrowing func deliveries(of team: TeamID, about position: Position) throws -> [Delivery] {
        let prefix = team.bytes + Keys.position(position)
        var found: [Delivery] = []
        try transaction.scan(tables.deliveries, from: prefix, to: Keys.end(of: prefix)) {
            _, value in
            found.append(try Delivery(row: value))
            return true
        }
        return found
    }

    private borrowing func listed(_ key: [UInt8], of team: TeamID) throws -> Delivery {
        guard let delivery = try delivery(try Keys.trailingID(key), of: team) else {
            throw LogError.damagedProjection(tables.deliveryLists.name)
        }
        return delivery
    }

    /// Every team that has something waiting: as many looks as there are such teams.
    package borrowing func teamsWithWaiting() throws -> [TeamID] {
        var teams: [TeamID] = []
        var start: [UInt8]? = [1]
        while let from = start,
            let found = try transaction.first(tables.deliveryLists, atOrAfter: from),
            found.key.first == 1
        {
            let team = try Keys.readWaiting(found.key).team
            teams.append(team)
            start = Keys.end(of: [1] + team.bytes)
        }
        return teams
    }

    /// Every subscription of the team that has something waiting: as many looks as there are such subscriptions.
    package borrowing func waitingEndpoints(of team: TeamID) throws -> [WaitingEndpoint] {
        var endpoints: [WaitingEndpoint] = []
        let prefix = [1] + team.bytes
        var start: [UInt8]? = prefix
        while let from = start,
            let found = try transaction.first(tables.deliveryLists, atOrAfter: from),
            found.key.starts(with: prefix)
        {
            let row = try Keys.readWaiting(found.key)
            endpoints.append(
                WaitingEndpoint(
                    team: row.team, subscription: row.subscription, first: row.instant))
            start = Keys.end(of: [1] + row.team.bytes + row.subscription.bytes)
        }
        return endpoints
    }

    /// The subscription's deliveries that are to be sent by now, the longest waiting first.
    package borrowing func waitingDeliveries(
        of endpoint: WaitingEndpoint, upTo now: Instant, limit: Int
    ) throws -> [Delivery] {
        let prefix = [1] + endpoint.team.bytes + endpoint.subscription.bytes
        var found: [Delivery] = []
        guard limit > 0 else { return [] }
        try transaction.scan(tables.deliveryLists, from: prefix, to: Keys.end(of: prefix)) {
            key, _ in
            guard try Keys.readWaiting(key).instant <= now else { return false }
            found.append(try listed(key, of: endpoint.team))
            return found.count < limit
        }
        return found
    }

    /// When something that waits now but not yet may be sent; `nil` where nothing does.
    package borrowing func nextWaiting(
        of endpoint: WaitingEndpoint, after now: Instant
    ) throws -> Instant? {
        let prefix = [1] + endpoint.team.bytes + endpoint.subscription.bytes
        var writer = ByteWriter()
        writer.raw(prefix)
        writer.instant(now.adding(microseconds: 1))
        guard let found = try transaction.first(tables.deliveryLists, atOrAfter: writer.bytes),
            found.key.starts(with: prefix)
        else { return nil }
        return try Keys.readWaiting(found.key).instant
    }

    /// The cursor behind this delivery in any list of deliveries.
    package static func cursor(of delivery: Delivery) -> [UInt8] { delivery.id.bytes }
}
