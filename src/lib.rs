//! `pmvmmanager6`: BILLmanager 6 sells VPSes, VMmanager 6 runs them, this program stands between the two.
//!
//! BILLmanager starts it once for each paid order, suspension, upgrade or deletion, with `--command NAME --item N` and
//! sometimes an XML document on standard input. It reads the service from BILLmanager's database, does the work through
//! VMmanager's REST API, calls BILLmanager back through `mgrctl`, and exits. Administrators run the same binary by hand.
//!
//! # What holds always
//!
//! * **Never two VMs, never the wrong VM.** A VM is asked for only after the one that may exist already was looked for
//!   ([`service::provision`]); it is changed only after it was proved to be the service's ([`service::identity`]).
//! * **Unknown is an answer.** A request ends as done, refused or unknown; unknown is looked up, never guessed and never
//!   repeated blindly ([`vmm::Failure`]).
//! * **Written before done.** What creates or destroys is in the [`journal`] before the request leaves, and the ids of
//!   the answer are there before anybody waits. The program may be killed at any line and started again.
//! * **One at a time.** One operation of a service runs at once, always; the handler's settings may queue more
//!   ([`queue`]). Waiting is sleeping in a lock, not polling.
//! * **Secrets are a type.** Passwords and tokens are `SecretString`; they reach the network, the environment of
//!   `mgrctl` and, for the login link, standard output, and nothing else.
//! * **Standard output is the answer.** One XML document or nothing; every error and every panic becomes a document and
//!   exit status 1.
//!
//! # The map
//!
//! ```text
//! main → run → cli, config, command, admin → service → vmm, panel, journal, queue
//! ```
//!
//! | module | job |
//! |---|---|
//! | [`cli`] | arguments → plain data; the only module that knows clap |
//! | [`command`] | the table of panel commands, one file each: read input, call a use-case, answer |
//! | [`admin`] | operator sub-commands, one file each |
//! | [`service`] | use-cases of a service (provision, resize, power, remove, addresses, access, sync, link, story) and of a handler (trial, offer, traffic, overage, import, suitability, audit); order and identity |
//! | [`panel`] | BILLmanager: database, decryption, units, `mgrctl`, the failure protocol |
//! | [`vmm`] | VMmanager 6: HTTP, TLS, session, filters, models, tasks |
//! | [`queue`] | tickets: who may work now |
//! | [`journal`] | what we asked VMmanager to do |
//! | [`metrics`] | counters of all runs together |
//! | [`state`], [`lock`] | private directories, database files, file locks |
//! | [`rehearsal`] | an operation run for its plan: the script of what would be sent |
//! | [`wire`] | XML in and out |
//! | [`config`], [`error`], [`log`], [`progress`], [`tally`], [`fault`], [`digest`] | the ground everything stands on |
//!
//! `panel`, `vmm`, `queue` and `journal` never import each other; a test (`tests/it/layout.rs`) fails on a new arrow.
//!
//! **A new panel command** is one file in `command/` and one line in [`command::TABLE`]; a new operator command is one
//! file in `admin/` and one variant in [`cli::operator`].
//!
//! # Left out on purpose
//!
//! A daemon, asynchronous code: the process lives for one operation, in one thread (the daily statistics read several VMs at
//! a time). Writing to
//! BILLmanager's tables: the panel owns its data. Blocking VMmanager accounts: it would stop a client's other VMs.
//! Reinstalling an OS as a side effect of anything.

pub mod admin;
pub mod cli;
pub mod command;
pub mod config;
pub mod digest;
pub mod error;
pub mod fault;
pub mod journal;
pub mod lock;
pub mod log;
pub mod metrics;
pub mod panel;
pub mod progress;
pub mod queue;
pub mod rehearsal;
mod run;
pub mod service;
pub mod state;
pub mod tally;
pub mod vmm;
pub mod wire;

pub use run::run;
