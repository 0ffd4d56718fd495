//! The command line of `mgrctl`: `[-m billmgr] [-o FORMAT] [-e 'name=$VARIABLE']… FUNCTION name=value…` [protocol 5.1].

use super::answer::Format;
use crate::bill::calls::{CallParam, Origin};

/// A command line, read.
#[derive(Default)]
pub(super) struct Arguments {
    pub format: Format,
    pub function: String,
    pub params: Vec<CallParam>,
}

impl Arguments {
    /// Reads the words after the program; `environment` looks a variable up. Fails with a message for stderr.
    pub(super) fn parse(words: &[String], environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        let mut manager = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = |option: &str| {
                words.next().cloned().ok_or_else(|| format!("mgrctl: option requires an argument -- '{option}'\n"))
            };
            match word.as_str() {
                "-m" => manager = Some(value("m")?),
                "-o" => arguments.format = Format::parse(&value("o")?)?,
                "-e" => arguments.params.push(from_environment(&value("e")?, &environment)?),
                option if option.starts_with('-') => return Err(format!("mgrctl: invalid option {option}\n")),
                function => {
                    function.clone_into(&mut arguments.function);
                    break;
                }
            }
        }
        match manager.as_deref() {
            Some("billmgr") => {}
            Some(other) => return Err(format!("ERROR: There is no manager {other}\n")),
            None => return Err("mgrctl: name the manager with -m billmgr\n".into()),
        }
        if arguments.function.is_empty() {
            return Err("mgrctl: no function given\n".into());
        }
        for word in words {
            let (name, value) = word
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| format!("mgrctl: `{word}` is not of the form name=value\n"))?;
            if name == "out" {
                arguments.format = Format::parse(value)?;
            }
            arguments.params.push(param(name, value, Origin::Argv));
        }
        Ok(arguments)
    }

    /// Some parameter came with `-e`.
    pub(super) fn uses_environment(&self) -> bool {
        self.params.iter().any(|it| it.from == Origin::Env)
    }
}

fn from_environment(word: &str, environment: impl Fn(&str) -> Option<String>) -> Result<CallParam, String> {
    let (name, variable) = word
        .split_once("=$")
        .filter(|(name, variable)| !name.is_empty() && !variable.is_empty())
        .ok_or_else(|| format!("mgrctl: `-e {word}` is not of the form name=$VARIABLE\n"))?;
    let value = environment(variable).ok_or_else(|| format!("mgrctl: there is no variable {variable}\n"))?;
    Ok(param(name, &value, Origin::Env))
}

fn param(name: &str, value: &str, from: Origin) -> CallParam {
    CallParam { name: name.into(), value: value.into(), from }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        Arguments::parse(&words, |name| (name == "SECRET").then(|| "s3cret".to_owned()))
    }

    #[test]
    fn secrets_come_from_the_environment() {
        let read = parse(&["-m", "billmgr", "-o", "xml", "-e", "value=$SECRET", "service.saveparam", "name=a=b"]);
        let params = read.map(|read| read.params).unwrap_or_default();
        assert_eq!(params, [param("value", "s3cret", Origin::Env), param("name", "a=b", Origin::Argv)]);
    }

    #[test]
    fn what_the_real_one_would_not_take_is_refused() {
        for words in [
            &["service.postopen"][..],
            &["-m", "billmgr"],
            &["-m", "core", "paramlist"],
            &["-m", "billmgr", "-o", "yaml", "paramlist"],
            &["-m", "billmgr", "-e", "value=SECRET", "paramlist"],
            &["-m", "billmgr", "-e", "value=$MISSING", "paramlist"],
            &["-m", "billmgr", "paramlist", "novalue"],
            &["-m", "billmgr", "--output", "xml", "paramlist"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }
}
