/// A URL that a request may be sent to, taken apart by the one parser that both the check and the
/// use go by.
///
/// Narrower than RFC 3986, so that no two programs can disagree about where it leads: ASCII only,
/// `http` or `https`, no user information, no fragment, and a host that is a domain name or an
/// address in its strict form.
package struct OutboundURL: Hashable, Sendable {
    package enum Scheme: String, Sendable {
        case http
        case https

        package var defaultPort: Int { self == .https ? 443 : 80 }
    }

    package enum Host: Hashable, Sendable, CustomStringConvertible {
        /// A domain name in lower case, without a full stop at its end.
        case name(String)
        case address(IPAddress)

        /// As it stands in a URL and a `Host` field: version 6 in brackets.
        package var description: String {
            switch self {
            case .name(let name): name
            case .address(let address):
                if case .v6 = address { "[\(address)]" } else { address.description }
            }
        }
    }

    /// The most bytes a URL may have.
    package static let maximumBytes = 2048
    /// Ports of services that a request could be made to talk to by mistake: SSH and SMTP.
    package static let refusedPorts: Set<Int> = [22, 25]

    package let scheme: Scheme
    package let host: Host
    /// The port, the scheme's own where none was given.
    package let port: Int
    /// What follows the authority, as it was sent, percent-encoding included; it begins with `/`.
    package let pathAndQuery: String

    /// Reads a URL. The message of the error is the end of a sentence about the field and never
    /// repeats more of the URL than a host's name.
    package init(_ text: String) throws(OutboundURLError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumBytes else {
            throw OutboundURLError("must have at most \(Self.maximumBytes) bytes")
        }
        try checkCharacters(bytes)
        let (scheme, start) = try readScheme(bytes)
        let end = bytes[start...].firstIndex { delimiters.contains($0) } ?? bytes.endIndex
        let (host, port) = try readAuthority(bytes[start..<end])
        try checkPercentEncoding(bytes[end...])
        let rest = String(decoding: bytes[end...], as: UTF8.self)
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort
        pathAndQuery = rest.utf8.first == UInt8(ascii: "/") ? rest : "/" + rest
    }

    /// Host and, where it is not the scheme's own, port: what a `Host` field says.
    package var authority: String {
        port == scheme.defaultPort ? host.description : "\(host):\(port)"
    }
}

extension OutboundURL: CustomStringConvertible {
    /// The URL in its one form: scheme and host in lower case, no port where it is the scheme's
    /// own, a path of at least `/`. Parsing it gives the same URL again.
    package var text: String { "\(scheme.rawValue)://\(authority)\(pathAndQuery)" }

    package var description: String { text }
}

/// Why a text is no URL that a request may be sent to.
package struct OutboundURLError: Error, Equatable, Sendable {
    /// The end of a sentence about the field, such as `must not have a fragment`.
    package let message: String

    init(_ message: String) { self.message = message }
}

extension JSONType where Value == OutboundURL {
    /// A text that is a URL for requests that leave the process. Where it may lead is for
    /// ``EgressRules`` to say.
    package static var outboundURL: Self {
        JSONType<String>.string().checked { text throws(JSONMismatch) in
            do throws(OutboundURLError) {
                return try OutboundURL(text)
            } catch {
                throw JSONMismatch(error.message)
            }
        }
    }
}

private let delimiters = Array("/?".utf8)

/// Refuses what stands nowhere in a URL (RFC 3986, section 2), each by its name, before anything
/// is taken apart.
private func checkCharacters(_ bytes: [UInt8]) throws(OutboundURLError) {
    for byte in bytes {
        switch byte {
        case 0x80...: throw OutboundURLError("must be ASCII: write names as punycode (xn--…)")
        case 0x20: throw OutboundURLError("must not have spaces")
        case ..<0x20, 0x7F: throw OutboundURLError("must not have control characters")
        case UInt8(ascii: "\\"): throw OutboundURLError("must not have backslashes")
        case UInt8(ascii: "#"): throw OutboundURLError("must not have a fragment")
        case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"),
            UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            throw OutboundURLError(
                "must have \(Unicode.Scalar(byte)) percent-encoded, it stands for itself nowhere")
        default: break
        }
    }
}

private func readScheme(
    _ bytes: [UInt8]
) throws(OutboundURLError) -> (scheme: OutboundURL.Scheme, end: Int) {
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
        let scheme = OutboundURL.Scheme(
            rawValue: String(decoding: bytes[..<colon], as: UTF8.self).lowercased()),
        bytes[(colon + 1)...].starts(with: "//".utf8)
    else { throw OutboundURLError("must begin with http:// or https://") }
    return (scheme, colon + 3)
}

private func readAuthority(
    _ authority: ArraySlice<UInt8>
) throws(OutboundURLError) -> (host: OutboundURL.Host, port: Int?) {
    guard !authority.contains(UInt8(ascii: "@")) else {
        throw OutboundURLError("must not have user information before the host")
    }
    let host: OutboundURL.Host
    let rest: ArraySlice<UInt8>
    if authority.first == UInt8(ascii: "[") {
        guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else {
            throw OutboundURLError("must have a ] after an IPv6 address")
        }
        host = try readV6(authority[(authority.startIndex + 1)..<end])
        rest = authority[(end + 1)...]
    } else {
        let end = authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.endIndex
        host = try readName(String(decoding: authority[..<end], as: UTF8.self).lowercased())
        rest = authority[end...]
    }
    return (host, rest.isEmpty ? nil : try readPort(rest))
}

private func readPort(_ text: ArraySlice<UInt8>) throws(OutboundURLError) -> Int {
    let digits = text.dropFirst()
    guard text.first == UInt8(ascii: ":"), 1...5 ~= digits.count, digits.allSatisfy(isDigit),
        digits.first != UInt8(ascii: "0"),
        let port = Int(String(decoding: digits, as: UTF8.self)), port <= 65_535
    else { throw OutboundURLError("must have a port between 1 and 65535, or none") }
    guard !OutboundURL.refusedPorts.contains(port) else {
        throw OutboundURLError("must not use port \(port)")
    }
    return port
}

private func readV6(_ text: ArraySlice<UInt8>) throws(OutboundURLError) -> OutboundURL.Host {
    guard !text.contains(UInt8(ascii: "%")) else {
        throw OutboundURLError("must not have a zone in its IPv6 address")
    }
    guard let address = IPAddress(String(decoding: text, as: UTF8.self)), case .v6 = address else {
        throw OutboundURLError("must have an IPv6 address, and nothing else, in brackets")
    }
    return .address(address)
}

/// A domain name (RFC 1123, section 2.1, and underscores) or an IPv4 address. `text` is in lower
/// case.
private func readName(_ text: String) throws(OutboundURLError) -> OutboundURL.Host {
    if let address = IPAddress(text) { return .address(address) }
    guard !text.isEmpty else { throw OutboundURLError("must have a host") }
    guard text.utf8.count <= 253 else {
        throw OutboundURLError("must have a host of at most 253 bytes")
    }
    // `name.` and `name` are one host to the resolver and two to everybody who compares texts.
    guard text.utf8.last != UInt8(ascii: ".") else {
        throw OutboundURLError("must not have a full stop at the end of its host")
    }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    for label in labels {
        guard 1...63 ~= label.utf8.count else {
            throw OutboundURLError("must have a host whose labels have 1 to 63 bytes")
        }
        guard label.utf8.allSatisfy(isLabelByte) else {
            throw OutboundURLError(
                "must have a host of letters, digits, hyphens and full stops")
        }
        guard label.utf8.first != UInt8(ascii: "-"), label.utf8.last != UInt8(ascii: "-") else {
            throw OutboundURLError(
                "must have a host whose labels neither begin nor end with a hyphen")
        }
    }
    // `127.1`, `0x7f000001`, `017700000001`, `2130706433`: to some resolvers these are addresses.
    guard let last = labels.last, !last.hasPrefix("0x"), !last.utf8.allSatisfy(isDigit) else {
        throw OutboundURLError(
            "must have a name or an IPv4 address of four decimal numbers as its host")
    }
    return .name(text)
}

private func isLabelByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
    default: false
    }
}

/// RFC 3986, section 2.1: every per cent sign begins an encoded byte. Brackets stand for
/// themselves in a host only.
private func checkPercentEncoding(_ bytes: ArraySlice<UInt8>) throws(OutboundURLError) {
    for index in bytes.indices {
        switch bytes[index] {
        case UInt8(ascii: "%"):
            guard index + 2 < bytes.endIndex, hexDigit(bytes[index + 1]) != nil,
                hexDigit(bytes[index + 2]) != nil
            else { throw OutboundURLError("must have two hexadecimal digits after each %") }
        case UInt8(ascii: "["), UInt8(ascii: "]"):
            throw OutboundURLError("must have [ and ] percent-encoded after its host")
        default: break
        }
    }
}
