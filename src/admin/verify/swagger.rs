//! Where a live VMmanager keeps the description of its API: a request of its own, or behind the page `/swagger/` [api B16].
//!
//! That page is the usual viewer for Swagger. Where it has the addresses of the descriptions from differs: from itself, a script
//! or a configuration file. So each of them is looked through for addresses on this VMmanager, until one is the description of
//! its main service. Nothing is asked of anybody else.

use std::collections::{BTreeSet, VecDeque};

use super::description::Description;
use crate::error::Result;
use crate::log;
use crate::vmm::Client;

const PAGE: &str = "/swagger/";
/// Pages that are read before it is given up.
const MOST: usize = 30;

/// The description; nothing when this VMmanager has none that can be understood.
pub(super) fn describe(vmm: &Client) -> Result<Option<Description>> {
    match vmm.get("/vm/v3/api").map(Description::read) {
        Ok(None) => {}
        Ok(found) => return Ok(found),
        Err(error) if error.kind.is_connection() => return Err(error),
        Err(error) => log::info!("the API is described elsewhere: {error}"),
    }
    let (mut open, mut known) = (VecDeque::from([PAGE.to_owned()]), BTreeSet::new());
    while let Some(path) = open.pop_front().filter(|_| known.len() < MOST) {
        if !known.insert(path.clone()) {
            continue;
        }
        let Some(text) = vmm.page(&path)? else { continue };
        let document = serde_json::from_str(&text).ok().and_then(Description::read);
        match document {
            Some(description) if description.has("POST", "/host") => return Ok(Some(description)),
            Some(_) => {}
            None => open.extend(links(&text).filter_map(|link| resolved(link, &path, &vmm.base()))),
        }
    }
    Ok(None)
}

/// What stands for the address of a description, a configuration or the script that names them.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let after =
        |word: &'static str| text.match_indices(word).map(|(at, word)| &text[at + word.len()..]).filter_map(quoted);
    let scripts = after("src").filter(|link| link.contains("initializer"));
    scripts.chain(after("configUrl")).chain(after("url"))
}

/// `: "value"`, `': 'value'` and `="value"`.
fn quoted(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start();
    let rest = rest.strip_prefix([':', '='])?.trim_start();
    let quote = rest.chars().next().filter(|c| "'\"".contains(*c))?;
    rest[1..].split_once(quote).map(|(value, _)| value)
}

/// A link of a page as a path on this VMmanager; nothing when it leads elsewhere.
fn resolved(link: &str, page: &str, base: &str) -> Option<String> {
    let link = link.strip_prefix(base).filter(|rest| rest.starts_with('/')).unwrap_or(link);
    if link.contains("//") || link.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return None;
    }
    if link.starts_with('/') {
        return Some(link.to_owned());
    }
    let (folder, _) = page.rsplit_once('/')?;
    Some(format!("{folder}/{}", link.trim_start_matches("./")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_pages_scripts_and_configurations() {
        let found = |text: &str| links(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            found(r#"<script src="./swagger-initializer.js"></script><script src="a.js">"#),
            ["./swagger-initializer.js"]
        );
        assert_eq!(
            found(r#"ui({urls: [{url: 'a.json', name: "a"}, {"url" : "/b"}], configUrl="c"})"#),
            ["c", "a.json", "/b"]
        );
        assert_eq!(found("url url: 'never ends"), [""; 0]);
    }

    #[test]
    fn only_addresses_of_this_vmmanager() {
        let path = |link| resolved(link, "/swagger/index.html", "https://vm.example.net");
        assert_eq!(path("./vm.json").as_deref(), Some("/swagger/vm.json"));
        assert_eq!(path("/vm/v3/api").as_deref(), Some("/vm/v3/api"));
        assert_eq!(path("https://vm.example.net/x").as_deref(), Some("/x"));
        for elsewhere in
            ["https://elsewhere.example/x", "//elsewhere.example/x", "https://vm.example.net.evil/x", "a b"]
        {
            assert_eq!(path(elsewhere), None, "{elsewhere}");
        }
    }
}
