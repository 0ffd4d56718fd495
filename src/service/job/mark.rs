//! The mark that we leave in the comment of a VM: `billmgr:<installation>:<item>:<tag>`.
//!
//! The tag is an HMAC over installation and service with a key that only this installation has, so nobody can make the mark
//! of a service that he does not have. The owner of a VM can read its mark and copy it to his other VMs. A mark without a
//! tag (as the first release wrote it), or with a wrong one, is only text.

use std::fmt;

use crate::digest::hmac_sha256;
use crate::id::ServiceId;

const PREFIX: &str = "billmgr:";
const INSTALLATION_DIGITS: usize = 12;
const TAG_DIGITS: usize = 16;

/// Makes and knows the marks of this installation.
#[derive(Clone, Debug)]
pub struct Marker {
    /// 12 hex digits that name the installation of BILLmanager.
    pub installation: String,
    key: String,
}

/// The mark of a service's VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The installation of BILLmanager.
    pub installation: String,
    /// The service.
    pub item: ServiceId,
    /// 16 hex digits.
    pub tag: String,
}

/// A mark as it was found in a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMark {
    /// The installation that it names.
    pub installation: String,
    /// The service that it names.
    pub item: ServiceId,
    /// Its tag, if it has one.
    pub tag: Option<String>,
}

impl Marker {
    /// `key` is the secret of this installation.
    pub fn new(installation: String, key: String) -> Self {
        Marker { installation, key }
    }

    /// The mark of a service's VM.
    pub fn mark(&self, item: ServiceId) -> Mark {
        let text = format!("{}:{item}", self.installation);
        let tag = hmac_sha256(self.key.as_bytes(), text.as_bytes())[..TAG_DIGITS].to_owned();
        Mark { installation: self.installation.clone(), item, tag }
    }

    /// Whether a mark is one of ours: of this installation, with the right tag.
    pub fn made(&self, found: &FoundMark) -> bool {
        found.names_installation(&self.installation) && found.tag.as_deref() == Some(self.mark(found.item).tag.as_str())
    }
}

impl Mark {
    /// Whether a comment has this very mark.
    pub fn is_in(&self, comment: &str) -> bool {
        FoundMark::all(comment).iter().any(|found| self.is_of_service(found) && found.tag.as_ref() == Some(&self.tag))
    }

    /// A comment with the mark in it; what else is there stays. An own mark without the right tag is replaced.
    pub fn added_to(&self, comment: &str) -> String {
        let old = FoundMark::all(comment).into_iter().find(|found| self.is_of_service(found));
        match (comment.trim(), old) {
            ("", _) => self.to_string(),
            (text, Some(old)) => text.replacen(&old.to_string(), &self.to_string(), 1),
            (text, None) => format!("{text} {self}"),
        }
    }

    /// Whether a mark names the same service, with whatever tag.
    pub fn is_of_service(&self, found: &FoundMark) -> bool {
        found.names_installation(&self.installation) && found.item == self.item
    }
}

impl FoundMark {
    /// Every mark in a comment.
    pub fn all(comment: &str) -> Vec<FoundMark> {
        let read = |rest: &str| {
            let (installation, rest) = rest.split_once(':')?;
            let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let item = rest[..digits].parse().ok()?;
            let tag = rest[digits..].strip_prefix(':').and_then(|tag| tag.get(..TAG_DIGITS)).filter(|tag| is_hex(tag));
            let is_name = installation.len() == INSTALLATION_DIGITS && is_hex(installation);
            is_name.then(|| FoundMark { installation: installation.to_owned(), item, tag: tag.map(str::to_owned) })
        };
        comment.match_indices(PREFIX).filter_map(|(at, _)| read(&comment[at + PREFIX.len()..])).collect()
    }

    fn names_installation(&self, installation: &str) -> bool {
        self.installation == installation
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}:{}", self.installation, self.item, self.tag)
    }
}

impl fmt::Display for FoundMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}", self.installation, self.item)?;
        self.tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker::new("0123456789ab".to_owned(), "key".to_owned())
    }

    #[test]
    fn marks_are_found_anywhere_in_a_comment() {
        let mark = marker().mark(47.into());
        for comment in [mark.to_string(), format!("my shop, {mark};"), format!("{mark} billmgr:ffffffffffff:1")] {
            assert!(mark.is_in(&comment), "{comment}");
        }
        assert_eq!(FoundMark::all(&format!("{mark} billmgr:ffffffffffff:1")).len(), 2);
        for none in
            ["", "billmgr:47", "billmgr:0123456789ab:", "billmgr:xyz456789abc:4", "billmgr:", "billmgr:0123456789ab:0"]
        {
            assert!(FoundMark::all(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn only_the_right_tag_makes_a_mark() {
        let (marker, mark) = (marker(), marker().mark(47.into()));
        let other = Marker::new("0123456789ab".to_owned(), "other key".to_owned()).mark(47.into());
        for text in ["billmgr:0123456789ab:47".to_owned(), other.to_string(), mark.to_string().replace(":47:", ":48:")]
        {
            let found = FoundMark::all(&text);
            assert_eq!(found.len(), 1, "{text}");
            assert!(!marker.made(&found[0]) && !mark.is_in(&text), "{text}");
        }
        assert!(marker.made(&FoundMark::all(&mark.to_string())[0]));
    }
}
