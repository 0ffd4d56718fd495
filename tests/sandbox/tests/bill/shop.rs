//! An installation to test the stand-in with, whose module is a shell script.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use sandbox::bill::{Addon, Bill, Handler, Order, Setup, Tariff};

/// An installation with one handler, one client and one tariff; `does` chooses what the module does.
pub(crate) struct Shop {
    pub(crate) bill: Bill,
    pub(crate) handler: u64,
    pub(crate) client: u64,
    pub(crate) tariff: u64,
}

impl Shop {
    pub(crate) fn open(does: &str) -> Result<Self> {
        Self::with(does, |_| ())
    }

    pub(crate) fn with(does: &str, tune: impl FnOnce(&mut Setup)) -> Result<Self> {
        let mut setup = Setup::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/module.sh"));
        setup.key.bits = 1024;
        setup.environment.push(("MODULE_DOES".into(), does.into()));
        tune(&mut setup);
        let bill = Bill::start(setup)?;
        let handler = bill.add_handler(&Handler::new("https://vm.example.net", "admin@example.net", "pässword", "1"));
        let client = bill.add_client("Alice", "alice@example.com");
        let tariff = Tariff::sized("small", 1, 1024, 10_240)
            .addon(Addon::amount("ipv6", "", 0))
            .addon(Addon::switch("backup", false))
            .addon(Addon::choice("cpu_mode", &["default", "host"]))
            .addon(Addon::statistic("in out", "gib", 100));
        let tariff = bill.add_tariff(&tariff.handler(handler));
        Ok(Self { bill, handler, client, tariff })
    }

    pub(crate) fn order(&self) -> u64 {
        self.bill.order(&Order::new(self.client, self.tariff, self.handler))
    }

    /// A call as the module makes it.
    pub(crate) fn panel(&self, words: &[&str]) -> Result<Output> {
        let mut call = Command::new(self.bill.root().join("sbin/mgrctl"));
        call.args(["-m", "billmgr", "-o", "xml"]).args(words);
        call.output().context("cannot start mgrctl")
    }

    /// The same, and the type of the error it is refused with; empty when it is not refused.
    pub(crate) fn refusal(&self, words: &[&str]) -> Result<String> {
        let output = self.panel(words)?;
        let text = String::from_utf8(output.stdout)?;
        let (_, after) = text.split_once("<error type=\"").unwrap_or_default();
        Ok(after.split('"').next().unwrap_or_default().to_owned())
    }

    pub(crate) fn accept(&self, words: &[&str]) -> Result<String> {
        let output = self.panel(words)?;
        let text = String::from_utf8(output.stdout)?;
        ensure!(output.status.success() && !text.contains("<error"), "{words:?} was refused: {text}");
        Ok(text)
    }
}
