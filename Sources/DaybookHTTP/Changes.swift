import DaybookCore
import DaybookEngine
import DaybookWire

/// The fields of an object that an entry changed, by the names and in the form that the API has for them.
/// Of a payload and of a definition, the position of the entry that brought it stands for what it says.
func changes(of item: HistoryItem) -> [EntryChange] {
    let before = item.before
    guard let after = item.after else { return [] }
    let (old, new) = (fields(before), fields(after))
    let erases = item.entry.events.contains { event in
        if case .payloadsErased = event { true } else { false }
    }
    let erased = EntryChange(field: "erased", old: Array("false".utf8), new: Array("true".utf8))
    return (erases ? [erased] : [])
        + new.compactMap { name, value in
            guard !unchanging.contains(name) else { return nil }
            let previous = old.first { $0.name == name }?.value
            if before != nil, previous == value { return nil }
            // Of what was just made, what is there is told.
            if before == nil, value == null { return nil }
            return EntryChange(field: name, old: previous ?? null, new: value)
        }
}

private let null = Array("null".utf8)

/// What names the object, and what the entry itself says.
private let unchanging: Set<String> = [
    "id", "team_id", "workflow_id", "created_at", "created_by", "updated_at", "updated_by",
    "revision", "durations",
]

private func fields(_ object: PastObject?) -> [(name: String, value: [UInt8])] {
    var writer = JSONWriter()
    var payloads: [(name: String, value: PayloadLocation?)] = []
    var more: [(name: String, value: [UInt8])] = []
    switch object {
    case nil: return []
    case .schedule(let schedule):
        writer.schedule(ScheduleDetail(schedule: schedule, input: nil, failureMessage: nil))
        payloads = [("run_input", schedule.input)]
        if case .run(let error) = schedule.failure {
            payloads.append(("error_message", error.message))
        }
    case .run(let run):
        writer.run(RunDetail(run: run, input: nil, output: nil, errorMessage: nil))
        payloads = [("run_input", run.input), ("output", run.output)]
        if let error = run.error {
            more.append(("error", text { $0.error(error) }))
        }
    case .workflow(let workflow, let versions):
        writer.workflow(workflow)
        for version in versions {
            let prefix = "versions/\(version.number)/"
            more.append((prefix + "version_name", text { $0.optional(version.name) }))
            more.append((prefix + "definition", position(version.definitionLocation.position)))
        }
    }
    let body = writer.finish()
    guard let node = try? JSONScanner.scan(body), case .object(let members) = node.kind else {
        return []
    }
    let own = members.filter { member in !more.contains { $0.name == member.name } }
    return more
        + own.map { member in
            if let payload = payloads.first(where: { $0.name == member.name }),
                let location = payload.value
            {
                return (member.name, position(location.position))
            }
            return (member.name, Array(member.value.bytes(in: body)))
        }
}

/// What stands for bytes that an entry brought.
private func position(_ position: Position) -> [UInt8] {
    Array(#"{"position":\#(position)}"#.utf8)
}

private func text(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    write(&writer)
    return writer.finish()
}

extension JSONWriter {
    fileprivate mutating func optional(_ text: String?) {
        if let text { string(text) } else { null() }
    }

    /// As a run shows it, with the position of its message.
    fileprivate mutating func error(_ error: RunError) {
        object { writer in
            writer.field("reason", error.reason.name)
            writer.name("message")
            guard let message = error.message else { return writer.null() }
            writer.object { $0.field("position", message.position) }
        }
    }
}
