import DaybookCore
import DaybookStore
import Foundation
import Support
import Testing

@Suite("The file of the keys that seal secrets")
struct SecretKeysFileTests {
    private static let good = Data(repeating: 5, count: 32).base64EncodedString()
    private static let short = Data(repeating: 5, count: 31).base64EncodedString()

    private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        let directory = try TestStore.makeDirectory()
        defer { TestStore.remove(directory) }
        let path = directory + "/secrets.keys"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try body(path)
    }

    @Test(arguments: [
        ("", 1), ("\n", 1), ("# nothing but this\n", 1), ("1 \(good)\n2 \(short)\n", 2),
        ("# one\n# two\n1 \(good)\nx \(good)\n", 4), ("1 \(good)\n1 \(good)\n", 2),
        ("1 \(good)\n\n\n2 nothing\n", 4), ("-1 \(good)\n", 1), ("4294967296 \(good)\n", 1),
        ("1 \(good) more\n", 1), ("1\n", 1),
    ])
    func `a line that is no key is named by its number`(_ text: String, _ line: Int) throws {
        try withFile(text) { path in
            #expect(throws: SecretKeys.Failure.unreadable(path: path, line: line)) {
                try SecretKeys(path: path)
            }
        }
    }

    @Test func `comments and empty lines are passed over, the greatest number seals`() throws {
        let other = Data(repeating: 6, count: 32).base64EncodedString()
        try withFile("# two keys\n\n12 \(other)\n7 \(Self.good)\n") { path in
            let keys = try SecretKeys(path: path)
            #expect(keys.seal([1], for: .header, of: .number(1)).keyNumber == 12)
        }
    }
}
