//! Certificates of every quality a client may meet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::setup::Certificate;

/// What a TLS server needs, and what its client may want to know.
pub(super) struct Identity {
    pub config: Arc<ServerConfig>,
    /// PEM of the authority, if there is one.
    pub ca_pem: Option<String>,
    /// Lower-case hexadecimal SHA-256 of the leaf.
    pub fingerprint: String,
}

/// The same as files, for a server that is a program.
pub(crate) struct Files {
    /// The certificate and what leads to its authority.
    pub chain: String,
    pub key: String,
    /// The authority.
    pub ca: String,
}

/// Makes keys and certificates of this quality.
pub(super) fn identity(quality: Certificate) -> anyhow::Result<Identity> {
    let (key, chain, ca_pem) = issue(quality)?;
    let chain: Vec<CertificateDer<'static>> = chain.iter().map(|certificate| certificate.der().clone()).collect();
    let fingerprint = fingerprint(&chain[0]);
    let signs = if quality == Certificate::Stolen { KeyPair::generate()? } else { key };
    let signs = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signs.serialize_der()));
    let provider = rustls::crypto::ring::default_provider();
    let signs = provider.key_provider.load_private_key(signs).context("cannot use the server's key")?;
    // Not `with_single_cert`, which refuses a certificate of another key.
    let shown = Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, signs)));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    Ok(Identity { config: Arc::new(config), ca_pem, fingerprint })
}

/// Makes the files of a server with a certificate of this quality, which an authority signed.
pub(crate) fn files(quality: Certificate) -> anyhow::Result<Files> {
    let (key, chain, ca) = issue(quality)?;
    let chain = chain.iter().map(rcgen::Certificate::pem).collect();
    Ok(Files { chain, key: key.serialize_pem(), ca: ca.context("nobody signed this certificate")? })
}

/// The key, the chain from the leaf on, and the PEM of the authority, if there is one.
fn issue(quality: Certificate) -> anyhow::Result<(KeyPair, Vec<rcgen::Certificate>, Option<String>)> {
    let key = KeyPair::generate().context("cannot make the server's key")?;
    let leaf = leaf_params(quality)?;
    if matches!(quality, Certificate::SelfSigned | Certificate::Stolen) {
        let chain = vec![leaf.self_signed(&key)?];
        return Ok((key, chain, None));
    }
    let (chain, ca_pem) = signed_chain(&leaf, &key)?;
    Ok((key, chain, Some(ca_pem)))
}

fn leaf_params(quality: Certificate) -> anyhow::Result<CertificateParams> {
    let names = if quality == Certificate::WrongHost { vec!["vm6.elsewhere.example"] } else { vec!["localhost"] };
    let mut params = CertificateParams::new(names.into_iter().map(String::from).collect::<Vec<_>>())?;
    if quality != Certificate::WrongHost {
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            params.subject_alt_names.push(rcgen::SanType::IpAddress(address));
        }
    }
    params.distinguished_name.push(DnType::CommonName, "VMmanager 6 (simulated)");
    params.use_authority_key_identifier_extension = !matches!(quality, Certificate::SelfSigned | Certificate::Stolen);
    let year = jiff::Zoned::now().year();
    let (from, until) = if quality == Certificate::Expired { (year - 3, year - 1) } else { (year - 1, year + 1) };
    params.not_before = date_time_ymd(from.into(), 1, 1);
    params.not_after = date_time_ymd(until.into(), 12, 31);
    if quality == Certificate::EndsSoon {
        let end = jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(6));
        params.not_after = date_time_ymd(end.year().into(), end.month().unsigned_abs(), end.day().unsigned_abs());
    }
    Ok(params)
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Leaf and intermediate, and the PEM of the root that signed the intermediate.
fn signed_chain(leaf: &CertificateParams, key: &KeyPair) -> anyhow::Result<(Vec<rcgen::Certificate>, String)> {
    let (root_key, middle_key) = (KeyPair::generate()?, KeyPair::generate()?);
    let (root, middle) = (authority_params("Sandbox root"), authority_params("Sandbox intermediate"));
    let root_pem = root.self_signed(&root_key)?.pem();
    let root_issuer = Issuer::from_params(&root, &root_key);
    let middle_cert = middle.signed_by(&middle_key, &root_issuer)?;
    let middle_issuer = Issuer::from_params(&middle, &middle_key);
    let leaf_cert = leaf.signed_by(key, &middle_issuer)?;
    Ok((vec![leaf_cert, middle_cert], root_pem))
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    let nibble = |value: u8| char::from_digit(value.into(), 16);
    digest.as_ref().iter().flat_map(|byte| [nibble(byte >> 4), nibble(byte & 15)]).flatten().collect()
}
