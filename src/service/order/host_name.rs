//! The host name of a VM: as ordered, or made from the tariff's template.

use crate::error::{Error, Kind, Result};
use crate::panel::{Customer, Service};

/// The ordered host name, or the one made from the tariff's template [protocol 5.3].
pub(super) fn ordered(service: &Service) -> Result<Option<String>> {
    let template = || service.tariff.get("freedomain").filter(|t| !t.trim().is_empty()).map(|t| expand(t, service));
    let Some(name) = service.param("domain").map(str::to_owned).or_else(template) else { return Ok(None) };
    host_name(&name).map(Some).ok_or_else(|| bad_domain(&name))
}

/// The error for a host name that is none.
pub fn bad_domain(name: &str) -> Error {
    let text = format!("\"{name}\" is not a host name (letters, digits and hyphens in parts joined by dots)");
    Error::new(Kind::BadParam, "domain", text)
}

fn expand(template: &str, service: &Service) -> String {
    template
        .replace("@USERNAME@", &label(&service.client))
        .replace("@TYPE@", &service.item_type)
        .replace("@ID@", &service.id.to_string())
}

/// The client's user name up to its `@`, as one part of a host name.
fn label(client: &Customer) -> String {
    let name = client.user.split('@').next().unwrap_or_default().to_lowercase();
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { format!("client{}", client.id) } else { plain.chars().take(40).collect() }
}

/// A lower-case ASCII host name of several parts (international names in their ASCII form), or nothing.
pub fn host_name(text: &str) -> Option<String> {
    let trimmed = text.trim().trim_end_matches('.');
    let url::Host::Domain(name) = url::Host::parse(trimmed).ok()? else { return None };
    let part = |part: &str| {
        let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (1..=63).contains(&part.len()) && plain && !part.starts_with('-') && !part.ends_with('-')
    };
    (name.len() <= 253 && name.contains('.') && name.split('.').all(part)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn host_names() {
        assert_eq!(host_name("VM1.Example.COM.").as_deref(), Some("vm1.example.com"));
        assert_eq!(host_name("пример.рф").as_deref(), Some("xn--e1afmkfd.xn--p1ai"));
        for bad in ["", "localhost", "-a.b", "a..b", "a b", "a_b.c", "1.2.3.4", "[::1]", &"a".repeat(64), "x/y"] {
            assert_eq!(host_name(bad), None, "{bad}");
        }
    }
}
