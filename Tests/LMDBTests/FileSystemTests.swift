import Glibc
import LMDB
import Testing

@Suite("Files and directories")
struct FileSystemTests {
    @Test(
        "file systems that are remote, stacked or in memory are refused by name",
        arguments: [
            (0x6969, "NFS"), (0x517B, "SMB/CIFS"), (0xFF53_4D42, "SMB/CIFS"),
            (0xFE53_4D42, "SMB/CIFS"), (0x0102_1997, "9p"), (0x6573_5546, "FUSE"),
            (0x794C_7630, "overlay"), (0x0102_1994, "tmpfs"), (0x8584_58F6, "ramfs"),
            (0x00C3_6400, "Ceph"),
        ] as [(UInt32, String)])
    func refusedKinds(magic: UInt32, name: String) {
        let kind = FileSystem.kind(ofMagic: magic)
        #expect(kind.name == name && kind.isRefused)
    }

    @Test("local disks, and what is not known, are not refused")
    func acceptedKinds() {
        for (magic, name) in [(0xEF53, "ext4"), (0x5846_5342, "XFS"), (0xABC, "type 0xabc")] {
            let kind = FileSystem.kind(ofMagic: UInt32(magic))
            #expect(kind.name == name && !kind.isRefused)
        }
    }

    @Test("the kind of a directory is what the kernel says", .enabled(if: exists("/dev/shm")))
    func kindOfDirectory() throws {
        try #expect(FileSystem.kind(of: "/dev/shm").name == "tmpfs")
        #expect(throws: FileSystemError(code: ENOENT, operation: "statfs", path: "/missing/x")) {
            try FileSystem.kind(of: "/missing/x")
        }
    }

    @Test("the space of a directory is in bytes")
    func space() throws {
        let directory = TemporaryDirectory()
        let space = try FileSystem.space(of: directory.path)
        #expect(space.availableBytes >= 0 && space.totalBytes > 1 << 20)
        #expect(space.availableBytes <= space.totalBytes)
    }

    @Test("a directory is created for its owner only; one that exists is left as it is")
    func createDirectory() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/new"
        try #expect(FileSystem.createDirectory(path))
        #expect(permissions(of: path) == 0o700)
        #expect(chmod(path, 0o750) == 0)
        try #expect(!FileSystem.createDirectory(path))
        #expect(permissions(of: path) == 0o750)

        write("", to: path + "/file")
        for (impossible, code) in [(path + "/file", EEXIST), (path + "/a/b", ENOENT)] {
            let error = FileSystemError(code: code, operation: "mkdir", path: impossible)
            #expect(throws: error) { try FileSystem.createDirectory(impossible) }
        }
    }

    @Test("a small file is replaced as a whole and is for its owner only")
    func writeAtomically() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/file"
        write("what an earlier attempt left", to: path + ".tmp")
        write("old, and longer than the new", to: path)
        try FileSystem.writeAtomically(bytes("new"), to: path)
        #expect(read(path) == "new")
        #expect(permissions(of: path) == 0o600)
        #expect(!exists(path + ".tmp"))
        try #expect(FileSystem.fileSize(of: path) == 3)
        try FileSystem.writeAtomically([], to: path)
        try #expect(FileSystem.fileSize(of: path) == 0)

        let missing = directory.path + "/missing/file"
        #expect(throws: FileSystemError.self) {
            try FileSystem.writeAtomically([1], to: missing)
        }
    }

    @Test("a file that was replaced or got another name is told apart")
    func identity() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/file"
        write("one", to: path)
        let before = try FileSystem.identity(of: path)
        #expect(before.linkCount == 1)
        #expect(link(path, path + "-link") == 0)
        let linked = try FileSystem.identity(of: path)
        #expect(linked.linkCount == 2 && linked.isSame(as: before) && linked != before)
        try FileSystem.writeAtomically(bytes("two"), to: path)
        try #expect(!FileSystem.identity(of: path).isSame(as: before))
        try #expect(FileSystem.identity(of: path + "-link") == before)
        #expect(throws: FileSystemError(code: ENOENT, operation: "stat", path: path + "?")) {
            try FileSystem.identity(of: path + "?")
        }
    }

    @Test("an error names the path, the call and the reason")
    func errorText() {
        let error = FileSystemError(code: EACCES, operation: "open", path: "/a")
        #expect(error.description == "/a: open: Permission denied (13)")
    }
}
