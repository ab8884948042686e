import DaybookCore
import DaybookStore
import Foundation
import Glibc

/// A store in a directory of its own on a disk (not in memory), removed when this goes.
package final class TestStore {
    package let directory: String
    package private(set) var store: Store

    private let options: Store.Options

    package init(_ options: Store.Options = TestStore.options) throws {
        self.options = options
        directory = try Self.makeDirectory()
        store = try Store(directory: directory, options: options)
        try store.replay()
    }

    deinit {
        store.close()
        Self.remove(directory)
    }

    package static var options: Store.Options {
        var options = Store.Options()
        options.mapSize = 64 << 20
        options.maximumReaders = 64
        return options
    }

    package static func makeDirectory() throws -> String {
        var template = Array("/var/tmp/daybook-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    package static func remove(_ directory: String) {
        do {
            try FileManager.default.removeItem(atPath: directory)
        } catch {
            preconditionFailure("\(directory) was not removed: \(error)")
        }
    }

    /// Closes the store, lets `body` do something to its files, and opens it again.
    package func reopen(after body: (_ directory: String) throws -> Void = { _ in }) throws {
        store.close()
        try body(directory)
        store = try Store(directory: directory, options: options)
    }

    /// Judges commands one after the other, all in one commit.
    @discardableResult
    package func commit(_ commands: [Asked]) throws -> [Judged] {
        var batch = try store.beginBatch()
        var judged: [Judged] = []
        for asked in commands { judged.append(batch.take(asked)) }
        try batch.commit()
        return judged
    }

    package func dump() throws -> ProjectionDump { try store.read { view in try view.dump() } }

    package func entries() throws -> [Entry] {
        var entries: [Entry] = []
        try store.read { view in
            try view.entries(from: 1) { entry in
                entries.append(entry)
                return true
            }
        }
        return entries
    }
}

/// One store for all tests that look at a batch and then drop it: nothing is ever committed to it.
package enum ScratchStore {
    // Its directory is removed as soon as it is open: the files live on without a name for as long
    // as the process does, and nothing stays behind.
    private static let store: Store = {
        do {
            let directory = try TestStore.makeDirectory()
            defer { TestStore.remove(directory) }
            return try Store(directory: directory, options: TestStore.options)
        } catch {
            preconditionFailure("no store to try things out: \(error)")
        }
    }()

    /// Runs `body` with a batch on an empty store, and drops the batch.
    package static func withBatch<Value>(_ body: (inout Batch) throws -> Value) throws -> Value {
        var batch = try store.beginBatch()
        let value = try body(&batch)
        if let failure = batch.failure { throw failure }
        batch.abort()
        return value
    }
}
