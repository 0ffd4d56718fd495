//! The integration tests: the real binary in a sandbox, judged from the outside, one file a topic.

mod support;

mod bad_input;
mod check_connection;
mod failure_protocol;
mod features;
mod kill;
mod layout;
mod main_job;
mod misfortune;
mod parallel;
mod readme;
mod secrets;
mod xml_files;
