import DaybookCore
import Dispatch
import LMDB
import Synchronization

extension Store {
    /// Verifies the chain of the whole log: that its entries have no gap, and that the hash kept with each is
    /// that of its bytes and of the hash before. Nothing is decoded.
    ///
    /// Each hash is kept, so pieces of the log are verified at the same time, by as many threads as there are
    /// processors.
    ///
    /// - Parameter size: how many entries a piece has.
    /// - Returns: how many entries the log has, the chain hash of the last one, and the first thing
    ///   that is wrong.
    package func checkChain(
        pieces size: Position = 20_000
    ) throws -> (entries: Position, chain: [UInt8], finding: Finding?) {
        let (last, chain, rows, end) = try read { view in
            let last = try view.lastPosition()
            return (
                last, try view.chain(at: last), try view.transaction.count(view.tables.log),
                try view.checkLogEnd()
            )
        }
        // Where rows are missing, the first gap comes before there would be one entry more than rows.
        let stop = min(last, Position(rows) + 1)
        let pieces = Int((stop + size - 1) / size)
        // By piece; the first one counts.
        let errors = Mutex<[Int: any Error]>([:])
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            let first = Position(piece) * size + 1
            do {
                try read { try $0.verifyChain(from: first, to: min(first + size - 1, stop)) }
            } catch {
                errors.withLock { $0[piece] = error }
            }
        }
        let first = errors.withLock { errors in errors.min { $0.key < $1.key }?.value }
        switch first {
        case nil: break
        case let error as LogError: return (last, chain, Finding(error, after: last))
        case let error?: throw error
        }
        guard rows == Int(last) else { return (last, chain, .otherRows) }
        return (last, chain, end)
    }
}
