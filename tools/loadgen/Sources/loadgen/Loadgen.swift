import Foundation

/// Loads a server and measures it, from a process of its own. What to do is one JSON object in the only
/// argument, what was measured one JSON object on standard output.
///
/// `drive` sends requests, `follow` reads the log's stream, `sink` is what an HTTP executor calls, `work` is
/// workers that claim and complete.
@main
struct Loadgen {
    private struct What: Decodable {
        enum Mode: String, Decodable { case drive, follow, sink, work }
        let mode: Mode
    }

    static func main() {
        guard CommandLine.arguments.count == 2 else { fail("wants one argument: a JSON object") }
        let text = Data(CommandLine.arguments[1].utf8)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            switch try decoder.decode(What.self, from: text).mode {
            case .drive: Drive(try decoder.decode(DriveSpecification.self, from: text)).run()
            case .follow: Follow(try decoder.decode(FollowSpecification.self, from: text)).run()
            case .sink: Sink(try decoder.decode(SinkSpecification.self, from: text)).run()
            case .work: Work(try decoder.decode(WorkSpecification.self, from: text)).run()
            }
        } catch {
            fail("\(error)")
        }
    }
}
