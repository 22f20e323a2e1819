//! A certificate authority for one test, and what it signed for this machine's loopback names.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Names the certificate is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const CAN_BE_MADE: &str = "a certificate can be made";

/// What a server on loopback needs, and what its clients must trust.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority's certificate, for clients.
    pub authority_pem: String,
    /// The server's certificate.
    pub certificate_pem: String,
    /// The server's private key.
    pub key_pem: String,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Certificates {
    /// A new authority, and a certificate for `localhost` and the loopback addresses.
    pub fn for_loopback() -> Self {
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "testkit authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate().expect(CAN_BE_MADE);
        let authority_pem = authority
            .self_signed(&authority_key)
            .expect(CAN_BE_MADE)
            .pem();
        let issuer = Issuer::new(authority, authority_key);
        let mut server = CertificateParams::new(NAMES.map(str::to_owned)).expect(CAN_BE_MADE);
        server.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect(CAN_BE_MADE);
        let certificate = server.signed_by(&key, &issuer).expect(CAN_BE_MADE);
        Self {
            authority_pem,
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        }
    }

    /// A client's side of TLS, trusting this authority alone.
    #[cfg(test)]
    pub(crate) async fn connect(
        &self,
        name: &'static str,
        stream: tokio::net::TcpStream,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
        use rustls::pki_types::pem::PemObject as _;
        let mut roots = rustls::RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.authority_pem.as_bytes());
        roots
            .add(authority.expect("PEM made here can be read"))
            .expect("and trusted");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the usual versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = name.try_into().expect("a name");
        tokio_rustls::TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    /// For a listener that speaks HTTP/1.1 inside.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::try_from(self.key.clone()).expect("a key made here can be read");
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the usual versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .expect("the key is the certificate's");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}
