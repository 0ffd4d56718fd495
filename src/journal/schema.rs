//! The tables of the journal, by the steps in which releases have made them. A step that was released never changes.

use crate::state::{Damaged, Schema};

pub(super) static SCHEMA: Schema = Schema {
    file: "journal.db",
    application_id: 0x706d_766a,
    migrations: &["CREATE TABLE service (
        item INTEGER PRIMARY KEY, client INTEGER NOT NULL, phase TEXT NOT NULL, mark TEXT NOT NULL, hash TEXT NOT NULL,
        account INTEGER, vm INTEGER, vm_created TEXT NOT NULL DEFAULT '', task INTEGER, task_name TEXT,
        restart_operation INTEGER, restart_after INTEGER, restart_task INTEGER,
        stopped_again INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL, ended INTEGER);
     CREATE INDEX service_client ON service (client);
     CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);",
     "CREATE TABLE meter (
        item INTEGER PRIMARY KEY, month TEXT NOT NULL, vm INTEGER NOT NULL, base_in INTEGER NOT NULL, base_out INTEGER NOT NULL,
        last_in INTEGER NOT NULL, last_out INTEGER NOT NULL);
      CREATE TABLE speed_cap (
        item INTEGER PRIMARY KEY, vm INTEGER NOT NULL, cap_in INTEGER, cap_out INTEGER, before_in INTEGER NOT NULL,
        before_out INTEGER NOT NULL, settled INTEGER NOT NULL);",
     "CREATE TABLE platform (id INTEGER PRIMARY KEY AUTOINCREMENT, met INTEGER NOT NULL);
      CREATE TABLE platform_address (address TEXT PRIMARY KEY, platform INTEGER NOT NULL, seen INTEGER NOT NULL);
      CREATE TABLE platform_cluster (
        platform INTEGER NOT NULL, cluster INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (platform, cluster));
      CREATE TABLE account (
        platform INTEGER NOT NULL, account INTEGER NOT NULL, client INTEGER NOT NULL, item INTEGER,
        changed INTEGER NOT NULL, PRIMARY KEY (platform, account));
      CREATE INDEX account_client ON account (client);
      ALTER TABLE service ADD COLUMN platform INTEGER;
      ALTER TABLE meter ADD COLUMN platform INTEGER;
      ALTER TABLE speed_cap ADD COLUMN platform INTEGER;
      CREATE INDEX service_platform ON service (platform, changed);",
     "CREATE TABLE password (
        entry TEXT PRIMARY KEY, place TEXT NOT NULL, address TEXT NOT NULL, username TEXT NOT NULL,
        accepted INTEGER NOT NULL);
      CREATE INDEX service_vm ON service (vm);",
     "ALTER TABLE service ADD COLUMN tariffs TEXT;
      ALTER TABLE service ADD COLUMN before_change TEXT;
      ALTER TABLE service ADD COLUMN sold TEXT NOT NULL DEFAULT '';
      ALTER TABLE service ADD COLUMN reverse_names TEXT NOT NULL DEFAULT '';
      ALTER TABLE meter RENAME COLUMN base_in TO used_in;
      ALTER TABLE meter RENAME COLUMN base_out TO used_out;
      UPDATE meter SET used_in = used_in + last_in, used_out = used_out + last_out;
      ALTER TABLE meter ADD COLUMN day_in TEXT;
      ALTER TABLE meter ADD COLUMN day_out TEXT;
      ALTER TABLE meter ADD COLUMN before_in INTEGER;
      ALTER TABLE meter ADD COLUMN before_out INTEGER;
      ALTER TABLE meter ADD COLUMN after_in INTEGER;
      ALTER TABLE meter ADD COLUMN after_out INTEGER;
      CREATE TABLE platform_proof (
        platform INTEGER NOT NULL, proof TEXT NOT NULL, proved INTEGER NOT NULL, PRIMARY KEY (platform, proof));",
     "CREATE TABLE schedule_entry (item INTEGER NOT NULL, platform INTEGER NOT NULL, schedule INTEGER NOT NULL,
        name TEXT NOT NULL, vm INTEGER NOT NULL, PRIMARY KEY (item, platform, schedule, vm));",
     "CREATE TABLE reported_addon (
        tariff INTEGER NOT NULL, addon TEXT NOT NULL, reported INTEGER NOT NULL, PRIMARY KEY (tariff, addon));"],
    page_bytes: 4096,
    durable: true,
    damaged: Damaged::Refuse,
};
