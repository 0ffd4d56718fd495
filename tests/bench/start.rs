//! How long a start takes and what it costs: `--command features` beside `/bin/true` and beside the start of a module in
//! Python or PHP, with the libraries that the vendor's modules import.

use std::process::Command;

use crate::measure::{Subject, file_mib, note, target};
use crate::scene::module;
use crate::sheet::{Row, Sheet};

/// What a module in Python imports: its own needs, the vendor's library, VMmanager's API and the database.
const PYTHON: &str = "import argparse, json, logging, subprocess, xml.etree.ElementTree, requests, pymysql";

pub(crate) fn run(sheet: &mut Sheet) {
    let features = || {
        let mut command = Command::new(module());
        command.args(["--command", "features"]);
        command
    };
    let interpreter = interpreter();
    let python = |code: &'static str| {
        let interpreter = &interpreter;
        move || {
            let mut command = Command::new(interpreter);
            command.args(["-c", code]).env("PYTHONPATH", target("tools/python"));
            command
        }
    };
    let php = || {
        let mut command = Command::new("php");
        command.args(["-r", ";"]);
        command
    };
    let subjects = [
        Subject::new("`--command features`", features).within(2.0, 4.0),
        Subject::new("`python3 -c pass`", python("pass")).every(8),
        Subject::new("the imports of a Python module", python(PYTHON)).every(20),
        Subject::new("`php -r ';'`", php).every(8),
    ];
    note(sheet, 400, &subjects);
    sheet.add(Row::new("the program's file", file_mib(&module()), "MiB").at_most(8.0));
    for package in packages() {
        let name = package.extension().unwrap_or_default().to_string_lossy().into_owned();
        sheet.add(Row::new(format!("package: {name}"), file_mib(&package), "MiB").at_most(4.0));
    }
}

/// Python itself: what is called `python3` may be a script that looks for it.
fn interpreter() -> String {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().expect("Python");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Those that `make deb` and `make rpm` have left.
fn packages() -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(target("package")).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|file| file.extension().is_some_and(|kind| kind == "deb" || kind == "rpm")).collect()
}
