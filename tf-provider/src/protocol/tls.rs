//! The mutual TLS of [go-plugin](https://github.com/hashicorp/go-plugin): each side makes a
//! certificate for the one connection, and takes exactly the other's.

use std::sync::Arc;

use p521::ecdsa::signature::Verifier;
use p521::ecdsa::{DerSignature, VerifyingKey};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, PrivateKeyDer, PrivatePkcs8KeyDer,
    SignatureVerificationAlgorithm, UnixTime, alg_id,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The text in the environment holds no certificate.
    #[error("`PLUGIN_CLIENT_CERT` holds no certificate")]
    NoCertificate,
    /// No certificate of our own could be made.
    #[error("a certificate could not be made")]
    Generate(#[source] rcgen::Error),
    /// The certificate that was made cannot be used.
    #[error("the certificate that was made cannot be used")]
    Use(#[source] Error),
}

/// TLS that takes the one client with this certificate, and our own certificate.
pub(crate) fn server(
    client: &str,
) -> Result<(Arc<ServerConfig>, CertificateDer<'static>), TlsError> {
    let client =
        CertificateDer::from_pem_slice(client.as_bytes()).map_err(|_| TlsError::NoCertificate)?;
    // The name that go-plugin asks for.
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
        .map_err(TlsError::Generate)?;
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let provider = Arc::new(ring::default_provider());
    let pinned = Pinned {
        certificate: client,
        known: provider.signature_verification_algorithms,
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Use)?
        .with_client_cert_verifier(Arc::new(pinned))
        .with_single_cert(vec![certificate.clone()], key)
        .map_err(TlsError::Use)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok((Arc::new(config), certificate))
}

/// Takes one certificate, from whoever has its key.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    known: WebPkiSupportedAlgorithms,
}

impl Pinned {
    /// What verifies signatures of this scheme: go-plugin's keys are on the curve P-521, which
    /// ring does not know.
    fn algorithms(&self, scheme: SignatureScheme) -> &WebPkiSupportedAlgorithms {
        match scheme {
            SignatureScheme::ECDSA_NISTP521_SHA512 => &WITH_P521,
            _ => &self.known,
        }
    }
}

static WITH_P521: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[&P521],
    mapping: &[(SignatureScheme::ECDSA_NISTP521_SHA512, &[&P521])],
};

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match *certificate == self.certificate {
            true => Ok(ClientCertVerified::assertion()),
            false => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = self.algorithms(signature.scheme);
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = self.algorithms(signature.scheme);
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = WITH_P521.supported_schemes();
        schemes.extend(self.known.supported_schemes());
        schemes
    }
}

/// ECDSA with the curve P-521 and SHA-512.
#[derive(Debug)]
struct P521;

impl SignatureVerificationAlgorithm for P521 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = DerSignature::try_from(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}
