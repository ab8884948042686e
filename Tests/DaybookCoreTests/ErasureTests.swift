import DaybookCore
import DaybookStore
import Support
import Testing

@Suite("Erasure")
struct ErasureTests {
    private func erasure(
        _ payloads: [PayloadLocation], seen: Position, force: Bool = false
    ) -> Erasure {
        Erasure(payloads: payloads, seen: seen, force: force)
    }

    @Test("a finished schedule and its run are erased together, whichever is named")
    func together() throws {
        var given = try Given()
        let id = try given.newSchedule(of: try given.newWorkflow(), at: .dayOne.adding(seconds: 5))
        given.now = .dayOne.adding(seconds: 9)
        let run = try given.fire(id)
        try given.happened(.cancelRun(run))
        let location = PayloadLocation(position: 4, event: 0)
        let schedule = try #require(given.state.schedule(id, of: given.team))
        let seen = schedule.touched.position
        for (target, namesRun) in [(ErasureTarget.schedule(id), false), (.run(run), true)] {
            #expect(
                try given.when(.erase(target, erasure([location], seen: seen)))
                    == .events([
                        .payloadsErased(
                            PayloadsErased(
                                schedule: ScheduleLink(schedule: id, previous: seen),
                                run: RunLink(run: run, previous: seen), namesRun: namesRun,
                                payloads: [location]))
                    ]))
            #expect(try given.when(.erase(target, erasure([], seen: seen))) == .nothing)
            #expect(
                try given.when(.erase(target, erasure([location], seen: seen - 1)))
                    == .refused(.changedMeanwhile))
        }
        try given.happened(.erase(.run(run), erasure([location], seen: seen)))
        let after = try #require(given.state.schedule(id, of: given.team))
        #expect(after.revision == schedule.revision + 1)
        #expect(after.touched.position == seen + 1)
        #expect(given.state.run(run, of: given.team)?.touched.position == seen + 1)
    }

    @Test("what is not finished is erased only with force, and goes on")
    func unfinished() throws {
        var given = try Given()
        let id = try given.newSchedule(of: try given.newWorkflow(), at: .dayOne.adding(seconds: 5))
        let location = PayloadLocation(position: 4, event: 0)
        // Nothing else happens here, so the last entry is about it.
        func seen() -> Position { given.nextPosition - 1 }
        #expect(
            try given.when(.erase(.schedule(id), erasure([location], seen: seen())))
                == .refused(.notFinished(position: seen())))
        try given.happened(.erase(.schedule(id), erasure([location], seen: seen(), force: true)))
        #expect(given.state.schedule(id, of: given.team)?.status == .pending)
        given.now = .dayOne.adding(seconds: 9)
        let run = try given.fire(id)
        #expect(
            try given.when(.erase(.run(run), erasure([location], seen: seen())))
                == .refused(.runState(.queued, position: seen())))
        guard
            case .events = try given.when(
                .erase(.run(run), erasure([location], seen: seen(), force: true)))
        else {
            Issue.record("not granted")
            return
        }
        #expect(
            try given.when(.erase(.run(.number(99)), erasure([], seen: 0)))
                == .refused(.notFound(.run)))
        #expect(
            try given.when(.erase(.schedule(.number(99)), erasure([], seen: 0)))
                == .refused(.notFound(.schedule)))
    }
}
