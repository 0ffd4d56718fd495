//! The stand-in BILLmanager, tested with a module that is a shell script: what it accepts, what it refuses, what it
//! records, on SQLite and on a real MariaDB.

mod callbacks;
mod handover;
mod shop;
