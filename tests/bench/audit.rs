//! `audit` of thousands of services, each with a VM of its own: all of them right, and all of them wrong.

use std::process::Child;
use std::time::{Duration, Instant};

use sandbox::World;

use crate::provider;
use crate::sheet::{Row, Sheet};

const SIZES: [u64; 2] = [2_000, 10_000];
const BUDGET_SECONDS: f64 = 60.0;
const BUDGET_MIB: f64 = 200.0;

pub(crate) fn run(sheet: &mut Sheet) {
    for size in SIZES {
        let world = provider::with(size);
        for (what, status) in [("everything is right", 0), ("every service differs", 1)] {
            if status == 1 {
                world.bill.exec("UPDATE itemparam SET value = 'other' WHERE intname = 'serverid'", &[]);
            }
            let (took, mib) = audit(&world, status);
            let what = format!("{size} services and VMs: audit, {what}");
            sheet.add(Row::new(what.as_str(), took.as_secs_f64(), "s").at_most(BUDGET_SECONDS));
            sheet.add(Row::new(format!("{what}: peak memory"), mib, "MiB").at_most(BUDGET_MIB));
        }
    }
}

/// How long an audit takes, and how much memory at most.
fn audit(world: &World, status: i32) -> (Duration, f64) {
    let started = Instant::now();
    let output = std::fs::File::create(world.bill.root().join("audit.json")).expect("a file");
    let mut child = world.bill.command(&["audit", "--json"]).stdout(output).spawn().expect("the module starts");
    let mut peak = 0.0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("the module ends") {
            break ended;
        }
        peak = peak_mib(&child).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(ended.code(), Some(status), "{}", world.bill.log());
    (started.elapsed(), peak)
}

/// The kernel's own record of the peak.
fn peak_mib(child: &Child) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim_end_matches("kB").trim().parse::<f64>().ok()? / 1024.0)
}
