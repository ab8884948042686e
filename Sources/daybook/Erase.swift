import ArgumentParser
import DaybookClient
import Foundation
import NIOHTTP1

/// Erases the payloads of many schedules or runs, over the server's API.
struct Erase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Erases what schedules or runs brought: inputs, outputs, messages.",
        discussion: """
            Asks the running server for everything that the filter names, and to erase each of them; \
            their ids are on standard output. What is not finished stays, unless --force is given. It \
            may be broken off and started again. A schedule and its run are erased together.

            Exit codes: 0 when all were erased, 1 when something was refused, 64 for a wrong command line, \
            69 when the server cannot be reached.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case schedules, runs
    }

    @Argument(help: "schedules or runs.")
    var kind: Kind
    @Option(help: "Of this workflow.")
    var workflow: String?
    @Option(help: "In this status.")
    var status: String?
    @Option(help: "From this time on (of schedules: the scheduled time).")
    var from: String?
    @Option(help: "Before this time.")
    var to: String?
    @Option(help: "Schedules with this dedup_key.")
    var dedupKey: String?
    @Option(help: "One of whose inputs, outputs or messages, of all times, contains this text.")
    var containing: String?
    @Flag(help: "Also what is not finished.")
    var force = false
    @Flag(help: "Prints the ids and erases nothing.")
    var dryRun = false
    @Option(
        help: "The data directory, for its admin.key. (default: DAYBOOK_DATA_DIR, ./daybook-data)")
    var dataDir: String?
    @OptionGroup var client: Client.Options

    func validate() throws {
        let filters = [workflow, status, from, to, dedupKey, containing]
        guard filters.contains(where: { $0 != nil }) else {
            throw ValidationError("name what is to be erased: --workflow, --from, --containing, …")
        }
        if dedupKey != nil, kind == .runs {
            throw ValidationError("--dedup-key is of schedules")
        }
    }

    func run() async throws {
        try await Client.with(client, dataDir: dataDir) { client in
            let (found, refused) = try await erase(client)
            let done = dryRun ? "would be erased" : "erased"
            FileHandle.standardError.write(
                Data("\(found - refused) \(done), \(refused) refused\n".utf8))
            if refused > 0 { throw ExitCode(1) }
        }
    }

    private func erase(_ client: Client) async throws -> (found: Int, refused: Int) {
        var (found, refused) = (0, 0)
        var cursor: String?
        repeat {
            let page: Page = try await client.json(.GET, path(cursor))
            for item in page.items {
                guard try await matches(item, client) else { continue }
                found += 1
                if !dryRun, let refusal = try await erase(item, client) {
                    refused += 1
                    FileHandle.standardError.write(Data("\(item.id): \(refusal)\n".utf8))
                } else {
                    print(item.id)
                }
            }
            cursor = page.nextCursor
        } while cursor != nil
        return (found, refused)
    }

    /// Why it was refused, if it was.
    private func erase(_ item: Item, _ client: Client) async throws -> String? {
        let answer = try await client.ask(
            .POST, "/workflow-\(kind.rawValue)/\(item.id)/erase",
            Array(#"{"force":\#(force)}"#.utf8))
        if answer.status == 200 { return nil }
        guard answer.status == 409 else { throw Failure.exit(Exits.unavailable, answer.detail) }
        return answer.detail
    }

    /// Whether one of the payloads that would be erased contains the text, as it was sent.
    private func matches(_ item: Item, _ client: Client) async throws -> Bool {
        guard let containing else { return true }
        var histories = ["/workflow-\(kind.rawValue)/\(item.id)/history"]
        if let run = item.runId { histories.append("/workflow-runs/\(run)/history") }
        if let schedule = item.scheduleId {
            histories.append("/workflow-schedules/\(schedule)/history")
        }
        for history in histories {
            var cursor: String?
            repeat {
                let page: HistoryPage = try await client.json(
                    .GET, history + "?limit=100" + (cursor.map { "&cursor=\($0)" } ?? ""))
                for entry in page.items where entry.events.contains(where: \.broughtPayload) {
                    let shown: Entry = try await client.json(
                        .GET, "/log/\(entry.position)?payloads=true")
                    for payload in shown.payloads ?? [] {
                        guard let bytes = payload.base64 else { continue }
                        if String(decoding: bytes, as: UTF8.self).contains(containing) {
                            return true
                        }
                    }
                }
                cursor = page.nextCursor
            } while cursor != nil
        }
        return false
    }

    private func path(_ cursor: String?) -> String {
        var items = [URLQueryItem(name: "limit", value: "100")]
        for (name, value) in [
            ("workflow_id", workflow), ("status", status), ("from", from), ("to", to),
            ("dedup_key", dedupKey), ("cursor", cursor),
        ] where value != nil {
            items.append(URLQueryItem(name: name, value: value))
        }
        var components = URLComponents()
        components.path = "/workflow-\(kind.rawValue)"
        components.queryItems = items
        return (components.string ?? "").replacing("+", with: "%2B")
    }

    private struct Page: Decodable, Sendable {
        let items: [Item]
        let nextCursor: String?
    }

    private struct Item: Decodable, Sendable {
        let id: String
        let runId: String?
        let scheduleId: String?
    }

    private struct HistoryPage: Decodable, Sendable {
        let items: [Entry]
        let nextCursor: String?
    }

    private struct Entry: Decodable, Sendable {
        struct Event: Decodable, Sendable {
            struct Digest: Decodable, Sendable {
                let sha256: String
            }

            let runInput: Digest?
            let output: Digest?
            let message: Digest?

            var broughtPayload: Bool { runInput != nil || output != nil || message != nil }
        }

        struct Payload: Decodable, Sendable {
            let base64: Data?
        }

        let position: UInt64
        let events: [Event]
        let payloads: [Payload]?
    }
}
