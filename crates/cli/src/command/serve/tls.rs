//! The certificate of the listener.

use crate::settings::process::TlsSettings;
use anyhow::Context as _;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::sync::Arc;

/// Reads certificate chain and key; offers HTTP/2 and HTTP/1.1.
pub(super) fn load(settings: Option<&TlsSettings>) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    let Some(settings) = settings else {
        return Ok(None);
    };
    let (certificate, key) = (&settings.certificate, &settings.key);
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("server.tls.certificate {}", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("server.tls.key {}", key.display()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("server.tls: certificate and key do not fit")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}
