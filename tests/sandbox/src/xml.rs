//! A document as a tree, as far as a panel needs one.

use anyhow::{Context, Result, bail};
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// An element with its attributes, child elements and text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Tag name.
    pub name: String,
    /// Attributes in document order.
    pub attributes: Vec<(String, String)>,
    /// Child elements in document order.
    pub children: Vec<Node>,
    /// The text directly inside.
    pub text: String,
}

impl Node {
    /// An element that holds a text or nothing.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into(), ..Self::default() }
    }

    /// The same with an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// The same with more child elements.
    #[must_use]
    pub fn with(mut self, children: impl IntoIterator<Item = Node>) -> Self {
        self.children.extend(children);
        self
    }

    /// The value of an attribute.
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == attribute).map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub fn find(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The child of this tag whose attribute `name` is this.
    pub fn named(&self, tag: &str, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == tag && child.get("name") == Some(name))
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When it is not well-formed.
    pub fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader::from_str(text);
        let mut open = vec![Node::default()];
        loop {
            match reader.read_event()? {
                Event::Start(tag) => open.push(start(&tag)?),
                Event::Empty(tag) => close(&mut open, start(&tag)?)?,
                Event::End(_) => {
                    let element = open.pop().context("an element is closed that was never opened")?;
                    close(&mut open, element)?;
                }
                Event::Text(part) => append(&mut open, &part.xml10_content()),
                Event::CData(part) => append(&mut open, &part.xml10_content()),
                Event::GeneralRef(name) => append(&mut open, &unescape(&format!("&{};", &*name))?),
                Event::Eof => break,
                _ => {}
            }
        }
        match open.as_slice() {
            [document] if document.children.len() == 1 => Ok(document.children[0].clone()),
            _ => bail!("this is no document: {text}"),
        }
    }

    /// The element as text.
    pub fn write(&self) -> String {
        let attribute = |(name, value): &(String, String)| format!(" {name}=\"{}\"", escape(value));
        let attributes: String = self.attributes.iter().map(attribute).collect();
        let children: String = self.children.iter().map(Self::write).collect();
        format!("<{0}{attributes}>{1}{children}</{0}>", self.name, escape(&self.text))
    }
}

fn start(tag: &BytesStart<'_>) -> Result<Node> {
    let mut element = Node::new(tag.name().as_ref(), "");
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let value = attribute.normalized_value(XmlVersion::Explicit1_0)?.into_owned();
        element.attributes.push((attribute.key.as_ref().to_owned(), value));
    }
    Ok(element)
}

fn close(open: &mut [Node], element: Node) -> Result<()> {
    open.last_mut().context("an element is closed that was never opened")?.children.push(element);
    Ok(())
}

fn append(open: &mut [Node], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let list = Node::new("slist", "").attribute("name", "a \"b\"").with([Node::new("val", "<1> & 'кластер'")]);
        let document = Node::new("doc", "").with([list]);
        assert_eq!(Node::parse(&document.write()).unwrap(), document);
        for text in ["", "<doc>", "<a/><b/>", "<a></b>", "<a>&nbsp;</a>"] {
            Node::parse(text).unwrap_err();
        }
    }
}
