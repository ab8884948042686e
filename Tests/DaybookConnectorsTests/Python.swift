import Foundation

/// Programs of somebody else's, to compare with.
enum Python {
    /// Whether Python and these packages are there.
    static func has(_ packages: String...) -> Bool {
        (try? run("import " + packages.joined(separator: ", "), "").status) == 0
    }

    /// Runs a program with this input.
    static func run(_ program: String, _ input: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program]
        let (to, from) = (Pipe(), Pipe())
        process.standardInput = to
        process.standardOutput = from
        process.standardError = FileHandle.nullDevice
        try process.run()
        try to.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try to.fileHandleForWriting.close()
        let output = from.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
