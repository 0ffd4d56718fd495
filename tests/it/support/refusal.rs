//! A failed run as BILLmanager sees it: exit status 1 and one error document on standard output.

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire::{self, Element};
use sandbox::bill::Run;

/// The error of a failed run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Type.
    pub kind: Kind,
    /// What it is about.
    pub object: String,
    /// Text for people.
    pub value: String,
}

impl Refusal {
    /// Reads the run; anything but a well-formed failure fails the test.
    #[track_caller]
    pub(crate) fn of(run: &Run) -> Self {
        assert_eq!(run.status, Some(1), "a failure was expected: {run:#?}");
        let document = wire::parse(run.stdout.as_bytes()).unwrap_or_else(|error| panic!("{error}: {run:#?}"));
        assert_eq!(document.name, "doc", "{run:#?}");
        assert_eq!(document.children.len(), 1, "one error and nothing else: {run:#?}");
        Self::read(&document.children[0])
    }

    /// The error that ended an attempt, in the `errorxml` of a running operation [protocol 3.30].
    #[track_caller]
    pub(crate) fn of_errorxml(errorxml: &str) -> Self {
        let document = wire::parse(errorxml.as_bytes()).unwrap_or_else(|error| panic!("{error}: {errorxml}"));
        assert_eq!(document.name, "doc", "{errorxml}");
        let last = document.children.last().unwrap_or_else(|| panic!("the document is empty: {errorxml}"));
        Self::read(last)
    }

    #[track_caller]
    fn read(error: &Element) -> Self {
        assert_eq!(error.name, "error", "{error:?}");
        let attribute = |name| error.get(name).unwrap_or_else(|| panic!("no attribute {name}: {error:?}"));
        let word = attribute("type");
        let kind = Kind::ALL.iter().find(|kind| kind.name() == word);
        let kind = *kind.unwrap_or_else(|| panic!("{word} is not a type of the contract: {error:?}"));
        let value = error.all("param").find(|param| param.get("name") == Some("value"));
        let value = value.map(|param| param.text.clone()).unwrap_or_default();
        assert!(!value.trim().is_empty(), "the error says nothing: {error:?}");
        Self { kind, object: attribute("object").to_owned(), value }
    }

    /// The words of the last command line that the text shows as a cure.
    #[track_caller]
    pub(crate) fn cure_line(&self) -> Vec<&str> {
        let line = self.value.rsplit_once("run: pmvmmanager6 ");
        let (_, line) = line.unwrap_or_else(|| panic!("no command line: {self:#?}"));
        line.split_whitespace().collect()
    }

    /// Type, object and every given part of the text are as expected.
    #[track_caller]
    pub(crate) fn is(&self, kind: Kind, object: &str, parts: &[&str]) {
        assert_eq!((self.kind, self.object.as_str()), (kind, object), "{self:#?}");
        for part in parts {
            assert!(self.value.contains(part), "\"{part}\" is missing: {self:#?}");
        }
    }
}
