//! Which certificate authorities an upstream is trusted by: the platform's, and those that a
//! provider's settings add for that provider alone.

use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use std::{io, sync::Arc};

/// TLS towards upstreams: the platform's authorities and those in `ca_pem`.
///
/// # Errors
/// When the platform's trust store cannot be read or `ca_pem` holds no certificate.
pub(super) fn tls(ca_pem: Option<&str>) -> io::Result<Arc<ClientConfig>> {
    let extra = match ca_pem {
        Some(pem) => certificates(pem)?,
        None => Vec::new(),
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider));
    let verifier = Arc::new(verifier.map_err(io::Error::other)?);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        // The verifier is the platform's own: "dangerous" is any that is not the built-in one.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn certificates(pem: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(io::Error::other("it holds no certificate in PEM form")),
        Err(error) => Err(io::Error::other(error)),
    }
}
