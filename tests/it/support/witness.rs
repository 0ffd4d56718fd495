//! What really belongs to whom, whatever names, comments, e-mails and numbers say: a witness sees every run and notes whose
//! VMs and accounts come of it. One operation runs at a time, so what is new after a run is its service's.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::vmm::VmManager;

use super::world::TestWorld;

/// An object of one of several platforms: which, and its id.
pub(crate) type Id = (usize, u64);

/// Whose run it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doer<'a> {
    /// The service.
    pub(crate) item: u64,
    /// Its client.
    pub(crate) client: u64,
    /// The number of the VMmanager that the service lives on.
    pub(crate) platform: usize,
    /// The command.
    pub(crate) command: &'a str,
}

/// Owners by what was seen.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// The service that pays for each VM.
    pub(crate) vms: BTreeMap<Id, u64>,
    /// The client of each account.
    pub(crate) accounts: BTreeMap<Id, u64>,
    /// VMs and accounts of people whom BILLmanager does not know.
    strangers: BTreeSet<Id>,
}

impl Witness {
    /// Everything that is there now belongs to strangers.
    pub(crate) fn start(world: &TestWorld) -> Self {
        let mut witness = Self::default();
        for (number, (vmm, _)) in world.platforms().enumerate() {
            vmm.look(|platform| {
                let ids = platform.hosts.keys().chain(platform.accounts.keys());
                witness.strangers.extend(ids.map(|id| (number, *id)));
            });
        }
        witness
    }

    /// The VMs of a service.
    pub(crate) fn vms_of(&self, item: u64) -> Vec<Id> {
        self.vms.iter().filter(|(_, owner)| **owner == item).map(|(id, _)| *id).collect()
    }

    /// The account of a client on a platform.
    pub(crate) fn account_of(&self, platform: usize, client: u64) -> Option<u64> {
        self.accounts.iter().find(|((at, _), owner)| *at == platform && **owner == client).map(|((_, id), _)| *id)
    }

    /// Judges what a run has asked for and what has come of it, and forgets its requests.
    pub(crate) fn judge(&mut self, world: &TestWorld, doer: Doer) -> Result<(), String> {
        for (number, (vmm, _)) in world.platforms().enumerate() {
            let (hosts, accounts): (BTreeSet<u64>, BTreeSet<u64>) =
                vmm.look(|p| (p.hosts.keys().copied().collect(), p.accounts.keys().copied().collect()));
            self.note_new(number, doer, &hosts, &accounts)?;
            self.judge_requests(number, vmm, doer)?;
            self.note_gone(number, doer, &hosts)?;
        }
        // Tokens and arguments are kept for the search for secrets.
        world.forget();
        match self.vms_of(doer.item).len() {
            0 | 1 => Ok(()),
            count => Err(format!("service {} has {count} VMs: {:?}", doer.item, self.vms_of(doer.item))),
        }
    }

    fn note_new(
        &mut self,
        number: usize,
        doer: Doer,
        hosts: &BTreeSet<u64>,
        accounts: &BTreeSet<u64>,
    ) -> Result<(), String> {
        for id in hosts.iter().map(|id| (number, *id)).filter(|id| !self.strangers.contains(id)) {
            if self.vms.contains_key(&id) {
                continue;
            }
            if doer.command != "open" || number != doer.platform {
                return Err(format!("{doer:?} has made VM {id:?}"));
            }
            self.vms.insert(id, doer.item);
        }
        for id in accounts.iter().map(|id| (number, *id)).filter(|id| !self.strangers.contains(id)) {
            self.accounts.entry(id).or_insert(doer.client);
        }
        Ok(())
    }

    /// Nothing is deleted but by its own service's close.
    fn note_gone(&mut self, number: usize, doer: Doer, hosts: &BTreeSet<u64>) -> Result<(), String> {
        let gone: Vec<Id> = self.vms.keys().filter(|(at, id)| *at == number && !hosts.contains(id)).copied().collect();
        for id in gone {
            let owner = self.vms.remove(&id);
            if owner != Some(doer.item) || doer.command != "close" {
                return Err(format!("{doer:?} has removed VM {id:?} of service {owner:?}"));
            }
        }
        Ok(())
    }

    /// A VM is changed only for its service, and a login link leads only to the client's own account.
    fn judge_requests(&self, number: usize, vmm: &VmManager, doer: Doer) -> Result<(), String> {
        for request in vmm.requests().into_iter().filter(|request| request.method != "GET") {
            let parts: Vec<&str> = request.path.split('/').collect();
            let id = |at: usize| parts.get(at).and_then(|id| id.parse().ok()).map(|id| (number, id));
            let wrong = match parts.as_slice() {
                ["", "vm", "v3", "host", _, ..] => id(4).is_some_and(|id| self.vms.get(&id) != Some(&doer.item)),
                ["", "vm", "v3", "disk", _, ..] => {
                    let host = id(4).and_then(|(_, disk)| vmm.look(|p| p.disks.get(&disk).map(|disk| disk.host)));
                    host.is_some_and(|host| self.vms.get(&(number, host)) != Some(&doer.item))
                }
                ["", "auth", "v4", "user", _, ..] => {
                    id(4).is_some_and(|id| self.accounts.get(&id) != Some(&doer.client))
                }
                _ => false,
            };
            if wrong {
                return Err(format!("{doer:?} reaches {} {} on {number}", request.method, request.path));
            }
        }
        Ok(())
    }
}
