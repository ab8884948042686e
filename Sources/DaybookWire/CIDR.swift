/// A range of addresses, such as `10.0.0.0/8` or `::1/128` (RFC 4632, section 3.1).
package struct CIDR: Hashable, Sendable {
    /// The first address of the range.
    package let base: IPAddress
    /// How many leading bits an address shares with the base.
    package let prefixLength: Int

    /// Reads a range. The base must have no bits beyond the prefix: `10.0.0.1/8` is a mistake in
    /// one of its two halves, and nobody can know in which.
    package init(_ text: String) throws(CIDRError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw CIDRError("\(text): must be an address, a slash and a prefix length")
        }
        guard let address = IPAddress(parts[0]) else {
            throw CIDRError("\(text): \(parts[0]) is not an address")
        }
        let bits = address.bytes.count * 8
        let digits = parts[1].utf8
        guard 1...3 ~= digits.count, digits.allSatisfy(isDigit), let length = Int(parts[1]),
            length <= bits, length == 0 || digits.first != UInt8(ascii: "0")
        else { throw CIDRError("\(text): the prefix length must be between 0 and \(bits)") }
        guard address.unmapped == address else {
            throw CIDRError("\(text): addresses mapped into IPv6 are judged as IPv4, write that")
        }
        let base = masked(address, length)
        guard base == address else {
            throw CIDRError(
                "\(text): the address has bits beyond the prefix; \(base)/\(length) has none")
        }
        self.base = base
        prefixLength = length
    }

    /// Whether the range has this address. One version never contains the other: unmap first.
    package func contains(_ address: IPAddress) -> Bool { masked(address, prefixLength) == base }
}

extension CIDR: CustomStringConvertible {
    package var description: String { "\(base)/\(prefixLength)" }
}

/// Why a text is no range of addresses; the message repeats the text.
package struct CIDRError: Error, Equatable, Sendable {
    package let message: String

    init(_ message: String) { self.message = message }
}

/// The address with only its first `length` bits kept.
private func masked(_ address: IPAddress, _ length: Int) -> IPAddress {
    switch address {
    case .v4(let number): .v4(number & leadingOnes(length))
    case .v6(let high, let low):
        .v6(high: high & leadingOnes(min(length, 64)), low: low & leadingOnes(max(0, length - 64)))
    }
}

/// Shifting by the whole width gives zero.
private func leadingOnes<Word: FixedWidthInteger>(_ count: Int) -> Word {
    ~(Word.max >> count)
}
