//! Documents on standard input and answers of `mgrctl`.

use pmvmmanager6::error::{Error, Kind};
use pmvmmanager6::panel::error_document;
use pmvmmanager6::wire::{Element, parse};

/// A document is refused as `bad_input_xml`, or it is a small tree; what is written of it (without the characters that XML
/// forbids) is read back as the same. Its text does not break out of an error document that quotes it.
pub fn check(bytes: &[u8]) {
    let tree = match parse(bytes) {
        Ok(tree) => tree,
        Err(error) => return crate::is_told(error.kind, &[Kind::BadInputXml]),
    };
    assert!(depth(&tree) <= 64, "deeper than the limit");
    let written = tree.document();
    let again = parse(written.as_bytes()).expect("our own document");
    assert_eq!(again.document(), written);
    assert_eq!(names(&again), names(&tree));
    let error = Error::new(Kind::BadParam, tree.name.as_str(), tree.text.as_str());
    let quoted = parse(error_document(&error).document().as_bytes()).expect("our own error document");
    let [node] = quoted.children.as_slice() else { panic!("one error was expected: {quoted:?}") };
    assert_eq!((node.name.as_str(), node.get("type")), ("error", Some("bad_param")));
    assert_eq!(names(node), ["error", "param", "param", "msg"]);
}

/// Names of all elements in document order.
fn names(tree: &Element) -> Vec<&str> {
    std::iter::once(tree.name.as_str()).chain(tree.children.iter().flat_map(names)).collect()
}

fn depth(tree: &Element) -> usize {
    1 + tree.children.iter().map(depth).max().unwrap_or(0)
}
