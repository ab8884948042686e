import Foundation
import Testing

@testable import DaybookWire

/// A random document of JSON text, white space and escapes included, all names of an object
/// different from one another.
private func document(depth: Int, using numbers: inout SeededNumbers) -> String {
    let space = [" ", "", "", "\n", "\t "].randomElement(using: &numbers) ?? ""
    let kind = Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &numbers)
    let count = Int.random(in: 0...5, using: &numbers)
    switch kind {
    case 0: return space + (["null", "true", "false"].randomElement(using: &numbers) ?? "null")
    case 1, 2:
        let literals = [
            "0", "-0", "1", "-17", "1.0", "1e2", "12.5E-3", "1e400", "9007199254740993", "0.10",
        ]
        return space + (literals.randomElement(using: &numbers) ?? "0")
    case 3, 4: return space + string(using: &numbers)
    case 5, 6:
        let elements = (0..<count).map { _ in document(depth: depth - 1, using: &numbers) }
        return "[" + elements.joined(separator: "," + space) + space + "]"
    default:
        let members = (0..<count).map { index in
            let name = string(using: &numbers).dropLast() + "\(index)\""
            return name + space + ":" + document(depth: depth - 1, using: &numbers)
        }
        return "{" + space + members.joined(separator: space + ",") + "}"
    }
}

private func string(using numbers: inout SeededNumbers) -> String {
    let parts = [
        "a", "run", " ", "é", "e\u{301}", "€", "😀", "\u{2028}", "\u{7F}", "\u{FEFF}", "~/",
        #"\""#, #"\\"#, #"\/"#, #"\b"#, #"\f"#, #"\n"#, #"\r"#, #"\t"#, #"\u001f"#, #"\u00E9"#,
        #"\ud83d\ude00"#, #"\uFFFD"#,
    ]
    let count = Int.random(in: 0...4, using: &numbers)
    let contents = (0..<count).map { _ in parts.randomElement(using: &numbers) ?? "" }
    return "\"" + contents.joined() + "\""
}

/// The document with one to three bytes changed, removed, doubled or put in.
private func mutated(_ document: [UInt8], using numbers: inout SeededNumbers) -> [UInt8] {
    var bytes = document
    let interesting =
        Array(#"{}[],:"\\/0123.eE+-utfn a"#.utf8) + [0x00, 0x1F, 0x80, 0xC3, 0xED, 0xFF]
    for _ in 0..<Int.random(in: 1...3, using: &numbers) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &numbers)
        let byte = interesting.randomElement(using: &numbers) ?? 0
        switch Int.random(in: 0..<4, using: &numbers) {
        case 0: bytes[place] = byte
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(bytes[place], at: place)
        default: bytes.insert(byte, at: place)
        }
    }
    return bytes
}

/// The tree in the form that Python's `json.dumps` gives it, numbers as texts behind a `#`.
private func write(_ node: JSONNode, of body: [UInt8], to writer: inout JSONWriter) {
    switch node.kind {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .number: writer.string("#" + String(decoding: node.bytes(in: body), as: UTF8.self))
    case .string(let text): writer.string(text)
    case .array(let elements):
        writer.array { writer in
            for element in elements { write(element, of: body, to: &writer) }
        }
    case .object(let members):
        writer.object { writer in
            for member in members {
                writer.name(member.name)
                write(member.value, of: body, to: &writer)
            }
        }
    case .opaque: Issue.record("an opaque value although none was asked for")
    }
}

private func dump(_ body: [UInt8]) -> String {
    guard let node = try? JSONScanner.scan(body) else { return "-" }
    var writer = JSONWriter()
    write(node, of: body, to: &writer)
    return String(decoding: writer.finish(), as: UTF8.self)
}

/// Reads documents in hexadecimal, one a line; prints each again, or `-` where it is refused.
private let pythonScript = #"""
    import json, sys

    class Refused(Exception): pass

    def refuse(_): raise Refused()

    def pairs(members):
        names = [name for name, _ in members]
        if len(set(names)) < len(names) or any("\0" in name for name in names): raise Refused()
        return dict(members)

    def number(text): return "#" + text

    for line in open(sys.argv[1]):
        try:
            text = bytes.fromhex(line).decode("utf-8")
            value = json.loads(
                text, object_pairs_hook=pairs, parse_constant=refuse, parse_int=number,
                parse_float=number)
            answer = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        except (ValueError, Refused):
            answer = b"-"
        sys.stdout.buffer.write(answer + b"\n")
    """#

private func python3() -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/python3" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }
}

@Suite struct `The JSON scanner under random bodies` {
    @Test func `never traps on random bytes, and scan and validate agree`() {
        var numbers = SeededNumbers()
        for _ in 0..<4000 {
            let body = numbers.bytes(Int.random(in: 0...40, using: &numbers))
            let isScanned = (try? JSONScanner.scan(body)) != nil
            #expect(isScanned == ((try? JSONScanner.validate(body)) != nil), "\(body)")
        }
    }

    @Test func `accepts generated documents and slices each value so that it stands alone`() throws
    {
        var numbers = SeededNumbers()
        for _ in 0..<500 {
            let body = Array(document(depth: 4, using: &numbers).utf8)
            let text = String(decoding: body, as: UTF8.self)
            let node = try JSONScanner.scan(body)
            #expect(dump(Array(node.bytes(in: body))) == dump(body), "\(text)")
            if case .object(let members) = node.kind {
                for member in members {
                    #expect(throws: Never.self, "\(text)") {
                        try JSONScanner.validate(Array(member.value.bytes(in: body)))
                    }
                }
                let opaque = try JSONScanner.scan(body, opaque: Set(members.map(\.name)))
                guard case .object(let same) = opaque.kind else { continue }
                #expect(same.map(\.value.range) == members.map(\.value.range), "\(text)")
            }
        }
    }

    @Test func `never traps on mutated documents, and scan and validate agree`() {
        var numbers = SeededNumbers()
        for _ in 0..<4000 {
            let valid = Array(document(depth: 3, using: &numbers).utf8)
            let body = mutated(valid, using: &numbers)
            let isScanned = (try? JSONScanner.scan(body)) != nil
            let isValid = (try? JSONScanner.validate(body)) != nil
            let isScannedOpaquely = (try? JSONScanner.scan(body, opaque: ["a", "run"])) != nil
            #expect(isScanned == isValid && isScanned == isScannedOpaquely, "\(body)")
        }
    }

    @Test(.enabled(if: python3() != nil, "needs python3"))
    func `accepts, refuses and reads what Python's json does under the same rules`() throws {
        var numbers = SeededNumbers()
        let bodies = (0..<1000).map { index in
            let valid = Array(document(depth: 3, using: &numbers).utf8)
            return index.isMultiple(of: 2) ? valid : mutated(valid, using: &numbers)
        }
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("daybook-json-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let lines = bodies.map { $0.map { String(format: "%02x", $0) }.joined() + "\n" }
        try Data(lines.joined().utf8).write(to: file)

        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: try #require(python3()))
        process.arguments = ["-c", pythonScript, file.path]
        process.standardOutput = output
        try process.run()
        let answers = output.fileHandleForReading.readDataToEndOfFile()
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        process.waitUntilExit()

        #expect(process.terminationStatus == 0)
        try #require(answers.count == bodies.count + 1)
        for (body, answer) in zip(bodies, answers) {
            #expect(Array(dump(body).utf8) == Array(answer.utf8), "\(body)")
        }
        let refused = answers.count { $0 == "-" }
        #expect(refused > 100 && refused < 900, "the corpus has both kinds")
    }
}
