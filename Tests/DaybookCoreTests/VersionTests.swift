import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Versions")
struct VersionTests {
    /// A workflow with a draft on `http` and version 1 on `echo`.
    private func workflow() throws -> (Given, WorkflowID, first: Position) {
        var given = try Given()
        let id = try given.newWorkflow(.echo)
        let first = given.position(of: id)
        try given.happened(.saveVersion(id, NewVersion(name: "one")))
        try given.happened(.editDraft(id, .http))
        given.now = .second(5)
        return (given, id, first)
    }

    @Test func `the draft is edited in place`() throws {
        var (given, id, _) = try workflow()
        let edited = DraftEdited(
            workflow: id, previous: given.position(of: id), definition: .worker("w"))
        #expect(
            try given.when(.editDraft(id, .worker("w"))) == .events([.draftEdited(edited)]))
        try given.happened(.editDraft(id, .worker("w")))
        let draft = try #require(given.state.version(0, of: id, team: given.team))
        #expect(
            draft.queue == .worker("w")
                && draft.definitionLocation == .first(given.nextPosition - 1))
        #expect(given.state.workflow(id, of: given.team)?.revision == 4)
    }

    @Test func `a saved version is what the draft is, and never changes`() throws {
        var (given, id, _) = try workflow()
        let draft = try #require(given.state.version(0, of: id, team: given.team))
        let saved = VersionSaved(
            workflow: id, previous: given.position(of: id), number: 2, source: 0, name: "two",
            definitionLocation: draft.definitionLocation, queue: .http)
        let command = Command.saveVersion(id, NewVersion(name: "two"))
        #expect(try given.when(command) == .events([.versionSaved(saved)]))
        try given.happened(command)
        let header = try #require(given.entries.last?.header)
        let expected = Version(
            workflow: id, team: given.team, number: 2, name: "two",
            definitionLocation: draft.definitionLocation, queue: .http, source: 0,
            touched: Touched(created: header))
        #expect(given.state.version(2, of: id, team: given.team) == expected)
        try given.happened(.editDraft(id, .echo))
        #expect(given.state.version(2, of: id, team: given.team) == expected)
        let row = try #require(given.state.workflow(id, of: given.team))
        #expect(row.lastVersion == 2 && row.activeVersion == 0)
    }

    @Test func `a version can be made of an earlier one, and be active at once`() throws {
        var (given, id, first) = try workflow()
        let previous = given.position(of: id)
        let command = Command.saveVersion(id, NewVersion(source: 1, markAsActive: true))
        #expect(
            try given.when(command)
                == .events([
                    .versionSaved(
                        VersionSaved(
                            workflow: id, previous: previous, number: 2, source: 1, name: nil,
                            definitionLocation: .first(first), queue: .echo)),
                    .versionActivated(
                        VersionActivated(workflow: id, previous: previous, number: 2)),
                ]))
        try given.happened(command)
        let row = try #require(given.state.workflow(id, of: given.team))
        #expect(row.activeVersion == 2 && row.lastVersion == 2 && row.revision == 5)
    }

    @Test(arguments: [
        (NewVersion(source: 2), ["source_version_number"]),
        (NewVersion(source: -1, name: ""), ["version_name", "source_version_number"]),
        (NewVersion(name: String(repeating: "n", count: 151)), ["version_name"]),
    ])
    func `a version is held to its bounds`(_ new: NewVersion, _ wrong: [String]) throws {
        let (given, id, _) = try workflow()
        #expect(try given.when(.saveVersion(id, new)).wrongFields == wrong)
    }

    @Test func `a workflow that has used up its numbers gets no further version`() throws {
        let (given, id, _) = try workflow()
        var state = given.state
        var row = try #require(state.workflow(id, of: given.team))
        row.lastVersion = 1_000_000
        state.set(row)
        let judged = given.asked(.saveVersion(id, NewVersion())).judged(by: state)
        #expect(judged.wrongFields == ["source_version_number"])
    }

    @Test func `a version can be renamed, the draft too`() throws {
        var (given, id, _) = try workflow()
        for number in [0, 1] {
            let renamed = VersionRenamed(
                workflow: id, previous: given.position(of: id), number: number, name: "x")
            #expect(
                try given.when(.renameVersion(id, number: number, name: "x"))
                    == .events([.versionRenamed(renamed)]))
        }
        #expect(try given.when(.renameVersion(id, number: 1, name: "one")) == .nothing)
        #expect(
            try given.when(.renameVersion(id, number: 1, name: "")).wrongFields
                == ["version_name"])
        try given.happened(.renameVersion(id, number: 1, name: "x"))
        let version = try #require(given.state.version(1, of: id, team: given.team))
        #expect(version.name == "x" && version.touched.updatedAt == .second(5))
    }

    @Test func `any version can be made the active one, an older one too`() throws {
        var (given, id, _) = try workflow()
        let activated = VersionActivated(
            workflow: id, previous: given.position(of: id), number: 1)
        #expect(
            try given.when(.activateVersion(id, number: 1))
                == .events([.versionActivated(activated)]))
        #expect(try given.when(.activateVersion(id, number: 0)) == .nothing)
        try given.happened(.activateVersion(id, number: 1))
        #expect(try given.when(.activateVersion(id, number: 1)) == .nothing)
        #expect(try given.when(.activateVersion(id, number: 0)).onlyEvent != nil)
    }

    @Test(arguments: [-1, 2, 1_000_001, Int.max, .min])
    func `a version that is not there is not found`(_ number: Int) throws {
        let (given, id, _) = try workflow()
        for command in [
            Command.renameVersion(id, number: number, name: ""),
            .activateVersion(id, number: number),
        ] {
            #expect(try given.when(command, ifMatch: [77]) == .refused(.notFound(.version)))
        }
    }
}
