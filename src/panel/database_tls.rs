//! TLS to a database server on another host: whether it is demanded, and which certificates count.
//!
//! **Invariant.** Where it is demanded, no login leaves before the certificate is accepted: not to a server that offers no
//! TLS, and not to somebody on the way who takes the offer out. Demanded it is by a line of our own beside the panel's `DB`
//! lines, and by nothing else: to use whatever is offered would end connections that work, since servers offer
//! certificates of their own making, and would protect from nobody who can change what is on the way.
//!
//! The driver makes the connection and does not say which certificate it refused. So after a refusal a second handshake
//! fetches the certificate; it says nothing but that it wants TLS.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

use crate::certificate::Certificate;
use crate::error::{Error, Kind, Result};
use crate::ownership;

/// The line in `etc/billmgr.conf.d` that says it.
pub(super) const OPTION: &str = "Pmvmmanager6DBTLS";

/// What that line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// There is none: no TLS, as the panel itself.
    Unsaid,
    /// `off`: no TLS, and nobody warns of it.
    Off,
    /// `system`: a certificate that the system's authorities or those of the web signed.
    System,
    /// A path: one that an authority in this file, or those of the web, signed.
    File(PathBuf),
}

/// Those of the web, and those in this file.
pub(super) struct Authorities {
    pub file: Option<PathBuf>,
}

impl Tls {
    /// Reads the options. What cannot be understood is an error, not "no TLS".
    pub(super) fn read(options: &BTreeMap<String, String>) -> Result<Self> {
        let said = options.iter().find(|(name, _)| name.eq_ignore_ascii_case(OPTION)).map(|(_, value)| value.as_str());
        match said {
            None => Ok(Tls::Unsaid),
            Some("off") => Ok(Tls::Off),
            Some("system") => Ok(Tls::System),
            Some(path) if path.starts_with('/') => Ok(Tls::File(path.into())),
            Some(other) => Err(Error::new(Kind::Db, OPTION, format!("`{other}` is no way to check a certificate"))
                .cure(format!(
                    "write `{OPTION} system`, `{OPTION} /path/to/authority.pem` or `{OPTION} off` in etc/billmgr.conf.d"
                ))),
        }
    }

    /// Who vouches for the server, if TLS is demanded. The error says why that cannot be known.
    pub(super) fn demanded(&self) -> std::result::Result<Option<Authorities>, String> {
        let file = match self {
            Tls::Unsaid | Tls::Off => return Ok(None),
            Tls::System => openssl_probe::probe().cert_file,
            Tls::File(path) => {
                let unusable = |reason: &str| format!("the file {} of {OPTION} is not used: {reason}", path.display());
                File::open(path).map_err(|error| unusable(&error.to_string()))?;
                // Who can change it decides who is the database.
                ownership::private(path).map_err(|reason| unusable(&reason))?;
                Some(path.clone())
            }
        };
        // The driver takes the one of the process.
        _ = ring::default_provider().install_default();
        Ok(Some(Authorities { file }))
    }
}

/// What TLS itself says about a connection that broke; nothing when that was the network.
pub(super) fn verdict(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref()?.downcast_ref::<rustls::Error>().map(ToString::to_string),
        None => verdict(error.source()?),
    }
}

/// The certificate of the server at this place.
pub(super) fn certificate(host: &str, port: u16, patience: Duration) -> Option<Certificate> {
    let place = (host, port).to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&place, patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    stream.set_write_timeout(Some(patience)).ok()?;
    ask_for_tls(&mut stream).ok()?;
    let witness = Arc::new(Witness::default());
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let config =
        config.dangerous().with_custom_certificate_verifier(Arc::clone(&witness) as Arc<_>).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).ok()?;
    // Ends with the witness's refusal.
    _ = ClientConnection::new(Arc::new(config), name).ok()?.complete_io(&mut stream);
    witness.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Takes the server's greeting and answers with the request for TLS of the `MySQL` protocol.
fn ask_for_tls(stream: &mut TcpStream) -> io::Result<()> {
    /// `CLIENT_PROTOCOL_41`, `CLIENT_SSL`, `CLIENT_SECURE_CONNECTION`.
    const CAPABILITIES: u32 = 0x200 | 0x800 | 0x8000;
    const UTF8: u8 = 33;
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let length = u64::from(u32::from_le_bytes([head[0], head[1], head[2], 0]));
    io::copy(&mut Read::by_ref(stream).take(length), &mut io::sink())?;
    let mut request = vec![32, 0, 0, head[3].wrapping_add(1)];
    request.extend(CAPABILITIES.to_le_bytes());
    request.extend((1_u32 << 24).to_le_bytes());
    request.push(UTF8);
    request.resize(4 + 32, 0);
    stream.write_all(&request)
}

/// Keeps the certificate and accepts none.
#[derive(Debug, Default)]
struct Witness(Mutex<Option<Certificate>>);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Certificate::read(end_entity));
        Err(only_looking())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Err(only_looking())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Err(only_looking())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn only_looking() -> rustls::Error {
    rustls::Error::General("the certificate was only looked at".to_owned())
}
