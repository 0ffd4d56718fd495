//! The writer. quick-xml escapes markup but lets characters through that XML 1.0 forbids, and a name of a VM or an
//! answer of a server may hold them: they are left out here. What XML allows and a terminal would obey is written as
//! a reference: the document means the same.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::element::Element;
use crate::text::is_unsafe;

/// Whether XML 1.0 allows the character [XML 1.0, 2.2].
fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

impl Element {
    /// The whole document as text, with the XML declaration and a final line break.
    pub fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        write(self, &mut out);
        out.push('\n');
        out
    }
}

fn write(element: &Element, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in &element.attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        // A line break in an attribute would come back as a blank.
        out.push_str(&safe(value).replace('\n', "&#10;"));
        out.push('"');
    }
    let text = safe(&element.text);
    if text.is_empty() && element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    out.push_str(&text);
    for child in &element.children {
        write(child, out);
    }
    out.push_str("</");
    out.push_str(&element.name);
    out.push('>');
}

/// Escaped text without illegal characters; a carriage return among them would come back as a line feed.
fn safe(text: &str) -> String {
    let legal: String = text.chars().filter(|&c| is_legal(c)).collect();
    let escaped = escape(legal.as_str());
    let must_go = |c| is_unsafe(c) && c != '\n';
    if !escaped.contains(must_go) {
        return escaped.into_owned();
    }
    let mut written = String::with_capacity(escaped.len() + 64);
    for c in escaped.chars() {
        if must_go(c) {
            _ = write!(written, "&#{};", u32::from(c));
        } else {
            written.push(c);
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;
    use proptest::prelude::*;

    fn element() -> impl Strategy<Value = Element> {
        let name = "[a-z][a-z0-9_.-]{0,8}";
        let attributes = proptest::collection::vec((name, any::<String>()), 0..3);
        let leaf = (name, attributes, any::<String>()).prop_map(|(name, mut attributes, text)| {
            attributes.sort();
            attributes.dedup_by(|a, b| a.0 == b.0);
            Element { name, attributes, children: vec![], text }
        });
        leaf.prop_recursive(4, 24, 4, |inner| {
            (inner.clone(), proptest::collection::vec(inner, 0..4)).prop_map(|(mut parent, children)| {
                parent.children = children;
                parent
            })
        })
    }

    fn legal(mut element: Element) -> Element {
        let clean = |text: &str| text.chars().filter(|&c| is_legal(c)).collect::<String>();
        element.text = clean(&element.text);
        for (_, value) in &mut element.attributes {
            *value = clean(value);
        }
        element.children = element.children.into_iter().map(legal).collect();
        element
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(tree in element()) {
            let document = tree.document();
            prop_assert!(!document.contains(|c| is_unsafe(c) && c != '\n'));
            let read = parse(document.as_bytes()).unwrap();
            prop_assert_eq!(read, legal(tree));
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            _ = parse(&bytes);
        }
    }
}
