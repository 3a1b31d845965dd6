//! Certificates of our own.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority that lives as long as the test.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A certificate with its key, for `127.0.0.1` and `localhost`.
pub struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// What the library says.
    pub fn new() -> Result<Self, String> {
        let key = KeyPair::generate().map_err(text)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let certificate = params.self_signed(&key).map_err(text)?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
        })
    }

    /// A certificate for a server on this machine.
    ///
    /// # Errors
    /// What the library says.
    pub fn identity(&self) -> Result<Identity, String> {
        let key = KeyPair::generate().map_err(text)?;
        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let params = CertificateParams::new(names).map_err(text)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(text)?;
        Ok(Identity { certificate, key })
    }

    /// Its certificate, for those who are to trust it.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }
}

impl Identity {
    /// The certificate.
    pub fn certificate_pem(&self) -> String {
        self.certificate.pem()
    }

    /// The certificate, in the form that a token's header holds.
    pub(super) fn certificate_der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// The key.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// The key, PKCS #8.
    pub(super) fn key_der(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    /// Settings of a server with this certificate.
    pub(super) fn server_config(&self) -> Result<Arc<ServerConfig>, String> {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key_der()));
        let chain = vec![CertificateDer::from(self.certificate_der().to_vec())];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(text)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map(Arc::new)
            .map_err(text)
    }
}

/// An error, for a test that ends with it.
pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
