import Foundation
import Glibc
import LMDB

/// A fresh directory on a disk (not in memory), removed when this goes.
///
/// Its path may be handed to another process; it is removed by the one that made it.
struct TemporaryDirectory: ~Copyable {
    let path: String

    init() {
        var template = Array("/var/tmp/daybook-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary directory")
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            preconditionFailure("\(path) was not removed: \(error)")
        }
    }

    /// Where the tests put their database.
    var database: String { path + "/database" }
}

let tableNames = ["letters", "numbers"]

func smallOptions(
    mapSize: Int = 16 << 20, readers: Int = 16, readOnly: Bool = false, truncated: Bool = false
) -> Environment.Options {
    Environment.Options(
        mapSize: mapSize, maximumTables: 8, maximumReaders: readers, readOnly: readOnly,
        acceptsTruncatedFile: truncated)
}

func createDatabase(
    _ path: String, _ options: Environment.Options = smallOptions(),
    fill: (inout WriteTransaction) throws -> Void = { _ in }
) throws {
    try Environment.create(
        directory: path, tables: tableNames, options: options, fill: fill)
}

func openDatabase(
    _ path: String, _ options: Environment.Options = smallOptions()
) throws -> Environment {
    try Environment(directory: path, tables: tableNames, options: options)
}

/// Runs `body` with a new, empty database, then closes and removes it.
func withDatabase(
    _ options: Environment.Options = smallOptions(), _ body: (Environment) throws -> Void
) throws {
    let directory = TemporaryDirectory()
    try createDatabase(directory.database, options)
    let environment = try openDatabase(directory.database, options)
    defer { environment.close() }
    try body(environment)
}

extension Environment {
    var letters: Table { table("letters") }
    var numbers: Table { table("numbers") }
}

/// UTF-8 of a text, for keys and values.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The number as eight big-endian bytes.
func key(_ number: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
}

func permissions(of path: String) -> mode_t {
    var status = stat()
    precondition(lstat(path, &status) == 0)
    return status.st_mode & 0o777
}

func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

func write(_ text: String, to path: String) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    precondition(file >= 0 && write(file, text, text.utf8.count) == text.utf8.count)
    close(file)
}

func read(_ path: String) -> String {
    let file = open(path, O_RDONLY)
    precondition(file >= 0)
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(file, &buffer, buffer.count)
    return String(decoding: buffer[..<count], as: UTF8.self)
}

/// Runs `body` on a thread of its own and waits for its end.
func onAnotherThread(_ body: @escaping () -> Void) {
    final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, work.toOpaque())
    precondition(code == 0 && pthread_join(thread, nil) == 0)
}
