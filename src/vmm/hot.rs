//! What of a VM can change while it runs, as far as that is known before VMmanager is asked [api 4.8, B2]. VMmanager may
//! still refuse what is possible by this, or fail in the task of it.

use super::body::Resources;
use super::host::Host;

/// Memory grows in these steps.
const RAM_STEP_MIB: u64 = 1024;
/// How often it can grow in a VM's life.
const RAM_GROWTHS: u64 = 16;
/// Most cores.
const CORES: u64 = 240;
/// The same under Windows.
const CORES_WINDOWS: u64 = 128;

impl Host {
    /// Why the VM cannot get these values while it runs. Speeds are always worth a try.
    pub fn obstacle(&self, wanted: &Resources) -> Option<&'static str> {
        let Resources { cpu_number: cores, ram_mib: memory, .. } = *wanted;
        let shrinks =
            |wanted: Option<u64>, is: Option<u64>| wanted.is_some_and(|wanted| is.is_none_or(|is| wanted <= is));
        let windows = [&self.os_group, &self.os_name].iter().any(|name| name.to_lowercase().contains("windows"));
        if (cores, memory) == (None, None) {
            None
        } else if !self.hot_plug {
            Some("hot plug is off for this VM")
        } else if shrinks(cores, self.cpu_number) || shrinks(memory, self.ram_mib) {
            Some("while it runs cores and memory only grow")
        } else if cores.is_some_and(|cores| cores > if windows { CORES_WINDOWS } else { CORES }) {
            Some("while it runs cores grow to 240 at most, under Windows to 128")
        } else if memory.is_some_and(|mib| !mib.abs_diff(self.ram_mib.unwrap_or_default()).is_multiple_of(RAM_STEP_MIB))
        {
            Some("while it runs memory grows in steps of 1024 MiB")
        } else if memory.is_some() && self.hot_plug_cell_counter.is_some_and(|times| times >= RAM_GROWTHS) {
            Some("its memory has grown 16 times while it ran, which is the most possible")
        } else {
            None
        }
    }
}
