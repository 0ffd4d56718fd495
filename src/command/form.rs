//! Forms that the panel draws: what comes in goes out again, with the lists that only VMmanager knows [protocol 3.3].
//!
//! Also the document in which these lists are kept with a handler, so that a form need not wait for the network.

use std::collections::BTreeMap;

use crate::service::handler::form_lists::{Choice, Choices};
use crate::settings;
use crate::wire::{self, Element};

/// What may be kept goes into one word of an argument list, which must stay below 128 KiB [protocol 5.1].
const MAX_KEPT_BYTES: usize = 100 * 1024;
const VERSION: &str = "1";

/// The settings in clear as the handler's form holds them; of a doubled field the first.
pub(super) fn settings(form: &Element) -> BTreeMap<String, String> {
    let plain = settings::form().filter(|setting| !setting.crypted);
    plain.map(|setting| (setting.name.to_owned(), form.value(setting.name).to_owned())).collect()
}

/// Which form it is [protocol A2].
pub(super) fn func(form: &Element) -> &str {
    form.get("func").map_or_else(|| form.value("func"), str::trim)
}

/// What another page of the form has asked for, if the document still holds it: no source shows where [protocol A2].
pub(super) fn anywhere<'a>(form: &'a Element, name: &str) -> Option<&'a str> {
    let is_it = |child: &Element| child.name == name || (child.name == "param" && child.get("name") == Some(name));
    let text = |child: &'a Element| Some(child.get("value").unwrap_or(&child.text)).filter(|text| !text.is_empty());
    let own = form.children.iter().filter(|child| is_it(child)).find_map(text);
    own.or_else(|| form.children.iter().find_map(|child| anywhere(child, name)))
}

/// Fills a select with names of VMmanager's things, which are values and not names of messages [protocol A11]. A value
/// that is chosen already stays in the list even if it is gone in VMmanager: the form would change it silently otherwise.
pub(super) fn fill(form: &mut Element, select: &str, choices: &[Choice]) {
    fill_after(form, select, None, choices);
}

/// The same, beginning with the choice of nothing in particular, as ISPsystem's own modules write it.
pub(super) fn fill_optional(form: &mut Element, select: &str, choices: &[Choice]) {
    fill_after(form, select, Some(Element::with_text("msg", "null").attribute("key", "")), choices);
}

fn fill_after(form: &mut Element, select: &str, first: Option<Element>, choices: &[Choice]) {
    let chosen = form.value(select).to_owned();
    form.children.retain(|child| child.name != "slist" || child.get("name") != Some(select));
    let entry = |key: &str, text: &str| Element::with_text("val", text).attribute("key", key);
    let gone = !chosen.is_empty() && choices.iter().all(|choice| choice.key != chosen);
    let list = Element::new("slist").attribute("name", select);
    let list = list.children(gone.then(|| entry(&chosen, &chosen))).children(first);
    form.children.push(list.children(choices.iter().map(|choice| entry(&choice.key, &choice.text))));
}

const LISTS: [&str; 3] = ["cluster", "preset", "ippool"];

/// The lists as a text to be kept; the longest ones are cut when they are too long.
pub(super) fn to_cache(mut choices: Choices) -> String {
    loop {
        let lists = [&choices.clusters, &choices.presets, &choices.pools];
        let entries = LISTS.iter().zip(lists).flat_map(|(name, list)| {
            list.iter().map(|choice| Element::with_text(*name, &choice.text).attribute("key", &choice.key))
        });
        let document = Element::new("choices").attribute("version", VERSION).children(entries).document();
        if document.len() <= MAX_KEPT_BYTES {
            return document;
        }
        let longest = [&mut choices.clusters, &mut choices.presets, &mut choices.pools];
        if let Some(list) = longest.into_iter().max_by_key(|list| list.len()) {
            list.truncate(list.len() / 2);
        }
    }
}

/// The lists from a text that was kept; nothing when it is none of ours.
pub(super) fn from_cache(text: &str) -> Option<Choices> {
    let document = wire::parse(text.as_bytes()).ok()?;
    if document.name != "choices" || document.get("version") != Some(VERSION) {
        return None;
    }
    let [clusters, presets, pools] = LISTS.map(|name| {
        let choice = |entry: &Element| Some(Choice { key: entry.get("key")?.to_owned(), text: entry.text.clone() });
        document.all(name).filter_map(choice).collect()
    });
    Some(Choices { clusters, presets, pools })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(key: impl std::fmt::Display, text: &str) -> Choice {
        Choice { key: key.to_string(), text: text.to_owned() }
    }

    #[test]
    fn lists_are_kept_and_cut() {
        let choices = Choices {
            clusters: vec![choice(1, "a <b> & \"c\" 🚀 \u{202e}عربي")],
            presets: vec![choice("KVM 1", "KVM 1: 2 CPU")],
            pools: Vec::new(),
        };
        assert_eq!(from_cache(&to_cache(choices.clone())), Some(choices));
        let many =
            Choices { pools: (0..5000).map(|n| choice(n, "a pool with a long name")).collect(), ..Choices::default() };
        let text = to_cache(many);
        assert!(text.len() <= MAX_KEPT_BYTES);
        assert!(from_cache(&text).unwrap().pools.len() > 500);
        for text in ["", "nonsense", "<config/>", "<choices version='2'/>"] {
            assert_eq!(from_cache(text), None);
        }
    }

    #[test]
    fn a_select_is_filled_once_and_keeps_what_is_chosen() {
        let mut form =
            wire::parse(b"<doc><cluster>9</cluster><slist name='cluster'><msg>old</msg></slist></doc>").unwrap();
        fill(&mut form, "cluster", &[choice(1, "one")]);
        let lists: Vec<&Element> = form.all("slist").collect();
        assert_eq!(lists.len(), 1);
        let entries: Vec<_> =
            lists[0].children.iter().map(|msg| (msg.get("key").unwrap(), msg.text.as_str())).collect();
        assert_eq!(entries, [("9", "9"), ("1", "one")]);
    }
}
