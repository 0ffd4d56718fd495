//! What differs between an order and a VM, in words.

use crate::service::order::Sizes;
use crate::vmm::{Fields, Host, bare};

/// The sizes that differ, as they are and as they should be.
pub(super) fn differences(wanted: &Sizes, host: &Host) -> (String, String) {
    let disk = host.disk.as_ref();
    let speed = host.speeds();
    let sizes = [
        ("cores", "", wanted.cpu_number, host.cpu_number, host.cpu_number_new),
        ("memory", " MiB", wanted.ram_mib, host.ram_mib, host.ram_mib_new),
        ("disk", " MiB", wanted.hdd_mib, disk.and_then(|disk| disk.size_mib), disk.and_then(|disk| disk.size_mib_new)),
        ("in", " Mbit/s", wanted.net_in_mbitps, speed.incoming, None),
        ("out", " Mbit/s", wanted.net_out_mbitps, speed.outgoing, None),
    ];
    let (mut is, mut should) = (Vec::new(), Vec::new());
    for (name, unit, wanted, has, waits) in sizes {
        let waits = waits.filter(|size| *size > 0 && Some(*size) != has);
        let Some(size) = wanted.filter(|_| wanted != has || waits.is_some()) else { continue };
        let later = waits.map_or_else(String::new, |waits| format!(", {waits}{unit} at the next stop"));
        is.push(format!("{name} {}{unit}{later}", has.unwrap_or_default()));
        should.push(format!("{name} {size}{unit}"));
    }
    let differing = host.untuned(&wanted.tuning);
    if !differing.is_empty() {
        let fields: Vec<&str> = differing.keys().copied().collect();
        let (has, ordered) = tuning(&fields, &wanted.tuning, host);
        is.push(has);
        should.push(ordered);
    }
    (is.join(", "), should.join(", "))
}

/// Limits and modes as they are and as they should be.
pub(super) fn tuning(fields: &[&str], wanted: &Fields, host: &Host) -> (String, String) {
    let has = |field: &&str| format!("{field} {}", host.tuned(field).map_or_else(|| "unknown".to_owned(), bare));
    let ordered = |field: &&str| Some(format!("{field} {}", bare(wanted.get(*field)?)));
    (
        fields.iter().map(has).collect::<Vec<_>>().join(", "),
        fields.iter().filter_map(ordered).collect::<Vec<_>>().join(", "),
    )
}
