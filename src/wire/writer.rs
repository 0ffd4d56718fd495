//! The writer. quick-xml escapes markup but lets characters through that XML 1.0 forbids, and a name of a VM or an
//! answer of a server may hold them: they are left out here.

use super::Element;
use quick_xml::escape::escape;

/// Whether XML 1.0 allows the character [XML 1.0, 2.2].
pub fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The document with its declaration.
pub fn document(root: &Element) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    write(root, &mut out);
    out.push('\n');
    out
}

fn write(element: &Element, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in &element.attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        // Line breaks and tabs in attributes would come back as blanks.
        for c in safe(value).chars() {
            match c {
                '\t' => out.push_str("&#9;"),
                '\n' => out.push_str("&#10;"),
                c => out.push(c),
            }
        }
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

/// Escaped text without illegal characters; a carriage return would come back as a line feed.
fn safe(text: &str) -> String {
    let legal: String = text.chars().filter(|&c| is_legal(c)).collect();
    escape(legal.as_str()).replace('\r', "&#13;")
}
