import ArgumentParser
import DaybookClient
import DaybookCore
import DaybookStore
import DaybookWire
import Foundation

// What shows that the log is what it was: made from the directory, verified without it.
extension Log {
    struct PublicKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the key that verifies the log's checkpoints, as c2sp.org/signed-note."
        )

        @OptionGroup var source: Source

        func run() async throws {
            try await source.read { store in
                let origin = try store.read { Checkpoint.origin(of: try $0.service().logID) }
                print(try CheckpointKey(reading: store.checkpointKeyPath).verifier(of: origin))
            }
        }
    }

    struct SignedCheckpoint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "checkpoint",
            abstract: "Prints the log's size and root, signed, as c2sp.org/tlog-checkpoint.")

        @OptionGroup var source: Source

        func run() async throws {
            try await source.read { store in
                let checkpoint = try store.read { try $0.checkpoint(of: $0.lastPosition()) }
                print(
                    try CheckpointKey(reading: store.checkpointKeyPath).sign(checkpoint),
                    terminator: "")
            }
        }
    }

    struct VerifyCheckpoint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify-checkpoint",
            abstract:
                "Verifies a checkpoint's signature, and that the log of an older one is in it.",
            discussion: """
                Needs no data directory. FILE is what GET /log/checkpoint gave. With --older, another \
                checkpoint of before, and --proof, what GET /log/consistency gave for the two sizes.

                Exit codes: 0 when everything verifies, 1 when something does not, 64 for a wrong \
                command line, 66 when a file cannot be read.
                """)

        @OptionGroup var trust: Trust
        @Argument(help: "The checkpoint; - for standard input.")
        var file: String
        @Option(help: "An older checkpoint.")
        var older: String?
        @Option(help: "The consistency proof from the older one, as JSON.")
        var proof: String?

        func validate() throws {
            if (older == nil) != (proof == nil) {
                throw ValidationError("--older and --proof go together")
            }
        }

        func run() async throws {
            let verifier = try trust.verifier()
            let checkpoint = try verified(try Input.text(file), verifier)
            print("the log \(checkpoint.origin) had \(checkpoint.size) entries")
            guard let older, let proof else { return }
            let before = try verified(try Input.text(older), verifier)
            let path: ConsistencyJSON = try Input.json(proof)
            guard before.size == path.from, checkpoint.size == path.to else {
                throw Doubt.exit("the proof is not from \(before.size) to \(checkpoint.size)")
            }
            guard
                Merkle.proves(
                    before.root, of: before.size, beginning: checkpoint.root, of: checkpoint.size,
                    by: path.hashes.map(Array.init))
            else { throw Doubt.exit("the older log is not the beginning of this one") }
            print("its first \(before.size) entries are those of the older checkpoint")
        }
    }

    struct VerifyProof: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify-proof",
            abstract: "Verifies that an entry is in the log of a signed checkpoint.",
            discussion: """
                Needs no data directory. FILE is what GET /log/{position}/proof gave. With --entry, the \
                entry's exact bytes (GET /log/{position} with Accept: application/protobuf), it also \
                shows that the proof is about them, and prints what they say. With --payloads, what GET \
                /log/{position}?payloads=true gave, it verifies the payloads against the entry.

                Exit codes: 0 when everything verifies, 1 when something does not, 64 for a wrong \
                command line, 66 when a file cannot be read.
                """)

        @OptionGroup var trust: Trust
        @Argument(help: "The inclusion proof, as JSON; - for standard input.")
        var file: String
        @Option(help: "The entry's bytes.")
        var entry: String?
        @Option(help: "The entry as JSON, with its payloads.")
        var payloads: String?

        func validate() throws {
            if payloads != nil, entry == nil {
                throw ValidationError("--payloads needs --entry: digests stand in its bytes")
            }
        }

        func run() async throws {
            let proof: InclusionJSON = try Input.json(file)
            let checkpoint = try verified(proof.checkpoint, try trust.verifier())
            guard checkpoint.size == proof.treeSize else {
                throw Doubt.exit("the checkpoint is of \(checkpoint.size) entries")
            }
            guard proof.position > 0,
                Merkle.proves(
                    Array(proof.leafHash), at: proof.position - 1, in: proof.treeSize,
                    by: proof.hashes.map(Array.init), root: checkpoint.root)
            else { throw Doubt.exit("the hashes do not lead to the checkpoint's root") }
            print(
                "entry \(proof.position) is in the log \(checkpoint.origin) of \(proof.treeSize) entries"
            )
            guard let path = self.entry else { return }
            let entry = try self.entry(Array(try Input.data(path)), proof)
            let events = entry.events.map(EntryText.sentence).joined(separator: "; ")
            print(
                "\(RFC3339.format(entry.header.recordedAt))  \(entry.header.actor)  \(events)")
            if let payloads { try verify(try Input.json(payloads), of: entry) }
        }

        private func entry(_ bytes: [UInt8], _ proof: InclusionJSON) throws -> Entry {
            guard Chain.leaf(bytes) == Array(proof.leafHash) else {
                throw Doubt.exit("the proof is about other bytes than the entry's")
            }
            guard let entry = try? EntryCodec.decode(bytes),
                entry.header.position == proof.position
            else { throw Doubt.exit("the bytes are not the entry \(proof.position)") }
            return entry
        }

        private func verify(_ shown: PayloadsJSON, of entry: Entry) throws {
            guard shown.position == entry.header.position else {
                throw Doubt.exit("the payloads are of entry \(shown.position)")
            }
            let declared = entry.events.enumerated().filter { $0.element.payload != nil }
            guard shown.payloads.map(\.eventIndex) == declared.map(\.offset) else {
                throw Doubt.exit("not every payload of the entry is there, or one that it has not")
            }
            for (payload, event) in zip(shown.payloads, declared.map(\.element)) {
                let index = payload.eventIndex
                if payload.erased == true, payload.salt == nil, payload.base64 == nil {
                    print("payload of event \(index): erased, it says; this proves nothing of it")
                    continue
                }
                guard let salt = payload.salt, let bytes = payload.base64,
                    salt.count == SaltedPayload.saltByteCount,
                    SaltedPayload(Array(bytes), salt: Array(salt)).payload == event.payload
                else { throw Doubt.exit("the payload of event \(index) is another one") }
                print("payload of event \(index): \(bytes.count) bytes, as recorded")
            }
        }
    }

    /// Whose signature is believed.
    struct Trust: ParsableArguments {
        @Option(help: "The verifier key, as GET /log/public-key gives it.")
        var publicKey: String

        func verifier() throws -> NoteVerifier {
            let text = publicKey.trimmingCharacters(in: .whitespacesAndNewlines)
            guard let verifier = NoteVerifier(text) else {
                throw ValidationError(
                    "--public-key: must be <name>+<8 hexadecimal digits>+<base64>")
            }
            return verifier
        }
    }

    private static func verified(
        _ note: String, _ verifier: NoteVerifier
    ) throws -> Checkpoint {
        do throws(Checkpoint.NoteError) {
            return try Checkpoint(note: note, verifier: verifier)
        } catch {
            throw Doubt.exit("\(error)")
        }
    }

    private struct ConsistencyJSON: Decodable {
        let from: Position
        let to: Position
        let hashes: [Data]
    }

    private struct InclusionJSON: Decodable {
        let position: Position
        let treeSize: Position
        let leafHash: Data
        let hashes: [Data]
        let checkpoint: String
    }

    private struct PayloadsJSON: Decodable {
        struct Payload: Decodable {
            let eventIndex: Int
            let salt: Data?
            let base64: Data?
            let erased: Bool?
        }
        let position: Position
        let payloads: [Payload]
    }
}

/// Something does not verify.
private enum Doubt {
    static func exit(_ what: String) -> ExitCode { Failure.exit(ExitCode(1), what) }
}

/// Files that a command reads; `-` is standard input.
private enum Input {
    static func data(_ path: String) throws -> Data {
        do {
            return path == "-"
                ? try FileHandle.standardInput.readToEnd() ?? Data()
                : try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Failure.exit(Exits.noInput, "\(path) cannot be read: \(error)")
        }
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try data(path), as: UTF8.self)
    }

    static func json<Value: Decodable>(_ path: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(Value.self, from: data(path))
        } catch let error as DecodingError {
            throw Failure.exit(ExitCode(1), "\(path) is not what it should be: \(error)")
        }
    }
}
