//! The secrets of this run. Whatever it has sent or received, no text that leaves it repeats one: errors, the log and what
//! others say in a task, a refusal or an answer.
//!
//! A secret is known from the moment in which it is decrypted, generated, typed or received. Others repeat it as they
//! wrote it: inside JSON, XML or an address.

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// Stands for every secret.
pub const MASK: &str = "***";

/// Words that are in the names of secrets.
const NAMES: [&str; 4] = ["passw", "secret", "token", "crypted"];

/// Whether a parameter or a field of this name may hold a secret.
pub fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    NAMES.iter().any(|part| name.contains(part)) || name == "key" || name.ends_with("_key") && name != "queue_key"
}

/// Shorter texts are everywhere by chance.
pub const SHORTEST: usize = 6;

/// Spellings of all secrets, the longest first: one may be a part of another.
static KNOWN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on this secret is masked.
pub fn remember(secret: &SecretString) {
    let secret = secret.expose_secret();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if secret.len() < SHORTEST || known.iter().any(|spelling| spelling == secret) {
        return;
    }
    known.extend(spellings(secret));
    known.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
    known.dedup();
}

/// A text without any secret of this run.
pub fn masked(text: &str) -> String {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().fold(text.to_owned(), |text, spelling| replaced(text, spelling))
}

/// A text without one secret, however short it is.
pub fn without(text: &str, secret: &str) -> String {
    spellings(secret).iter().fold(text.to_owned(), |text, spelling| replaced(text, spelling))
}

fn replaced(text: String, spelling: &str) -> String {
    if !spelling.is_empty() && text.contains(spelling) { text.replace(spelling, MASK) } else { text }
}

/// As it is, in JSON, in JSON inside of JSON, in XML, in an address.
fn spellings(secret: &str) -> Vec<String> {
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let once = json(secret);
    let amp = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let xml = amp.replace('"', "&quot;").replace('\'', "&apos;");
    let address: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let percent = address.replace('+', "%20");
    let mut all = vec![secret.to_owned(), json(&once), once, amp, xml, address, percent];
    all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secret = "a \"b\" <c> & d'e\\f+ü";
        let json = serde_json::json!({ "said": secret }).to_string();
        let twice = serde_json::json!({ "body": json }).to_string();
        let xml =
            crate::wire::Element::new("doc").attribute("a", secret).child(crate::wire::Element::with_text("b", secret));
        let mut address = url::Url::parse("https://vm.example.com/").unwrap();
        address.query_pairs_mut().append_pair("password", secret);
        for text in [secret.to_owned(), json, twice, xml.document(), address.to_string()] {
            let hidden = without(&text, secret);
            assert!(hidden.contains(MASK) && !hidden.contains("d'e") && !hidden.contains("&amp;"), "{hidden}");
        }
    }

    #[test]
    fn what_is_remembered_goes_and_what_is_short_stays() {
        remember(&"Part-of-4711".into());
        remember(&"Part-of-4711-and-more".into());
        remember(&"short".into());
        assert_eq!(masked("x Part-of-4711-and-more, Part-of-4711; short"), "x ***, ***; short");
    }
}
