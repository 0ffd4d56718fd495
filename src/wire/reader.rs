//! The reader. quick-xml reports `1 &amp; 2` as three events (text, reference, text): they are joined here, and an
//! entity that XML does not define is an error instead of a silent loss.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::element::Element;
use crate::error::{Error, Kind, Result};

/// A longer document is refused.
pub const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 64;

/// Parses a document; the error is `bad_input_xml` with the reason and the byte offset.
pub fn parse(bytes: &[u8]) -> Result<Element> {
    if bytes.len() > MAX_BYTES {
        return Err(bad(format!("the document has {} bytes, more than 1 MiB", bytes.len())));
    }
    let text =
        std::str::from_utf8(bytes).map_err(|e| bad(format!("not valid UTF-8 after byte {}", e.valid_up_to())))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().map_err(|e| bad(format!("{e} near byte {}", reader.error_position())))?;
        match event {
            Event::Start(tag) if open.len() < MAX_DEPTH => open.push(start(&tag)?),
            Event::Start(_) => return Err(bad(format!("elements are nested deeper than {MAX_DEPTH}"))),
            Event::Empty(tag) => close(start(&tag)?, &mut open, &mut root)?,
            Event::End(_) => match open.pop() {
                Some(element) => close(element, &mut open, &mut root)?,
                None => return Err(bad("an element is closed that was never opened")),
            },
            Event::Text(part) => append(&mut open, &part.xml10_content())?,
            Event::CData(part) => append(&mut open, &part.xml10_content())?,
            Event::GeneralRef(reference) => append(&mut open, &resolve(&reference)?)?,
            Event::DocType(_) => return Err(bad("a DOCTYPE is not accepted")),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
        }
    }
    if let Some(element) = open.last() {
        return Err(bad(format!("element <{}> is not closed", element.name)));
    }
    root.ok_or_else(|| bad("no XML document was given"))
}

fn start(tag: &BytesStart<'_>) -> Result<Element> {
    let mut element = Element::new(name(tag.name().as_ref())?);
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|e| bad(e.to_string()))?;
        let name = name(attribute.key.as_ref())?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Explicit1_0)
            .map_err(|e| bad(format!("attribute {name}: {e}")))?;
        element.attributes.push((name.to_owned(), value.into_owned()));
    }
    Ok(element)
}

/// quick-xml takes any bytes for a name; a name that is none could not be written again [XML 1.0, 2.3].
fn name(text: &str) -> Result<&str> {
    let begins = |c: char| c.is_alphabetic() || "_:".contains(c);
    if text.starts_with(begins) && text.chars().all(|c| begins(c) || c.is_numeric() || "-.\u{b7}".contains(c)) {
        return Ok(text);
    }
    Err(bad(format!("{text:?} is no name of an element or attribute")))
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_some() => return Err(bad("the document has more than one root element")),
        None => *root = Some(element),
    }
    Ok(())
}

fn append(open: &mut [Element], text: &str) -> Result<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(bad("there is text outside the root element")),
    }
    Ok(())
}

fn resolve(name: &str) -> Result<String> {
    quick_xml::escape::unescape(&format!("&{name};"))
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| bad(format!("the entity &{name}; is not known")))
}

fn bad(text: impl Into<String>) -> Error {
    Error::new(Kind::BadInputXml, "xml", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_around_entities_is_joined() {
        let doc = parse("<doc a='1 &lt; 2'>1 &amp; 2 &#x41;<![CDATA[<b>]]></doc>".as_bytes()).unwrap();
        assert_eq!(doc.text, "1 & 2 A<b>");
        assert_eq!(doc.get("a"), Some("1 < 2"));
    }

    #[test]
    fn harmful_documents_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(65), "</a>".repeat(65));
        let huge = format!("<a>{}</a>", " ".repeat(MAX_BYTES));
        let cases: [&[u8]; 11] = [
            b"",
            b"   ",
            b"<doc>",
            b"<doc/><doc/>",
            b"<!DOCTYPE d [<!ENTITY x 'y'>]><d>&x;</d>",
            b"<d>&nbsp;</d>",
            b"<d>\xff</d>",
            b"<\r/>",
            b"<d 1='x'/>",
            deep.as_bytes(),
            huge.as_bytes(),
        ];
        for case in cases {
            assert_eq!(parse(case).unwrap_err().kind, Kind::BadInputXml, "{:?}", String::from_utf8_lossy(case));
        }
    }
}
