//! `--command check_connection`: every way in which an address, a certificate, a login or a cluster can be right or
//! wrong.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, TcpListener};
use std::time::Instant;

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire::Element;
use sandbox::bill::{Handler, base};
use sandbox::vmm::{Action, Certificate, Fault, Transport};

use crate::support::cases::each;
use crate::support::decoy::Decoy;
use crate::support::invariants::assert_no_secret;
use crate::support::refusal::Refusal;
use crate::support::world::{IMPATIENCE, TestWorld};

const OK: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<doc><ok/></doc>\n";
const PASSWORD: &str = "Adm1n-secret-pass";

/// A filled form.
struct Form<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Form<'a> {
    /// The administrator of the sandbox at this address, cluster 1.
    fn at(url: &'a str) -> Self {
        Form(vec![("url", url), ("username", "admin@example.net"), ("password", PASSWORD), ("cluster", "1")])
    }

    fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value));
        self
    }

    fn document(&self) -> String {
        let fields = self.0.iter().map(|(name, value)| Element::with_text(*name, *value));
        Element::new("doc").child(Element::new("processingmodule").children(fields)).document()
    }

    #[track_caller]
    fn works(&self, world: &TestWorld) {
        let run = world.run_with_input(&["--command", "check_connection"], &self.document());
        assert_eq!((run.status, run.stdout.as_str()), (Some(0), OK), "{run:#?}\n{}", world.bill.log());
        assert_no_secret(world);
    }

    #[track_caller]
    fn fails(&self, world: &TestWorld) -> Refusal {
        let started = Instant::now();
        let run = world.run_with_input(&["--command", "check_connection"], &self.document());
        assert!(started.elapsed() < IMPATIENCE, "{:?}", started.elapsed());
        assert_no_secret(world);
        Refusal::of(&run)
    }
}

fn with_tls(certificate: Certificate) -> TestWorld {
    TestWorld::with(|scene| scene.vmm.transport = Transport::Tls(certificate))
}

/// A world whose runs trust the authority of its VMmanager; the directory must outlive it.
fn trusting(certificate: Certificate, directory: &tempfile::TempDir) -> TestWorld {
    let file = directory.path().join("ca.pem");
    let world = TestWorld::with(|scene| {
        scene.vmm.transport = Transport::Tls(certificate);
        scene.bill.environment.push(("SSL_CERT_FILE".to_owned(), file.display().to_string()));
    });
    fs::write(&file, world.vmm.ca_pem().unwrap()).unwrap();
    world
}

#[test]
fn addresses_that_people_type() {
    let directory = tempfile::tempdir().unwrap();
    let world = trusting(Certificate::Signed, &directory);
    let port = world.vmm.port();
    let forms = [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!(" LOCALHOST:{port}/ "),
        format!("https://localhost:{port}"),
        format!("HTTPS://127.0.0.1:{port}/"),
        format!("https://localhost:{port}/auth/login?next=%2Fvm"),
        format!("localhost:{port}/vm/v3/"),
    ];
    let cases: Vec<(&str, &String)> = forms.iter().map(|form| (form.as_str(), form)).collect();
    each(&cases, |form| Form::at(form).works(&world));
}

#[test]
fn ipv6_addresses() {
    let world = TestWorld::with(|scene| {
        scene.vmm.address = IpAddr::V6(Ipv6Addr::LOCALHOST);
        scene.vmm.transport = Transport::Tls(Certificate::SelfSigned);
    });
    let port = world.vmm.port();
    for form in [format!("[::1]:{port}"), format!("https://[::1]:{port}/"), format!("https://[0:0::1]:{port}")] {
        Form::at(&form).with("tls_verify", "off").works(&world);
    }
}

#[test]
fn plain_http_is_for_loopback_only() {
    let world = TestWorld::start();
    Form::at(&world.vmm.url()).works(&world);
    let localhost = format!("http://localhost:{}", world.vmm.port());
    Form::at(&localhost).works(&world);
    for form in ["http://vm.example.net", "http://10.0.0.1", "http://[2001:db8::1]/"] {
        Form::at(form).fails(&world).is(Kind::Vm6Url, "url", &[form, "https"]);
    }
}

#[test]
fn addresses_that_are_none() {
    let world = TestWorld::start();
    for form in ["ftp://vm.example.net", "vm example net", "https://", "vm.example.net:99999", "https://a:b:c:d/"] {
        Form::at(form).fails(&world).is(Kind::Vm6Url, "url", &[form]);
    }
    // What is before an @ may be a password.
    let refusal = Form::at("https://root:Top-secret-1@vm.example.net").fails(&world);
    refusal.is(Kind::Vm6Url, "url", &["vm.example.net"]);
    assert!(!refusal.value.contains("Top-secret-1"), "{refusal:?}");
    assert!(world.vmm.requests().is_empty());
}

#[test]
fn settings_that_are_missing_or_wrong() {
    let world = TestWorld::start();
    let url = world.vmm.url();
    for name in ["url", "username", "password"] {
        Form::at(&url).with(name, "").fails(&world).is(Kind::MissingParam, name, &[]);
        Form(Form::at(&url).0.into_iter().filter(|(known, _)| *known != name).collect()).fails(&world).is(
            Kind::MissingParam,
            name,
            &[],
        );
    }
    Form::at(&url).with("tls_verify", "perhaps").fails(&world).is(Kind::BadParam, "tls_verify", &["perhaps"]);
    for fingerprint in ["", "12:34", "no hex at all", &"g".repeat(64)] {
        let form = Form::at(&url).with("tls_verify", "pinned").with("tls_fingerprint", fingerprint);
        form.fails(&world).is(Kind::BadParam, "tls_fingerprint", &[fingerprint]);
    }
    for cluster in ["kvm-1", "-1", "0", "1.5", "99999999999999999999"] {
        Form::at(&url).with("cluster", cluster).fails(&world).is(Kind::BadParam, "cluster", &[cluster]);
    }
    Form::at(&url).with("cluster", "77").fails(&world).is(Kind::ClusterNotFound, "cluster", &["77"]);
    // The wizard checks the login before it can offer clusters.
    Form::at(&url).with("cluster", "").works(&world);
}

#[test]
fn certificates_judged_by_the_roots_of_the_system() {
    let directory = tempfile::tempdir().unwrap();
    let world = trusting(Certificate::Signed, &directory);
    Form::at(&world.vmm.url()).works(&world);
    Form::at(&world.vmm.url()).with("tls_verify", "system").works(&world);
    let cases = [
        ("expired", (Certificate::Expired, "expired")),
        ("of another host", (Certificate::WrongHost, "vm6.elsewhere.example")),
    ];
    each(&cases, |(certificate, reason)| {
        let directory = tempfile::tempdir().unwrap();
        let world = trusting(*certificate, &directory);
        let fingerprint = world.vmm.fingerprint().unwrap();
        let refusal = Form::at(&world.vmm.url()).fails(&world);
        refusal.is(Kind::Vm6Tls, &world.vmm.url(), &[&fingerprint]);
        assert!(refusal.value.to_lowercase().contains(reason), "{refusal:?}");
        assert!(world.vmm.requests().is_empty(), "nothing is said to a server that is not trusted");
    });
}

#[test]
fn certificates_nobody_signed() {
    let world = with_tls(Certificate::SelfSigned);
    let (url, fingerprint) = (world.vmm.url(), world.vmm.fingerprint().unwrap());
    Form::at(&url).fails(&world).is(Kind::Vm6Tls, &url, &[&fingerprint, "pinned"]);
    Form::at(&url).with("tls_verify", "off").works(&world);
    let colons =
        fingerprint.to_uppercase().as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":");
    for form in [fingerprint.clone(), colons, format!("  {fingerprint} ")] {
        Form::at(&url).with("tls_verify", "pinned").with("tls_fingerprint", &form).works(&world);
    }
    world.forget();
    let wrong = "0".repeat(64);
    let refusal = Form::at(&url).with("tls_verify", "pinned").with("tls_fingerprint", &wrong).fails(&world);
    refusal.is(Kind::Vm6Tls, &url, &[&fingerprint, &wrong]);
    assert!(world.vmm.requests().is_empty());
}

#[test]
fn a_pin_is_stronger_than_dates_and_names() {
    for certificate in [Certificate::Expired, Certificate::WrongHost] {
        let world = with_tls(certificate);
        let (url, fingerprint) = (world.vmm.url(), world.vmm.fingerprint().unwrap());
        Form::at(&url).with("tls_verify", "pinned").with("tls_fingerprint", &fingerprint).works(&world);
    }
}

#[test]
fn the_wrong_protocol_on_the_port() {
    let world = TestWorld::start();
    let https = format!("https://127.0.0.1:{}", world.vmm.port());
    Form::at(&https).fails(&world).is(Kind::Vm6Connect, &https, &[]);
    let world = with_tls(Certificate::SelfSigned);
    let http = format!("http://127.0.0.1:{}", world.vmm.port());
    assert_eq!(Form::at(&http).fails(&world).kind, Kind::Vm6Connect);
}

#[test]
fn logins_that_are_refused() {
    let world = TestWorld::start();
    let url = world.vmm.url();
    let refusal = Form::at(&url).with("password", "Wrong-pass-77").fails(&world);
    refusal.is(Kind::Vm6Auth, "admin@example.net", &["Wrong e-mail or password"]);
    assert!(!world.bill.log().contains("Wrong-pass-77"));
    assert_eq!(world.vmm.logins(), 1, "a refused login is not repeated");
    Form::at(&url).with("username", "nobody@example.net").fails(&world).is(Kind::Vm6Auth, "nobody@example.net", &[]);
    for (email, role) in [
        ("client@example.net", "@user"),
        ("looks@example.net", "admin.readonly"),
        ("adv@example.net", "@advanced_user"),
    ] {
        world.vmm.change(|platform| platform.add_account(email, "Client-pass-1", role));
        let form = Form::at(&url).with("username", email).with("password", "Client-pass-1");
        form.fails(&world).is(Kind::Vm6Permission, email, &["@admin"]);
    }
    world.vmm.change(|platform| platform.accounts.get_mut(&1).unwrap().state = "suspended".into());
    Form::at(&url).fails(&world).is(Kind::Vm6Auth, "admin@example.net", &["blocked"]);
}

#[test]
fn a_login_from_an_address_that_is_not_allowed() {
    let elsewhere: IpAddr = "192.0.2.1".parse().unwrap();
    let world = TestWorld::with(|scene| scene.vmm.allowed_clients = Some(vec![elsewhere]));
    Form::at(&world.vmm.url()).fails(&world).is(Kind::Vm6Auth, "admin@example.net", &["IP address"]);
}

#[test]
fn nobody_listens() {
    let world = TestWorld::start();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [format!("http://127.0.0.1:{port}"), format!("https://127.0.0.1:{port}")] {
        Form::at(&url).fails(&world).is(Kind::Vm6Connect, &url, &[]);
    }
    let url = "https://vm.does-not-exist.invalid";
    Form::at(url).fails(&world).is(Kind::Vm6Connect, url, &[]);
}

#[test]
fn something_else_answers() {
    let world = TestWorld::start();
    let page = |status: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let cases = [
        ("a web site", page("200 OK", "<html>Welcome to nginx</html>")),
        ("a web site that knows no such page", page("404 Not Found", "<html>404</html>")),
        ("a web site that forbids", page("403 Forbidden", "<html>403</html>")),
        ("another API", page("200 OK", "{\"hello\": 1}")),
        ("another API with a list", page("200 OK", "[]")),
        ("another protocol", "SSH-2.0-OpenSSH_9.2\r\n".to_owned()),
        ("a proxy in front of nothing", page("502 Bad Gateway", "<html>502</html>")),
    ];
    each(&cases, |answer| {
        let decoy = Decoy::answering(answer.as_str());
        let url = format!("http://{}", decoy.address());
        let refusal = Form::at(&url).fails(&world);
        assert_eq!(refusal.kind, Kind::Vm6Connect, "{refusal:?}");
        assert!(refusal.value.contains(&url), "{refusal:?}");
    });
}

#[test]
fn a_redirect_is_not_followed() {
    let world = TestWorld::start();
    let elsewhere = Decoy::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let target = format!("http://{}/auth/v4/public/token", elsewhere.address());
        let decoy = Decoy::answering(format!(
            "HTTP/1.1 {status}\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ));
        let url = format!("http://{}", decoy.address());
        Form::at(&url).fails(&world).is(Kind::Vm6Url, "url", &[&target]);
    }
    assert_eq!(elsewhere.heard(), [""; 0], "credentials go to the address that was entered and nowhere else");
}

#[test]
fn an_existing_handler_keeps_its_password() {
    let world = TestWorld::start();
    let (url, id) = (world.vmm.url(), world.handler.to_string());
    Form::at(&url).with("password", "").with("id", &id).works(&world);
    // A typed password wins over the stored one.
    Form::at(&url).with("password", "Wrong-pass-77").with("id", &id).fails(&world).is(
        Kind::Vm6Auth,
        "admin@example.net",
        &[],
    );
    let foreign =
        world.bill.add_handler(&Handler { module: "pmvmmgr6".into(), ..Handler::new(&url, "a@b.c", "x", "1") });
    let foreign = foreign.to_string();
    Form::at(&url).with("password", "").with("id", &foreign).fails(&world).is(
        Kind::UnsupportedModule,
        "pmvmmgr6",
        &[&foreign],
    );
    Form::at(&url).with("password", "").with("id", "4711").fails(&world).is(Kind::BadArgument, "module", &["4711"]);
    let handler =
        Handler { datacenter: base::EXTERNAL_DATACENTER, ..Handler::new(&url, "admin@example.net", PASSWORD, "1") };
    let external = world.bill.add_handler(&handler).to_string();
    Form::at(&url).with("id", &external).fails(&world).is(Kind::DatacenterExternal, "datacenter", &["ext-7"]);
}

/// Whoever may edit the handler need not know its password, and must not get it sent to a server of his own.
#[test]
fn the_stored_password_is_for_the_stored_settings() {
    let world = with_tls(Certificate::SelfSigned);
    let (url, pin, id) = (world.vmm.url(), world.vmm.fingerprint().unwrap(), world.handler.to_string());
    let stored = || {
        let form = Form::at(&url).with("password", "").with("id", &id);
        form.with("tls_verify", "pinned").with("tls_fingerprint", &pin)
    };
    stored().works(&world);
    let (spelled, colons) = (format!(" {}/ ", url.to_uppercase()), pin.to_uppercase());
    stored().with("url", &spelled).with("tls_fingerprint", &colons).with("cluster", "3").works(&world);
    world.forget();
    let server = Decoy::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    let elsewhere = format!("http://{}", server.address());
    let other_pin = "0".repeat(64);
    let changes = [
        ("url", elsewhere.as_str()),
        ("username", "mallory@example.net"),
        ("tls_verify", "off"),
        ("tls_verify", "system"),
        ("tls_fingerprint", &other_pin),
    ];
    for (name, value) in changes {
        let refusal = stored().with(name, value).fails(&world);
        refusal.is(Kind::MissingParam, "password", &["enter the password again"]);
    }
    assert_eq!(server.heard(), [""; 0]);
    assert!(world.vmm.requests().is_empty());
    stored().with("url", "nonsense here").fails(&world).is(Kind::Vm6Url, "url", &[]);
    stored().with("username", "mallory@example.net").with("password", "Typed-pass-1").fails(&world).is(
        Kind::Vm6Auth,
        "mallory@example.net",
        &[],
    );
}

#[test]
fn a_certificate_that_is_not_checked_is_warned_about() {
    let world = with_tls(Certificate::SelfSigned);
    Form::at(&world.vmm.url()).with("tls_verify", "off").works(&world);
    assert!(world.bill.log().contains("anybody on the way can read the password"), "{}", world.bill.log());
}

/// A certificate is public: everybody who has seen it can show it.
#[test]
fn a_server_without_the_key_of_its_certificate_is_refused() {
    let world = with_tls(Certificate::Stolen);
    let (url, pin) = (world.vmm.url(), world.vmm.fingerprint().unwrap());
    let form = || Form::at(&url).with("tls_fingerprint", &pin);
    for mode in ["pinned", "off", "system"] {
        assert_eq!(form().with("tls_verify", mode).fails(&world).kind, Kind::Vm6Tls, "{mode}");
    }
    assert!(world.vmm.requests().is_empty());
}

#[test]
fn a_vmmanager_that_sleeps_is_woken() {
    let world = TestWorld::start();
    world.vmm.fault(Fault::on("POST", "/auth/v4/public/token").times(2));
    world.vmm.fault(Fault::on("GET", "/vm/v3/account").act(Action::Refuse503 { retry_after: Some(1) }));
    Form::at(&world.vmm.url()).works(&world);
}

#[test]
fn documents_that_are_none() {
    let world = TestWorld::start();
    let deep = format!("<doc>{}{}</doc>", "<a>".repeat(80), "</a>".repeat(80));
    let long = format!("<doc><processingmodule>{}</processingmodule></doc>", " ".repeat(1 << 20));
    let cases = [
        ("", "no XML document"),
        ("nonsense", "outside"),
        ("<doc><processingmodule>", "not closed"),
        ("<doc/>", "processingmodule"),
        ("<doc></doc><doc/>", "more than one"),
        ("<!DOCTYPE doc [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><doc>&x;</doc>", "DOCTYPE"),
        ("<doc>&nbsp;</doc>", "nbsp"),
        (deep.as_str(), "deeper"),
        (long.as_str(), "1 MiB"),
    ];
    for (input, reason) in cases {
        let refusal = Refusal::of(&world.run_with_input(&["--command", "check_connection"], input));
        assert_eq!(refusal.kind, Kind::BadInputXml, "{refusal:?}");
        assert!(format!("{} {}", refusal.object, refusal.value).contains(reason), "{reason}: {refusal:?}");
    }
    assert!(world.vmm.requests().is_empty());
}
