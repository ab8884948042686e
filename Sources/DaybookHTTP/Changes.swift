import DaybookCore
import DaybookEngine
import DaybookWire

/// The fields of an object that an entry changed, by the names and in the form that the API has for them.
/// Of a payload, the position of the entry that brought it stands for what it says.
func changes(_ before: PastObject?, _ after: PastObject?) -> [EntryChange] {
    guard let after else { return [] }
    let (old, new) = (fields(before), fields(after))
    return new.compactMap { name, value in
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
    switch object {
    case nil: return []
    case .schedule(let schedule):
        writer.schedule(ScheduleDetail(schedule: schedule, input: nil, failureMessage: nil))
        payloads = [("run_input", schedule.input)]
    case .run(let run):
        writer.run(RunDetail(run: run, input: nil, output: nil, errorMessage: nil))
        payloads = [("run_input", run.input), ("output", run.output)]
    case .workflow(let workflow): writer.workflow(workflow)
    }
    let body = writer.finish()
    guard let node = try? JSONScanner.scan(body), case .object(let members) = node.kind else {
        return []
    }
    return members.map { member in
        if let payload = payloads.first(where: { $0.name == member.name }),
            let location = payload.value
        {
            return (member.name, Array(#"{"position":\#(location.position)}"#.utf8))
        }
        return (member.name, Array(member.value.bytes(in: body)))
    }
}
