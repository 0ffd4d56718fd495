//! The command line that BILLmanager writes: `--command NAME --item N …`.
//!
//! **Invariant.** Whatever words stand as values, command and service are those that the panel named: clients write
//! `--value` and order fields. Each argument has a value, the next word, whatever that looks like. Of a repeated argument
//! the first counts; where two say what to do, or to which service, the line is refused.
//!
//! Unknown arguments are kept by name for the log and otherwise ignored, so that a newer panel does not break the module
//! [protocol 2.1].

use crate::error::{Error, Kind, Result};

/// What to do, and on what.
const TARGETS: [&str; 4] = ["command", "item", "module", "runningoperation"];

/// The panel's arguments: names without dashes, first value winning. A few in a list: the code of a tree would take a tenth of
/// the memory of a short run.
#[derive(Debug, Default, Clone)]
pub struct Invocation {
    /// Value of `--command` as it was given.
    pub command: String,
    arguments: Vec<(String, String)>,
    /// Names that were given again with another value.
    disputed: Vec<String>,
}

impl Invocation {
    /// What BILLmanager would call, for an operation that is run in its place.
    pub fn new(command: &str, arguments: &[(&str, u64)]) -> Self {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
        Invocation { command: command.to_owned(), arguments: arguments.collect(), ..Invocation::default() }
    }

    /// Reads the words of the command line. A stray word is nothing; an argument at the end without a value is empty.
    pub fn read(words: &[String]) -> Invocation {
        let mut found = Invocation::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let Some(name) = long_name(word) else { continue };
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => (name, rest.next().cloned().unwrap_or_default()),
            };
            match found.value(name) {
                None => found.arguments.push((name.to_owned(), value)),
                Some(first) if first == value => {}
                Some(_) => found.disputed.push(name.to_owned()),
            }
        }
        found.command = found.value("command").unwrap_or_default().to_owned();
        found
    }

    /// `--help` or `-h` stands among the arguments, not as a value: then nothing is to be done [protocol 2.1].
    pub fn asks_for_help(&self) -> bool {
        self.value("help").is_some()
    }

    /// Refuses a line that names two commands, services, handlers or operations: one of them may be a client's word.
    pub fn undisputed(&self) -> Result<()> {
        TARGETS.iter().try_for_each(|name| self.agreed(name))
    }

    fn agreed(&self, name: &str) -> Result<()> {
        if !self.disputed.iter().any(|disputed| disputed == name) {
            return Ok(());
        }
        Err(bad(name, format!("--{name} stands twice in the command line, with different values: nothing is done")))
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The value of `--name`, if it was given and is not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }

    /// A numeric argument that may be absent.
    pub fn optional_id<T: From<u64>>(&self, name: &str) -> Result<Option<T>> {
        self.agreed(name)?;
        let Some(value) = self.text(name) else { return Ok(None) };
        match value.trim().parse::<u64>() {
            Ok(id) if id > 0 && i64::try_from(id).is_ok() => Ok(Some(T::from(id))),
            _ => Err(bad(name, format!("--{name} must be a positive number, not \"{value}\""))),
        }
    }

    /// A numeric argument that the command cannot do without.
    pub fn id<T: From<u64>>(&self, name: &str) -> Result<T> {
        self.optional_id(name)?
            .ok_or_else(|| bad(name, format!("--command {} needs --{name} with a number", self.command)))
    }

    /// Names of all arguments, for the log: values may be secret.
    pub fn names(&self) -> String {
        self.arguments.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    }
}

fn bad(name: &str, text: String) -> Error {
    Error::new(Kind::BadArgument, name, text)
}

/// `--name` without its dashes; the short forms of ISPsystem's base class are spelled out.
fn long_name(word: &str) -> Option<&str> {
    match word {
        "-c" => Some("command"),
        "-h" => Some("help"),
        "-i" => Some("item"),
        "-l" => Some("lang"),
        "-m" => Some("module"),
        "-t" => Some("itemtype"),
        "-a" => Some("addon"),
        _ => word.strip_prefix("--").filter(|name| !name.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample;

    fn panel(words: &[&str]) -> Invocation {
        Invocation::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    /// What a client may write: anything, often what an argument looks like.
    fn word() -> impl Strategy<Value = String> {
        let looks = "--command --command=close -c close --item --item=5 -i 5 --module=1 --value --param \
                     --runningoperation=1 -- - = --= --shiny ";
        let looks: Vec<&str> = looks.split(' ').collect();
        prop_oneof![sample::select(looks).prop_map(str::to_owned), any::<String>()]
    }

    /// An argument whose value is somebody's word, known or not.
    fn argument() -> impl Strategy<Value = (String, String)> {
        const NAMES: &[&str] =
            &["param", "value", "password", "searchstring", "addon", "lang", "level", "shiny", "date", "x"];
        (sample::select(NAMES).prop_map(str::to_owned), word())
    }

    proptest! {
        #[test]
        fn whatever_the_values_are_the_panel_decides(
            foreign in proptest::collection::vec(argument(), 0..6),
            targets in Just(vec![("command", "suspend"), ("item", "4711"), ("module", "7"), ("runningoperation", "9")]).prop_shuffle(),
            places in proptest::array::uniform4(0..7_usize),
            joined in proptest::collection::vec(any::<bool>(), 10),
            cut in any::<bool>(),
        ) {
            let mut pairs = foreign.clone();
            for ((name, value), place) in targets.iter().zip(places) {
                pairs.insert(place.min(pairs.len()), ((*name).to_owned(), (*value).to_owned()));
            }
            let mut words = Vec::new();
            for ((name, value), joined) in pairs.iter().zip(joined) {
                if joined { words.push(format!("--{name}={value}")) } else { words.extend([format!("--{name}"), value.clone()]) }
            }
            if cut {
                words.push("--value".to_owned());
            }
            let found = Invocation::read(&words);
            prop_assert!(found.undisputed().is_ok(), "{words:?}");
            for (name, value) in targets {
                prop_assert_eq!(found.text(name), Some(value), "{:?}", words);
            }
            for (name, _) in &foreign {
                let first = foreign.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
                prop_assert_eq!(found.value(name), first, "{:?}", words);
            }
        }
    }

    #[test]
    fn both_spellings_and_unknown_arguments() {
        let found =
            panel(&["--item=4711", "--command", "open", "--shiny", "x", "--runningoperation", "9", "stray", "-m", "7"]);
        assert_eq!(found.command, "open");
        assert_eq!(found.id::<u64>("item").unwrap(), 4711);
        assert_eq!(found.id::<u64>("runningoperation").unwrap(), 9);
        assert_eq!(found.id::<u64>("module").unwrap(), 7);
        assert_eq!(found.text("shiny"), Some("x"));
        assert_eq!(found.names(), "item command shiny runningoperation module");
    }

    #[test]
    fn two_targets_are_none() {
        for name in TARGETS {
            let given = |other: &str| {
                panel(&[&format!("--{name}"), "5", "--value", "x", &format!("--{name}={other}"), "--value=y"])
            };
            assert!(given("5").undisputed().is_ok());
            let refusal = given("6").undisputed().unwrap_err();
            assert_eq!((refusal.kind, refusal.object.as_str()), (Kind::BadArgument, name));
            assert!(given("6").optional_id::<u64>(name).is_err());
            assert_eq!(given("6").text("value"), Some("x"), "the first counts");
        }
    }

    #[test]
    fn numbers_are_checked_by_name() {
        for value in ["x", "-1", "0", "1.5", "99999999999999999999", ""] {
            let found = panel(&["--command", "open", "--item", value]);
            let error = found.id::<u64>("item").unwrap_err();
            assert_eq!((error.kind, error.object.as_str()), (Kind::BadArgument, "item"), "{value}");
        }
    }
}
