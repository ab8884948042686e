/// Why a header of a client's must not go out with a request.
package struct HeaderRefusal: Error, Equatable, Sendable {
    /// The end of a sentence about the header; it never repeats a value, which may be a secret.
    package let message: String

    init(_ message: String) { self.message = message }
}

/// Which headers a client may add to the requests that are sent on its behalf.
package enum HeaderRules {
    /// Far beyond any real name, and small enough to be kept in a definition.
    package static let maximumNameBytes = 128
    /// Room for a long bearer token; servers take about 8 KiB for all headers together.
    package static let maximumValueBytes = 4096

    /// Headers that describe the connection or the body, or that are ours to set.
    private static let reserved: Set<String> = [
        // The message itself: who it is for, how long it is, what it holds (RFC 9110, RFC 9112).
        "host", "content-length", "content-type", "content-encoding", "transfer-encoding",
        "accept-encoding", "expect", "trailer",
        // The connection, hop by hop (RFC 9110, section 7.6.1).
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate",
        "proxy-authorization", "te", "upgrade", "http2-settings",
        // What Daybook promises to its receivers.
        "idempotency-key", "webhook-id", "webhook-timestamp", "webhook-signature",
    ]

    /// Checks one header: the name is a token (RFC 9110, section 5.6.2) and not reserved, the value
    /// visible ASCII with spaces and tabs inside of it (section 5.5). A line break in a value would
    /// end the header and begin another one.
    package static func check(name: String, value: String) throws(HeaderRefusal) {
        try check(name: name)
        try check(value: value)
    }

    /// Checks a name alone, where the value is a secret that is not at hand.
    package static func check(name: String) throws(HeaderRefusal) {
        guard isName(name) else {
            throw HeaderRefusal(
                "must have a name of 1 to \(maximumNameBytes) letters, digits or !#$%&'*+-.^_`|~")
        }
        guard !reserved.contains(canonicalName(name)) else {
            throw HeaderRefusal("must not set \(canonicalName(name)), which Daybook sets itself")
        }
    }

    /// Checks a value alone.
    package static func check(value: String) throws(HeaderRefusal) {
        guard value.utf8.count <= maximumValueBytes else {
            throw HeaderRefusal("must have a value of at most \(maximumValueBytes) bytes")
        }
        guard value.utf8.allSatisfy({ 0x20...0x7E ~= $0 || $0 == 0x09 }) else {
            throw HeaderRefusal("must have a value of visible ASCII, spaces and tabs only")
        }
        let ends = [value.utf8.first, value.utf8.last]
        guard !ends.contains(0x20), !ends.contains(0x09) else {
            throw HeaderRefusal("must have a value without spaces or tabs at its ends")
        }
    }

    /// Whether a header can have this name at all.
    package static func isName(_ name: String) -> Bool {
        1...maximumNameBytes ~= name.utf8.count && name.utf8.allSatisfy(isTokenByte)
    }

    /// The name in the form to compare it by: two headers are the same where this is.
    package static func canonicalName(_ name: String) -> String { name.lowercased() }
}

/// RFC 9110, section 5.6.2: `tchar`.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: tokenMarks.contains(byte)
    }
}

private let tokenMarks = Array("!#$%&'*+-.^_`|~".utf8)
