//! `pmvmmanager6`: BILLmanager 6 sells VPSes, VMmanager 6 runs them, this program is between the two.
//!
//! BILLmanager starts it once for each paid order, suspension, upgrade or deletion, with `--command NAME --item N` and
//! sometimes an XML document on standard input. It reads the service from BILLmanager's database, does the work through
//! VMmanager's REST API, calls BILLmanager back through `mgrctl`, and exits. Administrators run the same binary by
//! hand.
//!
//! # What holds always
//!
//! * **Never two VMs, never the wrong VM.** A VM is asked for only after the one that may exist already was looked for
//!   ([`service::vm::open`]); it is changed only after it was proved to be the service's ([`service::job::identity`]).
//! * **Unknown is an answer.** A request ends as done, refused or unknown; unknown is looked up, never guessed and
//!   never repeated blindly ([`vmm::Failure`]).
//! * **Written before done.** What creates or destroys is in the [`journal`] before the request leaves, and the ids of
//!   the answer are there before anybody waits. The program may be killed at any line and started again.
//! * **One at a time.** One operation of a service runs at once, always; the handler's settings may queue more
//!   ([`queue`]). Waiting is sleeping in a lock, not polling.
//! * **Secrets are a type.** Passwords and tokens are `SecretString`; they reach the network, the environment of
//!   `mgrctl` and, for the login link, standard output, and nothing else. What others repeat of them is masked ([`mask`]).
//!   A handler's stored password is sent only to where it was entered for (`service::platform::password`).
//! * **Standard output is the answer.** One XML document or nothing; every error and every panic becomes a document and
//!   exit status 1.
//!
//! # What is known of the platforms
//!
//! `src/panel/PROTOCOL.md` and `src/vmm/API.md` hold the facts that the code rests on, each with its source and how
//! certain it is, and the open questions with what the module does meanwhile. The documentation of [`panel`] and
//! [`vmm`] includes them, comments cite them by number: `[protocol 3.30]`, `[api 6, row 33]`.
//!
//! # Who may be hostile
//!
//! Neither the world nor its people can be relied on to be simple:
//!
//! * **More than one VMmanager** serves one BILLmanager: ids of accounts, VMs and tasks mean nothing outside of their platform.
//!   A handler's address is changed, services move from handler to handler, and an administrator's account that has
//!   lost its rights sees empty lists with status 200.
//! * **Services change hands**: they are copied to another client under a new id, staff changes an item's account, a
//!   restored database gives ids again.
//! * **Clients write**: order fields, e-mail and name in BILLmanager; name, comment, domain and a script's output in
//!   VMmanager. A client knows what our mark looks like and can copy it. What he can write proves nothing against what
//!   we recorded ourselves, and it reaches terminals, logs, argument lists and documents.
//! * **Clients change their e-mail**, perhaps to one that is free in BILLmanager and known in VMmanager.
//! * **Staff with few rights** may edit a handler but not know its password.
//! * **Local users** of the billing server see `/tmp`, `/run`, `/proc/PID/cmdline`, and directories into which a job of
//!   root writes.
//! * **A VMmanager that is broken or taken over** sends endless lists, gigantic or senseless documents, odd characters.
//!
//! # The map
//!
//! ```text
//! main → run → cli → admin → command → service → vmm, panel, journal, queue, settings → state → lock
//! ```
//!
//! | module | job |
//! |---|---|
//! | `run` | one run: arguments → exit status; every error and panic ends here |
//! | [`cli`] | arguments → plain data; the only module that knows clap |
//! | [`command`] | the table of panel commands, one file each: read input, call a use-case, answer |
//! | [`admin`] | operator commands, one file or folder each: call a use-case, show a page or JSON |
//! | [`service`] | the use-cases, in folders by what they are about |
//! | [`panel`] | BILLmanager: database, decryption, units, `mgrctl`, the failure protocol |
//! | [`vmm`] | VMmanager 6: HTTP, TLS, session, filters, models, tasks |
//! | [`queue`] | tickets: who may work now |
//! | [`settings`] | the table of the handler's settings; what a handler has stored, parsed |
//! | [`journal`] | what we asked VMmanager to do, which counters and speeds the statistics remember, where passwords were accepted, what platforms have proved |
//! | [`metrics`] | counters of all runs together, filled from [`recorder`] at the end of each |
//! | [`state`], [`lock`] | private directories, database files, file locks |
//! | [`dry_run`] | the plan of an operation that is run for its plan: what would be sent |
//! | [`wire`] | XML in and out |
//! | [`config`] | where things are, how long we wait; the only reader of the environment |
//! | [`id`], [`direction`] | ids with types: services, handlers, VMs, …; values per direction of traffic |
//! | [`error`], [`log`], [`progress`] | what people get to see: the one error, the log, a line on the terminal |
//! | [`text`] | foreign text as it may be shown: one line, no control characters, not too long |
//! | [`mask`] | the secrets of this run, masked in every text that leaves it |
//! | [`ownership`], [`core_dump`] | who can put another file in the place of one of ours; nobody reads our memory |
//! | [`recorder`], [`fault`], [`digest`], [`seal`] | what this run counts, where a test may kill it, SHA-256, secrets at rest |
//!
//! `panel`, `vmm`, `queue`, `journal` and `settings` never import each other; a test (`tests/it/layout.rs`) fails on a new arrow.
//!
//! In [`service`] a use-case of one service takes a [`service::job::Job`] and is in [`service::vm`]; one of a whole handler
//! takes a [`service::handler::HandlerJob`] and is in [`service::handler`] or [`service::audit`].
//!
//! # Where a new thing goes
//!
//! | a new … | goes into |
//! |---|---|
//! | panel command | a file in `command/`, a line in [`command::TABLE`] |
//! | operator command | a file in `admin/` with its `Options` and `run`, a variant and a line in `cli/operator.rs` |
//! | request to VMmanager | a method in `vmm/requests.rs`, its fields in `vmm/body.rs` (sent), `vmm/host.rs` and `vmm/model.rs` (read), its effect in `vmm/dry_run/`, its path in `admin/verify/answers.rs` |
//! | query or call of BILLmanager | the file of `panel/` that has its neighbours; a call's reason in `panel/dry_run.rs` |
//! | setting of the handler | a row in `settings/table.rs`, its field or name in the plugin XML, a row in the README |
//! | error type | a line in [`error::Kind`], its text in the plugin XML |
//! | counter | a line in [`recorder::Metric`] |
//! | line at which a crash matters | [`fault::point`] with a new name |
//!
//! # Left out on purpose
//!
//! A daemon, asynchronous code: the process lives for one operation, in one thread (the daily statistics read several
//! VMs at a time). Writing to BILLmanager's tables, `itemstat` aside: the panel owns its data. Blocking VMmanager
//! accounts: it would stop a client's other VMs. Reinstalling an OS as a side effect of anything.

mod admin;
mod backoff;
mod certificate;
pub mod cli;
mod command;
pub mod config;
mod core_dump;
pub mod digest;
mod direction;
mod dry_run;
pub mod error;
pub mod fault;
pub mod id;
pub mod journal;
pub mod lock;
pub mod log;
pub mod mask;
pub mod metrics;
mod ownership;
pub mod panel;
mod progress;
pub mod queue;
mod recorder;
mod run;
mod seal;
pub mod service;
pub mod settings;
mod state;
pub mod text;
pub mod vmm;
pub mod wire;

pub use run::run;
