//! What a live VMmanager has shown of itself. It holds for that platform alone; what nobody has proved is not there.

use super::Journal;
use crate::error::Result;
use crate::id::PlatformId;

/// Something that the module relies on only where it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// There are backup schedules, and their VMs alone can be changed [api B15].
    BackupSchedules,
    /// The counters of traffic begin anew with each calendar month [api B6].
    CalendarMonth,
    /// `interfaces` is a field of the request that makes a VM [api B10].
    Interfaces,
    /// Limits and modes are fields of the request that makes a VM [api B14].
    TuningAtCreation,
    /// The same of the request that changes one.
    TuningAtChange,
    /// `ssh_keys`, ids of keys of the owner's account, is a field of the request that makes a VM [api B11].
    SshKeysAtCreation,
    /// The same of the request that installs one again.
    SshKeysAtReinstall,
}

impl Proof {
    /// The word in the database and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Proof::BackupSchedules => "backup_schedules",
            Proof::CalendarMonth => "calendar_month",
            Proof::Interfaces => "interfaces",
            Proof::TuningAtCreation => "tuning_at_creation",
            Proof::TuningAtChange => "tuning_at_change",
            Proof::SshKeysAtCreation => "ssh_keys_at_creation",
            Proof::SshKeysAtReinstall => "ssh_keys_at_reinstall",
        }
    }
}

impl Journal {
    /// Whether a platform has shown it.
    pub fn has_proved(&self, platform: PlatformId, proof: Proof) -> Result<bool> {
        let sql = "SELECT 1 FROM platform_proof WHERE platform = ?1 AND proof = ?2";
        Ok(self.first(sql, &[&platform, &proof.name()], |_| Ok(()))?.is_some())
    }

    /// A platform has shown it, or that it is otherwise.
    pub fn note_proof(&self, platform: PlatformId, proof: Proof, holds: bool) -> Result<()> {
        let name = proof.name();
        if !holds {
            let sql = "DELETE FROM platform_proof WHERE platform = ?1 AND proof = ?2";
            return self.update(sql, rusqlite::params![platform, name]);
        }
        let sql = "INSERT INTO platform_proof (platform, proof, proved) VALUES (?1, ?2, ?3)
                   ON CONFLICT (platform, proof) DO UPDATE SET proved = excluded.proved";
        self.update(sql, rusqlite::params![platform, name, super::now()])
    }
}
