/// What an event says of opaque bytes that it brought along: how many, and the SHA-256 of
/// `salt ‖ bytes`. Salt and bytes themselves stand outside the entry, so that they can be erased
/// while the entry stays as it was.
package struct Payload: Hashable, Sendable {
    package let byteCount: Int
    package let digest: Digest256

    package init(byteCount: Int, digest: Digest256) {
        self.byteCount = byteCount
        self.digest = digest
    }
}

/// Where a payload or a definition was brought: the entry's position and the index of the event inside it.
package struct PayloadLocation: Hashable, Sendable {
    package let position: Position
    package let event: Int

    package init(position: Position, event: Int) {
        self.position = position
        self.event = event
    }
}

/// Payload bytes on their way into the log, with the salt that their digest was made with.
package struct SaltedPayload: Hashable, Sendable {
    package static let saltByteCount = 16

    package let salt: [UInt8]
    package let bytes: [UInt8]
    package let payload: Payload

    package init(salt: [UInt8], bytes: [UInt8], payload: Payload) {
        self.salt = salt
        self.bytes = bytes
        self.payload = payload
    }
}

/// What a payload reads as.
package enum StoredPayload: Hashable, Sendable {
    case bytes([UInt8])
    /// Its bytes were erased; length and digest stay in the entry.
    case erased
}

/// A payload that an event of an entry brought along, as it is kept.
package struct BroughtPayload: Hashable, Sendable {
    /// The event's index in its entry.
    package let event: Int
    package let payload: StoredPayload
    /// What the digest in the entry was made with; nothing where the payload was erased.
    package let salt: [UInt8]

    package init(event: Int, payload: StoredPayload, salt: [UInt8]) {
        self.event = event
        self.payload = payload
        self.salt = salt
    }
}

/// The sequence number of an entry: 1, 2, 3, … without a gap. 0 means "none".
package typealias Position = UInt64

/// A secret that must be usable again, encrypted with AES-256-GCM under a key that is not in the log.
package struct SealedSecret: Hashable, Sendable {
    /// Which of the keys outside the log it was sealed with.
    package let keyNumber: UInt32
    /// 12 bytes.
    package let nonce: [UInt8]
    /// The ciphertext and its 16-byte tag.
    package let ciphertext: [UInt8]

    package init(keyNumber: UInt32, nonce: [UInt8], ciphertext: [UInt8]) {
        self.keyNumber = keyNumber
        self.nonce = nonce
        self.ciphertext = ciphertext
    }
}

/// What a sealed secret is for: part of what is authenticated, so that none can stand in for
/// another.
package enum SecretPurpose: String, Sendable {
    case workflowSecret = "workflow secret"
    case header
    case triggerSecret = "trigger secret"
    case subscriptionSecret = "subscription secret"
    case bearerToken = "bearer token"
}
