/// A strict reader of JSON (RFC 8259) that walks over a body once.
///
/// It refuses what two parsers may understand in two ways: invalid UTF-8 (overlong forms,
/// surrogates, beyond U+10FFFF), a byte order mark, lone surrogate escapes, control characters in
/// strings, a name that comes twice in one object (compared after unescaping, by bytes), U+0000 in
/// a name, nesting that is too deep, and anything after the value. Numbers are never converted, so
/// `1e400` and `0.10` pass and stay as they are.
package struct JSONScanner {
    /// How deep arrays and objects may stand in one another. The scanner recurses, so the limit
    /// also bounds the stack.
    package static let defaultMaximumDepth = 64

    private let body: [UInt8]
    private let opaque: Set<String>
    private let opaqueDepth: Int
    private let maximumDepth: Int
    private var index = 0
    private var names = JSONNames()

    /// Reads a body into a tree of nodes.
    ///
    /// Members whose name is in `opaque` are validated as strictly as everything else but yield
    /// only their range (kind `.opaque`): a payload costs no tree.
    ///
    /// - Parameters:
    ///   - opaqueDepth: the depth of the objects whose members `opaque` names; 1 is the body
    ///     itself, 3 an object in an array in the body.
    ///   - maximumDepth: 1 to 512.
    package static func scan(
        _ body: [UInt8], opaque: Set<String> = [], opaqueDepth: Int = 1,
        maximumDepth: Int = JSONScanner.defaultMaximumDepth
    ) throws(JSONSyntaxError) -> JSONNode {
        precondition((1...512).contains(maximumDepth))
        var scanner = JSONScanner(
            body: body, opaque: opaque, opaqueDepth: opaqueDepth, maximumDepth: maximumDepth)
        return try scanner.wholeBody(build: true)
    }

    /// Checks that a body is JSON by the same rules as ``scan(_:opaque:opaqueDepth:maximumDepth:)``
    /// without building anything.
    package static func validate(
        _ body: [UInt8], maximumDepth: Int = JSONScanner.defaultMaximumDepth
    ) throws(JSONSyntaxError) {
        precondition((1...512).contains(maximumDepth))
        var scanner = JSONScanner(
            body: body, opaque: [], opaqueDepth: 0, maximumDepth: maximumDepth)
        _ = try scanner.wholeBody(build: false)
    }

    private init(body: [UInt8], opaque: Set<String>, opaqueDepth: Int, maximumDepth: Int) {
        self.body = body
        self.opaque = opaque
        self.opaqueDepth = opaqueDepth
        self.maximumDepth = maximumDepth
    }

    // MARK: Values

    private mutating func wholeBody(build: Bool) throws(JSONSyntaxError) -> JSONNode {
        if body.starts(with: [0xEF, 0xBB, 0xBF]) { throw mistake("byte order mark", at: 0) }
        skipWhitespace()
        guard index < body.count else { throw mistake("empty body", at: index) }
        let node = try value(depth: 0, build: build)
        skipWhitespace()
        guard index == body.count else {
            throw mistake("unexpected \(shown(index)) after the value", at: index)
        }
        return node
    }

    /// One value. `depth` counts the arrays and objects it stands in.
    private mutating func value(depth: Int, build: Bool) throws(JSONSyntaxError) -> JSONNode {
        let start = index
        let kind: JSONValue
        switch current {
        case UInt8(ascii: "\""):
            let string = try skipString(isName: false)
            kind = build ? .string(text(string)) : .opaque
        case UInt8(ascii: "{"): kind = try object(depth: depth + 1, build: build)
        case UInt8(ascii: "["): kind = try array(depth: depth + 1, build: build)
        case UInt8(ascii: "t"):
            try skipLiteral("true")
            kind = .bool(true)
        case UInt8(ascii: "f"):
            try skipLiteral("false")
            kind = .bool(false)
        case UInt8(ascii: "n"):
            try skipLiteral("null")
            kind = .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try skipNumber()
            kind = .number
        default: throw unexpected("a value")
        }
        return JSONNode(kind: build ? kind : .opaque, range: start..<index)
    }

    private mutating func array(depth: Int, build: Bool) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= maximumDepth else { throw tooDeep() }
        index += 1
        var elements: [JSONNode] = []
        skipWhitespace()
        if skip(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            skipWhitespace()
            let element = try value(depth: depth, build: build)
            if build { elements.append(element) }
            skipWhitespace()
            if skip(UInt8(ascii: ",")) { continue }
            if skip(UInt8(ascii: "]")) { return .array(elements) }
            throw unexpected("a comma or ]")
        }
    }

    private mutating func object(depth: Int, build: Bool) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= maximumDepth else { throw tooDeep() }
        index += 1
        var members: [JSONMember] = []
        skipWhitespace()
        if skip(UInt8(ascii: "}")) { return .object(members) }
        var open = names.open()
        while true {
            skipWhitespace()
            guard current == UInt8(ascii: "\"") else { throw unexpected("a name in quotes") }
            let nameStart = index
            let string = try skipString(isName: true)
            let isNew =
                string.isEscaped
                ? names.add(unescaped(string.contents), to: &open, in: body)
                : names.add(string.contents, to: &open, in: body)
            guard isNew else {
                throw mistake("duplicate name \"\(shortened(text(string)))\"", at: nameStart)
            }
            skipWhitespace()
            guard skip(UInt8(ascii: ":")) else { throw unexpected("a colon") }
            skipWhitespace()
            if build {
                let name = text(string)
                let isOpaque = depth == opaqueDepth && opaque.contains { haveSameBytes($0, name) }
                members.append(
                    JSONMember(name: name, value: try value(depth: depth, build: !isOpaque)))
            } else {
                _ = try value(depth: depth, build: false)
            }
            skipWhitespace()
            if skip(UInt8(ascii: ",")) { continue }
            if skip(UInt8(ascii: "}")) { break }
            throw unexpected("a comma or }")
        }
        names.close(open)
        return .object(members)
    }

    private mutating func skipLiteral(_ literal: String) throws(JSONSyntaxError) {
        let start = index
        for expected in literal.utf8 {
            guard skip(expected) else {
                throw mistake("unknown word, \(literal) expected", at: start)
            }
        }
    }

    /// RFC 8259, section 6.
    private mutating func skipNumber() throws(JSONSyntaxError) {
        let start = index
        _ = skip(UInt8(ascii: "-"))
        if skip(UInt8(ascii: "0")) {
            if isDigit(current) { throw mistake("leading zero in a number", at: start) }
        } else {
            try skipDigits()
        }
        if skip(UInt8(ascii: ".")) { try skipDigits() }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            index += 1
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(JSONSyntaxError) {
        guard isDigit(current) else { throw unexpected("a digit") }
        while isDigit(current) { index += 1 }
    }

    // MARK: Strings

    /// A string that was walked over: the bytes between its quotes.
    private struct ScannedString {
        let contents: Range<Int>
        let isEscaped: Bool
    }

    private mutating func skipString(isName: Bool) throws(JSONSyntaxError) -> ScannedString {
        let quote = index
        index += 1
        var isEscaped = false
        while index < body.count {
            let byte = body[index]
            if byte == UInt8(ascii: "\"") {
                index += 1
                return ScannedString(contents: quote + 1..<index - 1, isEscaped: isEscaped)
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try skipEscape(isName: isName)
            } else if byte < 0x20 {
                throw mistake("control character \(shown(index)) in a string", at: index)
            } else if byte < 0x80 {
                index += 1
            } else {
                let length = lengthOfUTF8Sequence(in: body, at: index)
                guard length > 0 else { throw mistake("invalid UTF-8", at: index) }
                index += length
            }
        }
        throw mistake("the body ends inside a string", at: quote)
    }

    private mutating func skipEscape(isName: Bool) throws(JSONSyntaxError) {
        let start = index
        index += 1
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            index += 1
        case UInt8(ascii: "u"):
            let unit = try skipHexUnit(from: start)
            if unit == 0 && isName { throw mistake("U+0000 in a name", at: start) }
            if UTF16.isTrailSurrogate(unit) { throw mistake("lone surrogate", at: start) }
            guard UTF16.isLeadSurrogate(unit) else { return }
            guard skip(UInt8(ascii: "\\")), current == UInt8(ascii: "u"),
                UTF16.isTrailSurrogate(try skipHexUnit(from: index - 1))
            else { throw mistake("lone surrogate", at: start) }
        default: throw mistake("unknown escape", at: start)
        }
    }

    /// The four digits after `\u`; the index stands at the `u`.
    private mutating func skipHexUnit(from start: Int) throws(JSONSyntaxError) -> UInt16 {
        index += 1
        guard index + 4 <= body.count, let unit = hexUnit(in: body, at: index) else {
            throw mistake("\\u without four hexadecimal digits", at: start)
        }
        index += 4
        return unit
    }

    private func text(_ string: ScannedString) -> String {
        string.isEscaped
            ? String(decoding: unescaped(string.contents), as: UTF8.self)
            : String(decoding: body[string.contents], as: UTF8.self)
    }

    /// The UTF-8 bytes that a string's contents stand for. They were checked before.
    private func unescaped(_ contents: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(contents.count)
        var place = contents.lowerBound
        while place < contents.upperBound {
            guard body[place] == UInt8(ascii: "\\") else {
                bytes.append(body[place])
                place += 1
                continue
            }
            let letter = body[place + 1]
            place += 2
            switch letter {
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = UInt32(hexUnit(in: body, at: place) ?? 0)
                place += 4
                if 0xD800...0xDBFF ~= scalar {
                    let trail = UInt32(hexUnit(in: body, at: place + 2) ?? 0)
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (trail - 0xDC00)
                    place += 6
                }
                bytes.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
            default: bytes.append(letter)
            }
        }
        return bytes
    }

    // MARK: Bytes and mistakes

    /// The byte at the index, or 0 at the end: a byte that no grammar rule accepts.
    private var current: UInt8 { index < body.count ? body[index] : 0 }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipWhitespace() {
        while index < body.count {
            switch body[index] {
            case 0x20, 0x0A, 0x0D, 0x09: index += 1
            default: return
            }
        }
    }

    private func mistake(_ message: String, at offset: Int) -> JSONSyntaxError {
        JSONSyntaxError(message, at: offset, in: body)
    }

    private func unexpected(_ wanted: String) -> JSONSyntaxError {
        index < body.count
            ? mistake("\(wanted) expected, not \(shown(index))", at: index)
            : mistake("the body ends where \(wanted) is expected", at: index)
    }

    private func tooDeep() -> JSONSyntaxError { mistake("depth beyond \(maximumDepth)", at: index) }

    /// A byte as a message can show it.
    private func shown(_ place: Int) -> String {
        let byte = body[place]
        if 0x21...0x7E ~= byte { return String(Unicode.Scalar(byte)) }
        return "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
}

/// A name short enough for a message.
private func shortened(_ name: String) -> String {
    guard name.utf8.count > 100 else { return name }
    return String(String.UnicodeScalarView(name.unicodeScalars.prefix(50))) + "…"
}
