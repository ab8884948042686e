import Foundation

/// Finds what is needed in JSON and HTTP of a known form.
enum Scan {
    static let endOfHead = Array("\r\n\r\n".utf8)

    /// The text after `"name":"`, from the beginning on.
    static func text(_ name: String, in bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let start = place(Array("\"\(name)\":\"".utf8), in: bytes) else { return nil }
        let rest = bytes[start...]
        return rest.firstIndex(of: UInt8(ascii: "\"")).map { rest[..<$0] }
    }

    /// The index behind the first occurrence.
    static func place(_ wanted: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBytes { place(wanted, in: $0) }
            .map { bytes.startIndex + $0 + wanted.count }
    }

    /// The offset of the first occurrence.
    static func place(_ wanted: [UInt8], in region: UnsafeRawBufferPointer) -> Int? {
        guard let base = region.baseAddress else { return nil }
        let start = UnsafeMutableRawPointer(mutating: base)
        var from = 0
        while region.count - from >= wanted.count,
            let found = memchr(start + from, Int32(wanted[0]), region.count - from)
        {
            let place = found - start
            guard region.count - place >= wanted.count else { return nil }
            if memcmp(found, wanted, wanted.count) == 0 { return place }
            from = place + 1
        }
        return nil
    }

    /// The length of a request's head, and of its body.
    static func head(_ bytes: ArraySlice<UInt8>) -> (head: Int, body: Int)? {
        guard let end = place(endOfHead, in: bytes) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).lowercased()
            .split(whereSeparator: \.isNewline)
        let name = "content-length:"
        guard let line = lines.first(where: { $0.hasPrefix(name) }),
            let length = Int(line.dropFirst(name.count).trimmingCharacters(in: .whitespaces))
        else { fail("a request without a length") }
        return (end - bytes.startIndex, length)
    }
}
