/// An Internet address, version 4 or 6.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// Reads 4 or 16 bytes in network order; `nil` for any other count.
    package init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self = .v6(
                high: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
        default: return nil
        }
    }

    /// Reads an address; `nil` for everything else.
    ///
    /// Version 4 is exactly four decimal numbers without leading zeros: forms that other parsers
    /// read as octal, hexadecimal or shortened are no addresses. Version 6 is RFC 4291, section
    /// 2.2, with an embedded version 4 address as its last part where wanted; zone ids are refused.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: ":")) {
            guard let groups = parseV6(bytes[...]) else { return nil }
            self = .v6(
                high: groups[..<4].reduce(0) { $0 << 16 | UInt64($1) },
                low: groups[4...].reduce(0) { $0 << 16 | UInt64($1) })
        } else {
            guard let number = parseV4(bytes[...]) else { return nil }
            self = .v4(number)
        }
    }

    /// The 4 or 16 bytes in network order.
    package var bytes: [UInt8] {
        switch self {
        case .v4(let number):
            stride(from: 24, through: 0, by: -8).map {
                UInt8(truncatingIfNeeded: number >> UInt32($0))
            }
        case .v6(let high, let low):
            [high, low].flatMap { word in
                stride(from: 56, through: 0, by: -8).map {
                    UInt8(truncatingIfNeeded: word >> UInt64($0))
                }
            }
        }
    }

    /// The address that a packet to this one goes to in the end: of a version 4 address mapped into
    /// version 6 (`::ffff:0:0/96`) the version 4 address, else the address itself.
    package var unmapped: IPAddress {
        if case .v6(0, let low) = self, low >> 32 == 0xFFFF {
            return .v4(UInt32(truncatingIfNeeded: low))
        }
        return self
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal, or RFC 5952.
    package var description: String {
        switch self {
        case .v4: return bytes.map { String($0) }.joined(separator: ".")
        case .v6(let high, let low):
            if case .v4 = unmapped { return "::ffff:\(unmapped)" }
            let groups = [high, low].flatMap { word in
                stride(from: 48, through: 0, by: -16).map { Int(word >> UInt64($0) & 0xFFFF) }
            }
            guard let gap = longestRunOfZeros(groups) else { return hexGroups(groups[...]) }
            return hexGroups(groups[..<gap.lowerBound]) + "::"
                + hexGroups(groups[gap.upperBound...])
        }
    }
}

private func hexGroups(_ groups: ArraySlice<Int>) -> String {
    groups.map { String($0, radix: 16) }.joined(separator: ":")
}

/// The first of the longest runs of at least two zeros.
private func longestRunOfZeros(_ groups: [Int]) -> Range<Int>? {
    var longest: Range<Int>?
    var start = 0
    while start < groups.count {
        var end = start
        while end < groups.count && groups[end] == 0 { end += 1 }
        if end - start >= 2 && end - start > longest?.count ?? 0 { longest = start..<end }
        start = max(end, start + 1)
    }
    return longest
}

private func parseV4(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: UInt32 = 0
    for part in parts {
        guard 1...3 ~= part.count, part.allSatisfy(isDigit) else { return nil }
        guard part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
        let number = part.reduce(0) { $0 * 10 + UInt32($1 - UInt8(ascii: "0")) }
        guard number <= 255 else { return nil }
        address = address << 8 | number
    }
    return address
}

/// The eight groups of an address.
private func parseV6(_ text: ArraySlice<UInt8>) -> [UInt16]? {
    let colon = UInt8(ascii: ":")
    var groups: [UInt16] = []
    var gap: Int?
    var rest = text
    if rest.starts(with: [colon, colon]) {
        gap = 0
        rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
        let end = rest.firstIndex(of: colon) ?? rest.endIndex
        let part = rest[..<end]
        if end == rest.endIndex, part.contains(UInt8(ascii: ".")) {
            guard let number = parseV4(part) else { return nil }
            groups.append(UInt16(number >> 16))
            groups.append(UInt16(number & 0xFFFF))
            break
        }
        guard let group = parseGroup(part), groups.count < 8 else { return nil }
        groups.append(group)
        guard end < rest.endIndex else { break }
        rest = rest[(end + 1)...]
        guard let next = rest.first else { return nil }
        if next == colon {
            guard gap == nil else { return nil }
            gap = groups.count
            rest = rest.dropFirst()
        }
    }
    guard let gap else { return groups.count == 8 ? groups : nil }
    guard groups.count < 8 else { return nil }
    groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
    return groups
}

private func parseGroup(_ part: ArraySlice<UInt8>) -> UInt16? {
    guard 1...4 ~= part.count else { return nil }
    var group: UInt16 = 0
    for byte in part {
        guard let digit = hexDigit(byte) else { return nil }
        group = group << 4 | UInt16(digit)
    }
    return group
}
