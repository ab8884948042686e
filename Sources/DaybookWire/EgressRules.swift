/// Why a request must not go where it was to go.
package struct EgressRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The end of a sentence about the URL, such as
    /// `must not lead to 10.0.0.1: private use (10.0.0.0/8)`.
    package let message: String

    init(_ message: String) { self.message = message }

    package var description: String { message }
}

/// Which addresses requests that leave the process may reach: every global one, and the ranges
/// that the operator allows.
///
/// A URL is checked twice: by its form where it is saved, for an answer that its owner understands,
/// and by the address that was resolved where it is used, which is what protects. A name may lead
/// somewhere else by then.
package struct EgressRules: Sendable {
    package let allowed: [CIDR]

    package init(allowed: [CIDR] = []) { self.allowed = allowed }

    /// Checks an address that is about to be connected to. An IPv4 address mapped into IPv6 is
    /// judged as the IPv4 address that it is.
    package func check(_ address: IPAddress) throws(EgressRefusal) {
        let target = address.unmapped
        guard let purpose = target.specialPurpose else { return }
        guard !allowed.contains(where: { $0.contains(target) }) else { return }
        throw EgressRefusal("must not lead to \(address): \(purpose)")
    }

    /// Checks all addresses that a name resolved to. One that is refused refuses the name, since
    /// nobody can say which of them would be used; so does a name without addresses.
    package func check(_ name: String, resolvedTo addresses: [IPAddress]) throws(EgressRefusal) {
        guard !addresses.isEmpty else {
            throw EgressRefusal("must have an address: \(name) has none")
        }
        for address in addresses { try check(address) }
    }

    /// Checks what can be told from a URL alone: an address in it, and the names that RFC 6761,
    /// section 6.3, keeps for loopback.
    package func checkForm(_ url: OutboundURL) throws(EgressRefusal) {
        switch url.host {
        case .address(let address): try check(address)
        case .name(let name):
            guard name == "localhost" || name.hasSuffix(".localhost") else { return }
            let loopback: [IPAddress] = [.v4(0x7F00_0001), .v6(high: 0, low: 1)]
            let isAllowed = loopback.contains { address in
                allowed.contains { $0.contains(address) }
            }
            guard isAllowed else { throw EgressRefusal("must not lead to \(name): loopback") }
        }
    }
}

extension IPAddress {
    /// Whether the address belongs to the public Internet.
    package var isGlobal: Bool { specialPurpose == nil }

    /// What an address that is not global is for, with its range; `nil` for a global one.
    ///
    /// After the IANA registries of special-purpose addresses (RFC 6890). The few globally
    /// reachable addresses inside of `192.0.0.0/24` and `2001::/23` serve protocols, not services,
    /// and count as special like their neighbours. Addresses of version 6 that carry one of
    /// version 4 to a translator (`::ffff:0:0/96`, `64:ff9b::/96`) are judged by that one.
    package var specialPurpose: String? {
        guard case .v6(let high, let low) = unmapped else {
            return IPAddress.purpose(of: unmapped, in: SpecialRange.v4)
        }
        if high == 0x0064_FF9B_0000_0000 && low >> 32 == 0 {
            return IPAddress.v4(UInt32(truncatingIfNeeded: low)).specialPurpose
        }
        // Only this eighth of the space has been given out as unicast.
        if high >> 61 != 0b001 {
            return IPAddress.purpose(of: self, in: SpecialRange.v6)
                ?? "not given out (outside of 2000::/3)"
        }
        return IPAddress.purpose(of: self, in: SpecialRange.v6)
    }

    private static func purpose(of address: IPAddress, in ranges: [SpecialRange]) -> String? {
        ranges.first { $0.range.contains(address) }.map { "\($0.purpose) (\($0.range))" }
    }
}

/// A range that the IANA has set apart.
private struct SpecialRange {
    let range: CIDR
    let purpose: String

    init(_ text: String, _ purpose: String) {
        do throws(CIDRError) {
            range = try CIDR(text)
        } catch {
            preconditionFailure(error.message)
        }
        self.purpose = purpose
    }

    static let v4 = [
        SpecialRange("0.0.0.0/8", "this network"),
        SpecialRange("10.0.0.0/8", "private use"),
        SpecialRange("100.64.0.0/10", "shared by carriers"),
        SpecialRange("127.0.0.0/8", "loopback"),
        SpecialRange("169.254.0.0/16", "link-local"),
        SpecialRange("172.16.0.0/12", "private use"),
        SpecialRange("192.0.0.0/24", "protocol assignments"),
        SpecialRange("192.0.2.0/24", "documentation"),
        SpecialRange("192.88.99.0/24", "6to4 relay"),
        SpecialRange("192.168.0.0/16", "private use"),
        SpecialRange("198.18.0.0/15", "benchmarking"),
        SpecialRange("198.51.100.0/24", "documentation"),
        SpecialRange("203.0.113.0/24", "documentation"),
        SpecialRange("224.0.0.0/4", "multicast"),
        SpecialRange("255.255.255.255/32", "broadcast"),
        SpecialRange("240.0.0.0/4", "reserved"),
    ]

    static let v6 = [
        SpecialRange("::/128", "unspecified"),
        SpecialRange("::1/128", "loopback"),
        SpecialRange("64:ff9b:1::/48", "local translation"),
        SpecialRange("100::/64", "discard-only"),
        SpecialRange("2001::/23", "protocol assignments"),
        SpecialRange("2001:db8::/32", "documentation"),
        SpecialRange("2002::/16", "6to4"),
        SpecialRange("3fff::/20", "documentation"),
        SpecialRange("fc00::/7", "unique local"),
        SpecialRange("fe80::/10", "link-local"),
        SpecialRange("fec0::/10", "site-local"),
        SpecialRange("ff00::/8", "multicast"),
    ]
}
