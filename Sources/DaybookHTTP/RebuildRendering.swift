import DaybookCore
import DaybookEngine
import DaybookWire

extension JSONWriter {
    mutating func rebuild(_ status: RebuildStatus) {
        object { writer in
            writer.field("status", status.state.name)
            writer.field("started_at", status.startedAt)
            writer.field("finished_at", status.finishedAt)
            switch status.state {
            case .replaying(let reached, let last):
                writer.field("position", reached)
                writer.field("of", last)
            case .comparing(let table): writer.field("table", table)
            case .failed(let why): writer.field("error", why)
            case .finished(let entries, let differences, let told):
                writer.field("entries", entries)
                writer.field("differences", differences)
                writer.array("told") { writer in
                    for difference in told {
                        writer.object { writer in
                            writer.field("table", difference.table)
                            writer.field("key", lowercaseHex(difference.key))
                            writer.field("what", difference.what)
                        }
                    }
                }
            }
        }
    }
}

extension RebuildStatus.State {
    fileprivate var name: String {
        switch self {
        case .replaying: "replaying"
        case .comparing: "comparing"
        case .finished: "finished"
        case .failed: "failed"
        }
    }
}
