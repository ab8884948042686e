import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("The service's own commands")
struct ServiceTests {
    @Test func `a log is initialised once`() throws {
        let logID = [UInt8](repeating: 1, count: 16)
        let given = try Given()
        #expect(given.entries.first?.events == [.initialised(logID: logID, format: 1)])
        #expect(given.entries.first?.header.team == nil)
        #expect(given.state.service().logID == logID)
        #expect(
            try given.when(.initialise(logID: logID)) == .refused(.alreadyInitialised))
    }

    @Test func `a start sets the reaper's floor a minute ahead`() throws {
        var given = try Given()
        given.now = .second(100)
        #expect(try given.when(.start) == .events([.started(reapFloor: .second(160))]))
        try given.happened(.start)
        let service = given.state.service()
        #expect(service.reapFloor == .second(160))
        #expect(service.floorPosition == given.nextPosition - 1)
    }

    @Test func `a stop is noted, and changes nothing else`() throws {
        var given = try Given()
        let before = given.state.service()
        #expect(try given.when(.stop) == .events([.stopped]))
        try given.happened(.stop)
        var expected = before
        expected.position += 1
        #expect(given.state.service() == expected)
    }

    @Test func `pause and resume are entries, a second one changes nothing`() throws {
        var given = try Given()
        #expect(try given.when(.resume) == .nothing)
        #expect(try given.when(.pause) == .events([.paused]))
        try given.happened(.pause)
        #expect(given.state.service().isPaused)
        #expect(try given.when(.pause) == .nothing)
        given.now = .second(100)
        #expect(try given.when(.resume) == .events([.resumed(reapFloor: .second(160))]))
        try given.happened(.resume)
        #expect(!given.state.service().isPaused)
        #expect(given.state.service().reapFloor == .second(160))
    }

    @Test func `a start does not end a pause`() throws {
        var given = try Given()
        try given.happened(.pause)
        try given.happened(.stop)
        try given.happened(.start)
        #expect(given.state.service().isPaused)
    }

    @Test func `an administrator's word about the clock is an entry`() throws {
        #expect(try Given().when(.trustClock) == .events([.clockTrusted]))
    }

    @Test func `the state knows the last entry's position and time`() throws {
        var given = try Given()
        given.now = .second(9)
        try given.happened(.stop)
        #expect(given.state.service().position == given.nextPosition - 1)
        #expect(given.state.service().recordedAt == .second(9))
    }

    @Test func `while the service is paused everything else goes on`() throws {
        var given = try Given()
        let workflow = try given.newWorkflow(retry: .thrice)
        let run = try given.newRun(of: workflow)
        let other = try given.newRun(of: workflow)
        try given.start(leaseSeconds: 10)
        let id = try given.newSchedule(of: workflow, at: .second(60))
        try given.happened(.pause)
        given.now = .second(8)
        let commands: [Command] = [
            .createSchedule(workflow, NewSchedule(scheduledTime: .second(60))),
            .modifySchedule(id, ScheduleChanges(priority: 1)), .cancelSchedule(id),
            .execute(workflow, NewRun()), .renewLease(run, attempt: 1),
            .accept(run, attempt: 1), .release(run, attempt: 1),
            .complete(run, attempt: 1, output: nil),
            .fail(run, attempt: 1, Failure(reason: .error)), .cancelRun(run), .cancelRun(other),
            .editDraft(workflow, .http), .setLicense(team: given.team, maxConcurrentRuns: 1),
        ]
        for command in commands {
            #expect(try given.when(command).onlyEvent != nil, "\(command.name)")
        }
    }
}
