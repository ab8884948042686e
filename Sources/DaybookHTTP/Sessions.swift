import DaybookCore
import DaybookEngine
import DaybookWire
import HTTPTypes
import Synchronization

/// A browser that has signed in with a key.
struct Session: Sendable {
    /// Of its cookie.
    let digest: [UInt8]
    let key: KeyID
    /// To be sent along with everything that changes something: no other site can know it.
    let token: String
    let expiresAt: Instant
}

/// Who has signed in. In memory alone: after a restart everybody signs in again.
final class Sessions: Sendable {
    static let seconds = 12 * 3_600
    static let cookieName = "daybook_session"
    private static let most = 1_000
    private static let mostOfKey = 200
    private static let secretBytes = 32

    private let engine: Engine
    /// By the digest of the cookie, so that the memory opens nothing.
    private let open = Mutex<[[UInt8]: Session]>([:])

    init(_ engine: Engine) {
        self.engine = engine
    }

    /// - Returns: the session, and what its cookie must say.
    func begin(with key: KeyID) -> (session: Session, cookie: String) {
        let cookie = lowercaseHex(engine.randomBytes(Self.secretBytes))
        let now = engine.clock.now()
        let session = Session(
            digest: sha256(Array(cookie.utf8)), key: key,
            token: lowercaseHex(engine.randomBytes(Self.secretBytes)),
            expiresAt: now.adding(seconds: Self.seconds))
        open.withLock { open in
            open = open.filter { $0.value.expiresAt > now }
            Self.makeRoom(&open, for: key, most: Self.mostOfKey)
            Self.makeRoom(&open, for: nil, most: Self.most)
            open[session.digest] = session
        }
        return (session, cookie)
    }

    /// Ends the sessions that end first, of one key or of all.
    private static func makeRoom(
        _ open: inout [[UInt8]: Session], for key: KeyID?, most: Int
    ) {
        let counted = open.filter { key == nil || $0.value.key == key }
        guard counted.count >= most else { return }
        let first = counted.sorted { $0.value.expiresAt < $1.value.expiresAt }
        for (digest, _) in first.prefix(counted.count - most + 1) { open[digest] = nil }
    }

    /// The session of a request's cookie, where it has not ended.
    func find(_ headers: HTTPFields) -> Session? {
        guard let cookie = Self.cookie(headers) else { return nil }
        let now = engine.clock.now()
        let session = open.withLock { $0[sha256(Array(cookie.utf8))] }
        return session.flatMap { $0.expiresAt > now ? $0 : nil }
    }

    /// Whether it has neither ended nor been signed out.
    func isOpen(_ session: Session) -> Bool {
        session.expiresAt > engine.clock.now() && open.withLock { $0[session.digest] != nil }
    }

    func end(_ headers: HTTPFields) {
        guard let cookie = Self.cookie(headers) else { return }
        open.withLock { _ = $0.removeValue(forKey: sha256(Array(cookie.utf8))) }
    }

    /// RFC 6265, section 4.2.1.
    private static func cookie(_ headers: HTTPFields) -> String? {
        for field in headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == cookieName
                else { continue }
                return String(parts[1])
            }
        }
        return nil
    }
}

extension Session {
    /// Throws where a request that changes something does not carry the session's token.
    func check(_ headers: HTTPFields) throws(Problem) {
        guard let token = headers[.daybookCSRF],
            areEqualInConstantTime(Array(token.utf8), Array(self.token.utf8))
        else {
            throw Problem(
                status: .forbidden, code: "csrf", title: "The session's token is missing",
                detail: "send `Daybook-CSRF` with the csrf_token of `GET /session`")
        }
    }
}

extension HTTPField.Name {
    static let daybookCSRF = Self("Daybook-CSRF")!
    static let forwardedProtocol = Self("X-Forwarded-Proto")!
}
