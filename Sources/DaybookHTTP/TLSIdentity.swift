import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificate and key that the service shows, read from files anew where that is asked for: connections
/// that come later see the new ones.
package final class TLSIdentity: Sendable {
    package struct Unusable: Error, CustomStringConvertible {
        package let description: String
    }

    private let certificatePath: String
    private let keyPath: String
    private let current: Mutex<NIOSSLContext>

    /// - Parameters:
    ///   - certificatePath: a PEM file with the certificate and those between it and a root.
    ///   - keyPath: a PEM file with its private key.
    package init(certificatePath: String, keyPath: String) throws {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        current = Mutex(try Self.read(certificatePath, keyPath))
    }

    /// Reads the files again; where that fails, what was read before stays in use.
    package func reload() throws {
        let fresh = try Self.read(certificatePath, keyPath)
        current.withLock { $0 = fresh }
    }

    fileprivate var context: NIOSSLContext { current.withLock { $0 } }

    private static func read(_ certificatePath: String, _ keyPath: String) throws -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificatePath)
            guard !chain.isEmpty else {
                throw Unusable(description: "\(certificatePath) has no certificate")
            }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: keyPath, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        } catch let error as Unusable {
            throw error
        } catch {
            throw Unusable(
                description: "certificate \(certificatePath) with key \(keyPath): \(error)")
        }
    }
}

/// A connection under TLS, with the identity as it is when the connection comes.
struct TLSServerChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let identity: TLSIdentity

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                NIOSSLServerHandler(context: identity.context))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Base.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
