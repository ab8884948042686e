import DaybookCore
import DaybookStore
import Foundation
import Support
import Testing

@Suite("Keys that seal secrets")
struct SecretKeysTests {
    private func withPath(_ body: (String) throws -> Void) throws {
        let directory = try TestStore.makeDirectory()
        defer { TestStore.remove(directory) }
        try body(directory + "/secrets.keys")
    }

    @Test("what is sealed opens for the same team and purpose alone, and no byte of it can change")
    func sealing() throws {
        try withPath { path in
            let keys = try SecretKeys(path: path)
            let secret = Array("canary".utf8)
            let sealed = keys.seal(secret, for: .header, of: .number(1))
            #expect(try keys.open(sealed, for: .header, of: .number(1)) == secret)
            #expect(throws: SecretKeys.Failure.notAuthentic) {
                try keys.open(sealed, for: .header, of: .number(2))
            }
            #expect(throws: SecretKeys.Failure.notAuthentic) {
                try keys.open(sealed, for: .workflowSecret, of: .number(1))
            }
            for index in sealed.ciphertext.indices {
                var ciphertext = sealed.ciphertext
                ciphertext[index] ^= 1
                #expect(throws: SecretKeys.Failure.notAuthentic) {
                    try keys.open(
                        SealedSecret(
                            keyNumber: sealed.keyNumber, nonce: sealed.nonce,
                            ciphertext: ciphertext), for: .header, of: .number(1))
                }
            }
            #expect(sealed != keys.seal(secret, for: .header, of: .number(1)))
        }
    }

    @Test("the file is made once, readable by its owner alone, and an older key still opens")
    func rotation() throws {
        try withPath { path in
            let first = try SecretKeys(path: path)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            let sealed = first.seal([1, 2], for: .header, of: .number(1))
            let second = "2 \(Data(repeating: 5, count: 32).base64EncodedString())\n"
            try (String(contentsOfFile: path, encoding: .utf8) + second)
                .write(toFile: path, atomically: true, encoding: .utf8)
            let both = try SecretKeys(path: path)
            #expect(try both.open(sealed, for: .header, of: .number(1)) == [1, 2])
            let new = both.seal([3], for: .header, of: .number(1))
            #expect(new.keyNumber == 2)
            #expect(throws: SecretKeys.Failure.noSuchKey(2)) {
                try first.open(new, for: .header, of: .number(1))
            }
        }
    }

    @Test("a line that is no key is named")
    func badFile() throws {
        try withPath { path in
            try "1 short\n".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(throws: SecretKeys.Failure.unreadable(path: path, line: 1)) {
                try SecretKeys(path: path)
            }
        }
    }
}
