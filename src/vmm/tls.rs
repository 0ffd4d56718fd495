//! TLS for ureq with our three ways to trust a server: `system`, `pinned`, `off`.
//!
//! ureq's own TLS cannot pin a certificate and does not report which one was refused. This connector does both; it also
//! notes whether a byte of a request left the process, which decides if a failed request may be repeated.

use std::fmt;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::certificate::Certificate;
use crate::digest::sha256;

/// How the server's certificate is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// By the system's roots and the roots of the web.
    System,
    /// By its SHA-256 (lower-case hex without colons), whatever authority signed it.
    Pinned(String),
    /// Not at all: for a test installation.
    Off,
}

/// What the connector saw; shared with the HTTP layer.
#[derive(Debug, Default)]
pub(super) struct Seen {
    sent: AtomicBool,
    certificate: Mutex<Option<Vec<u8>>>,
    refusal: Mutex<Option<String>>,
}

impl Seen {
    /// Call before each request.
    pub(super) fn reset(&self) {
        self.sent.store(false, Ordering::Relaxed);
        put(&self.refusal, None);
    }

    /// Whether the request, or a part of it, was handed to the network.
    pub(super) fn sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }

    /// The last server certificate, accepted or not.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        self.certificate.lock().ok().and_then(|seen| seen.as_deref().map(Certificate::read))
    }

    /// Why the last handshake failed, if it did.
    pub(super) fn refusal(&self) -> Option<String> {
        self.refusal.lock().ok().and_then(|seen| seen.clone())
    }
}

fn put<T>(place: &Mutex<Option<T>>, value: Option<T>) {
    if let Ok(mut place) = place.lock() {
        *place = value;
    }
}

/// Wraps https connections into TLS; plain ones pass through.
pub(super) struct TlsConnector {
    trust: Trust,
    seen: Arc<Seen>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl TlsConnector {
    /// A connector that builds its configuration at the first https connection.
    pub(super) fn new(trust: Trust, seen: Arc<Seen>) -> Self {
        TlsConnector { trust, seen, config: OnceLock::new() }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let web = || RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let verifier = Verifier {
            trust: self.trust.clone(),
            seen: Arc::clone(&self.seen),
            web: (self.trust == Trust::System).then(|| judge(web(), &provider)).transpose()?,
            provider: Arc::clone(&provider),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsConnector({:?})", self.trust)
    }
}

fn judge(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let refused = |error: &dyn fmt::Display| {
            put(&self.seen.refusal, Some(error.to_string()));
            ureq::Error::Tls("handshake failed")
        };
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|e| refused(&e))?;
        let config = self.config().map_err(|e| refused(&e))?;
        let mut connection = ClientConnection::new(config, name).map_err(|e| refused(&e))?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        if let Err(error) = connection.complete_io(&mut socket) {
            // Only rustls' own verdicts are about trust; the rest is the network.
            return Err(match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(verdict) => refused(verdict),
                None => error.into(),
            });
        }
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned::new(connection, socket) })))
    }
}

/// An established TLS connection.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Notes that a request left the process.
#[derive(Debug)]
pub(super) struct SentConnector(pub Arc<Seen>);

impl<In: Transport> Connector<In> for SentConnector {
    type Out = SentTransport;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| SentTransport { inner: inner.boxed(), seen: Arc::clone(&self.0) }))
    }
}

/// A connection whose first outgoing byte is noted.
#[derive(Debug)]
pub(super) struct SentTransport {
    inner: Box<dyn Transport>,
    seen: Arc<Seen>,
}

impl Transport for SentTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.seen.sent.store(true, Ordering::Relaxed);
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    seen: Arc<Seen>,
    /// The roots of the web, which are part of the program, where they count.
    web: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// The roots of the web and of the system. Reading those takes longer than all the rest of a handshake, so they are
    /// asked only about a certificate that the former do not vouch for.
    fn all_roots(&self) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        judge(store, &self.provider)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let fingerprint = sha256(end_entity);
        put(&self.seen.certificate, Some(end_entity.to_vec()));
        match (&self.trust, &self.web) {
            (Trust::Off, _) => Ok(ServerCertVerified::assertion()),
            (Trust::Pinned(expected), _) if *expected == fingerprint => Ok(ServerCertVerified::assertion()),
            (Trust::Pinned(expected), _) => Err(rustls::Error::General(format!(
                "the certificate's SHA-256 is {fingerprint}, but the handler is pinned to {expected}"
            ))),
            (Trust::System, Some(web)) => {
                let ask = |roots: &WebPkiServerVerifier| {
                    roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                };
                ask(web).or_else(|_| ask(&*self.all_roots()?))
            }
            (Trust::System, None) => Err(rustls::Error::General("no root certificates were loaded".to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
