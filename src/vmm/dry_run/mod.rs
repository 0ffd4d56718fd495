//! VMmanager in a dry run: reads go out for real, changes go into the plan, and reads after them see their effect.
//!
//! A change that is not predicted here, or whose effect nobody can know, ends the plan. What is made gets a placeholder
//! number, of which VMmanager is never asked; a task is complete as soon as it is accepted.

mod platform;
mod schedule;
mod vm;
