//! Files of certificate authorities: read when the settings are, so that a bad one is reported with
//! its line and never meets a request.

use super::{problem::Complaint, secret::reason, value::Value};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// Largest file in bytes: the platform's own bundle is a fifth of it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The text of the PEM file that `value` names: certificates, at least one, and nothing secret.
pub(super) fn read(value: &Value<'_>) -> Option<String> {
    let path = value.path()?;
    let shown = path.display();
    let checked = match read_text(&path) {
        Ok(text) => check(&text).map(|()| text),
        Err(error) => Err(Complaint::new(
            format!("cannot read `{shown}`: {}", reason(&error)),
            "name a PEM file that the user running Tollgate may read",
        )),
    };
    match checked {
        Ok(text) => Some(text),
        Err(complaint) => {
            value.refuse(complaint);
            None
        }
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read > FILE_BYTES_MAX) {
        return Err(io::Error::other("it is over 1 MiB long"));
    }
    Ok(text)
}

fn check(text: &str) -> Result<(), Complaint> {
    if text.contains("PRIVATE KEY-----") {
        return Err(Complaint::new(
            "this file holds a private key",
            "name a file that holds certificates and nothing else",
        ));
    }
    let help = "name the PEM file of the authority: `-----BEGIN CERTIFICATE-----` and its base64";
    let mut trusted = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let added = certificate.map(|certificate| trusted.add(certificate));
        if !matches!(added, Ok(Ok(()))) {
            let which = trusted.len() + 1;
            let message = format!("certificate {which} of this file cannot be read");
            return Err(Complaint::new(message, help));
        }
    }
    if trusted.is_empty() {
        return Err(Complaint::new("this file holds no certificate", help));
    }
    Ok(())
}
