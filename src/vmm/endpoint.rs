//! The address of VMmanager as people type it: domain, IPv4, IPv6, with or without scheme, port and path.
//!
//! A bare domain or address means https. Plain http is for loopback only: the administrator's password travels in the
//! first request. A path is usually left over from the browser's address bar and is tried only when the plain address
//! does not answer like VMmanager [api 6, row 32].

use std::net::{IpAddr, Ipv6Addr};

use url::{Host, Url};

use crate::error::{Error, Kind, Result};

/// Where VMmanager answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://host[:port]`, no slash at the end.
    pub origin: String,
    /// `/path` as typed, no slash at the end; empty when there was none.
    pub path: String,
}

impl Endpoint {
    /// Reads what was typed; the error is `vm6_url` and repeats the text without credentials.
    pub fn parse(typed: &str) -> Result<Self> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(Error::new(Kind::MissingParam, "url", "the address of VMmanager is empty"));
        }
        let url = Url::parse(&with_scheme(typed)).map_err(|e| bad(typed, &format!("it is not a URL ({e})")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad(typed, "user name and password have their own fields"));
        }
        let host = url.host().ok_or_else(|| bad(typed, "it has no host"))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => {
                return Err(
                    bad(typed, "plain http would send the administrator's password unprotected").cure("use https")
                );
            }
            other => return Err(bad(typed, &format!("the scheme {other} is not http or https"))),
        }
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let origin = format!("{}://{host}{port}", url.scheme());
        Ok(Endpoint { origin, path: url.path().trim_end_matches('/').to_owned() })
    }
}

fn with_scheme(typed: &str) -> String {
    if typed.contains("://") {
        typed.to_owned()
    } else if typed.parse::<Ipv6Addr>().is_ok() {
        format!("https://[{typed}]")
    } else {
        format!("https://{}", typed.trim_start_matches('/'))
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
    }
}

fn bad(typed: &str, reason: &str) -> Error {
    // What is before an @ may be a password.
    let shown: String = typed.rsplit('@').next().unwrap_or_default().chars().take(200).collect();
    Error::new(Kind::Vm6Url, "url", format!("the address of VMmanager \"{shown}\" cannot be used: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_that_people_type() {
        let cases = [
            ("vm.example.net", "https://vm.example.net", ""),
            (" vm.example.net/ ", "https://vm.example.net", ""),
            ("VM.Example.net:8443", "https://vm.example.net:8443", ""),
            ("203.0.113.5", "https://203.0.113.5", ""),
            ("2001:db8::1", "https://[2001:db8::1]", ""),
            ("[2001:db8::1]:1500", "https://[2001:db8::1]:1500", ""),
            ("https://vm.example.net/auth/login?next=/", "https://vm.example.net", "/auth/login"),
            ("https://vm.example.net:443/vm/", "https://vm.example.net", "/vm"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
            ("http://[::1]:8080/", "http://[::1]:8080", ""),
            ("http://localhost:8080", "http://localhost:8080", ""),
            ("пример.рф", "https://xn--e1afmkfd.xn--p1ai", ""),
        ];
        for (typed, origin, path) in cases {
            let expected = Endpoint { origin: origin.to_owned(), path: path.to_owned() };
            assert_eq!(Endpoint::parse(typed).unwrap(), expected, "{typed}");
        }
    }

    #[test]
    fn forms_that_are_refused() {
        for typed in [
            "http://vm.example.net",
            "ftp://vm",
            "https://",
            "a b",
            "https://root:pw@vm",
            "http://10.0.0.1",
            "vm:99999",
        ] {
            let error = Endpoint::parse(typed).unwrap_err();
            assert_eq!(error.kind, Kind::Vm6Url, "{typed}");
            assert!(!error.text.contains("pw"), "{error}");
        }
    }
}
