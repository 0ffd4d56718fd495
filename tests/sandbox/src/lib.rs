//! A world to run the module in: a simulated VMmanager 6 ([`vmm`]) and a stand-in BILLmanager ([`bill`]), together in
//! a [`World`].
//!
//! Both are strict where the real platforms are known to be (`src/panel/PROTOCOL.md`, `src/vmm/API.md`): what the
//! real platforms would refuse is refused here, so that a test can only pass with a request that would work there.
//!
//! # What a world can be
//!
//! | world | how to ask for it |
//! |---|---|
//! | several VMmanagers whose ids collide | [`World::with_platforms`]; [`World::platforms`] lists them with their handlers |
//! | other cluster numbers or names | [`vmm::Setup::clusters`] |
//! | a platform under another address, with its state | [`vmm::VmManager::move_to`] |
//! | another platform at an old address | [`vmm::VmManager::take_over`] |
//! | an administrator who loses his role and sees empty lists | [`vmm::VmManager::demote`]; back with [`vmm::Platform::give_role`] |
//! | no `whoami`, accounts without `roles` | [`vmm::Variant::whoami`], [`vmm::Platform::hide_roles`], [`vmm::Account::shows_roles`] |
//! | a client who writes into his VM | [`vmm::VmManager::client_edits`] with a [`vmm::ClientEdit`] |
//! | something that happens between two requests | [`vmm::VmManager::before`], [`vmm::VmManager::after`] |
//! | comments that are limited, cut or refused | [`vmm::Variant::comments`] |
//! | lists with a cap, short pages, another `size`; filters by cluster; filters by name that do nothing or are refused | [`vmm::Platform::lists`] |
//! | elements that move between two pages | [`vmm::VmManager::after`] `("GET", "/vm/v3/host", 1, …)` |
//! | recipes that ask for parameters: required, optional, secret, one of a choice | recipes 5 and 8 of every world; [`vmm::Recipe::params`] |
//! | parameters that an order asks for, in clear or encrypted | [`bill::Bill::add_order_param`] |
//! | an account with SSH keys | [`vmm::Account::ssh_keys`] |
//! | platforms that put SSH keys into a new VM, into every VM that is installed, or nowhere | [`vmm::Variant::ssh_keys`] |
//! | snapshots, which forbid other sizes and addresses | [`vmm::Host::snapshot_count`] |
//! | requests that know all limits and modes, some or none, and describe them; VMs shown without them | [`vmm::Variant::tuning_at_creation`], [`vmm::Variant::tuning_at_change`], [`vmm::Variant::shows_tuning`] |
//! | a hot change that fails in its task | [`vmm::Variant::hot_limits_in_task`] |
//! | nodes with other room, full, in maintenance, closed, or that sell more than they have | [`vmm::Platform::nodes`] |
//! | nodes and pools that tell less of how full they are, or in other words | [`vmm::Variant::figures`] |
//! | lists that do not begin with a VM's main address | [`vmm::Variant::main_address_last`] |
//! | an address that somebody gave a VM by hand, also on a further interface | [`vmm::Platform::add_address`] |
//! | a creation that fails and leaves a VM | [`vmm::Action::FailInState`] |
//! | a new VM that is listed or found late | [`vmm::Timing::vm_listed_after`], [`vmm::Timing::vm_found_after`], [`vmm::Action::Lag`] |
//! | error documents under 400 and 500 | [`vmm::Action::Error`], [`vmm::Action::ErrorAfterWork`] |
//! | an answer that is lost, late, cut or damaged, a task that fails or vanishes | [`vmm::Fault::on`] with a [`vmm::Action`] |
//! | a broken or hostile VMmanager: every answer is of one kind | [`vmm::Fault::hostile`] with a [`vmm::Hostile`]; one answer with [`vmm::Action::Hostile`] |
//! | answers of a test's own making | [`vmm::Fault::rewriting`] with a [`vmm::Rewrite`] |
//! | letters that a terminal obeys or that nobody sees | [`vmm::ODD`] |
//! | a VM with fields that nobody has foreseen | [`vmm::Host::unforeseen`] |
//! | other shapes of a VM's history | [`vmm::Variant::history`] |
//! | backup schedules that are changed as a whole, in a task, with a loss, or not there | [`vmm::Variant::schedules`], [`vmm::Variant::schedule_tasks`] |
//! | a schedule that somebody changes meanwhile | [`vmm::Platform::schedules`] with [`vmm::VmManager::before`], [`vmm::VmManager::after`] |
//! | the description of the API in another place | [`vmm::Variant::description`] |
//! | a platform that knows only one way to ask for two interfaces | [`vmm::Variant::interfaces`] |
//! | counters of traffic by the clock: a calendar month, a window that moves, a lost counter | [`vmm::Traffic`] with a [`vmm::Month`], in [`vmm::Platform::traffic`] |
//! | a service handed to another client as a copy | [`bill::Bill::transfer`] |
//! | a service whose account or handler is changed | [`bill::Bill::give_to`], [`bill::Bill::move_service`] |
//! | the wizard and a handler's form, as the panel draws them from the plugin XML | [`bill::Bill::wizard`], [`bill::Bill::open_handler`] with a [`bill::Style`] |
//! | a handler with another address or password | [`bill::Bill::set_handler_url`], [`bill::Bill::set_handler_password`] |
//! | the same past the form, by somebody who does not know the password | [`bill::Bill::slip_into_handler`] |
//! | a server that shows a certificate without having its key | [`vmm::Certificate::Stolen`] |
//! | a call of BILLmanager that fails, hangs, loses its answer or ends in other words | [`bill::Bill::fail_call`] with a [`bill::CallFault`] |
//! | a BILLmanager that restarts | [`bill::Bill::panel_down`], [`bill::Bill::panel_up`] |
//! | a BILLmanager that takes calls only in some forms | [`bill::Bill::behave`] with a [`bill::Behaviour`] |
//! | configuration files that leave options of the database out | [`bill::Bill::hide_options`] |
//! | a MariaDB, another key of the panel, a second installation | [`bill::Setup::database`], [`bill::Setup::key`], [`bill::Setup::installation`] |
//! | a copied installation | [`bill::Bill::do_nothing`] |
//! | a restored database that gives ids again | [`bill::Bill::reissue`], [`bill::Bill::forget_item`] |
//! | a client with another e-mail | [`bill::Bill::set_email`] |
//! | a resold service | [`bill::Order::resold`] |
//! | services of the vendor's module | [`bill::Handler::vendor`], [`bill::Bill::add_active`] |
//!
//! Settings of [`vmm::Platform`] (`lists`, `variant`, `timing`, every object) are changed with
//! [`vmm::VmManager::change`], at any moment.

pub mod bill;
mod binary;
pub mod vmm;
mod world;
pub mod xml;

pub use binary::binary;
pub use world::{Site, Tariffs, Unconnected, World};
