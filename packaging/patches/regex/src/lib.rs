//! What `mysql_common` uses of `regex`, done by `regex-lite`: it matches a server's version and dates, all ASCII.
//!
//! The real one brings tables of all Unicode properties and several engines. They hold half of the pointers that the
//! dynamic loader would put right at each start of the program, and each connection would compile two patterns for them.

pub use regex_lite::{Error, Regex};

/// Patterns over bytes. Bytes that are not UTF-8 fit no pattern.
pub mod bytes {
    /// A compiled pattern; `\d` and its like stand for ASCII.
    #[derive(Clone, Debug)]
    pub struct Regex(regex_lite::Regex);

    /// What the groups of a pattern hold.
    #[derive(Debug)]
    pub struct Captures<'t>(regex_lite::Captures<'t>);

    /// What one group holds.
    #[derive(Clone, Copy, Debug)]
    pub struct Match<'t>(&'t str);

    impl Regex {
        /// Compiles a pattern.
        pub fn new(pattern: &str) -> Result<Self, regex_lite::Error> {
            regex_lite::Regex::new(pattern).map(Self)
        }

        /// Whether the pattern fits somewhere.
        pub fn is_match(&self, text: &[u8]) -> bool {
            std::str::from_utf8(text).is_ok_and(|text| self.0.is_match(text))
        }

        /// The groups of the first place where it fits.
        pub fn captures<'t>(&self, text: &'t [u8]) -> Option<Captures<'t>> {
            self.0.captures(std::str::from_utf8(text).ok()?).map(Captures)
        }
    }

    impl<'t> Captures<'t> {
        /// A group by its number; 0 is the whole.
        pub fn get(&self, group: usize) -> Option<Match<'t>> {
            self.0.get(group).map(|found| Match(found.as_str()))
        }
    }

    impl<'t> Match<'t> {
        /// The bytes.
        pub fn as_bytes(&self) -> &'t [u8] {
            self.0.as_bytes()
        }
    }
}
