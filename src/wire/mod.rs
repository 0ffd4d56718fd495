//! XML as BILLmanager speaks it, in and out: the only user of quick-xml.
//!
//! Documents are small trees. [`parse`] refuses what could hurt (more than 1 MiB, deeper than 64, a DOCTYPE, bytes
//! that are not UTF-8); [`Element::document`] can only produce legal XML 1.0, whatever text is put into it.

mod reader;
mod writer;

pub use reader::{MAX_BYTES, parse};

/// An element with its attributes, child elements and text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Tag name.
    pub name: String,
    /// Attributes in document order.
    pub attributes: Vec<(String, String)>,
    /// Child elements in document order.
    pub children: Vec<Element>,
    /// The text directly inside the element, entities resolved.
    pub text: String,
}

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<String>) -> Self {
        Element { name: name.into(), ..Element::default() }
    }

    /// An element that holds only `text`.
    pub fn with_text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Element { name: name.into(), text: text.into(), ..Element::default() }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a child.
    #[must_use]
    pub fn child(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    /// Adds several children.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children);
        self
    }

    /// The value of an attribute.
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == attribute).map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub fn find(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Trimmed text of the first child of this name; a missing child reads as empty [protocol 3.2].
    pub fn value(&self, name: &str) -> &str {
        self.find(name).map_or("", |child| child.text.trim())
    }

    /// The whole document as text, with the XML declaration and a final line break.
    pub fn document(&self) -> String {
        writer::document(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let clean = |text: &str| text.chars().filter(|&c| writer::is_legal(c)).collect::<String>();
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
            let read = parse(tree.document().as_bytes()).unwrap();
            prop_assert_eq!(read, legal(tree));
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            _ = parse(&bytes);
        }
    }
}
