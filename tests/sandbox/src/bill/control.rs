//! What a test has arranged for the next panel calls: faults, a panel that is down, how this "version" of it behaves.
//!
//! One JSON file, changed only under a file lock, because every `mgrctl` is a process of its own and each takes its
//! share of "the next n calls".

use std::fs::{self, File};
use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::root::Root;

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallFault {
    /// The panel answers an error and does nothing.
    Error {
        /// Exit status of `mgrctl`: 0 or 1 [protocol 5.1].
        exit: u8,
        /// Type of the error.
        kind: String,
    },
    /// The work is done, the answer never arrives: `mgrctl` is killed.
    LoseAnswer,
    /// The work is done and answered after a pause.
    Slow(Duration),
    /// The panel cannot be reached for this call.
    Unreachable,
    /// The work is done, the answer is not XML.
    Garbage,
    /// Nothing is done: `mgrctl` is killed before.
    Die,
    /// Nothing is done; `mgrctl` prints words, whatever they sound like, and ends with this status.
    Words {
        /// On standard output.
        text: String,
        /// Exit status.
        exit: u8,
    },
    /// `mgrctl` never ends, as long as the installation exists.
    Hang {
        /// The work is done before.
        done: bool,
    },
    /// The work is done and answered; a child of `mgrctl` keeps its pipes open as long as the installation exists.
    LeavePipesOpen,
}

/// Which calling forms of `service.saveparam` the panel understands [protocol 3.28].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SaveParam {
    /// Both.
    #[default]
    Both,
    /// Only `name=… value=…`; the other one answers `missed name`.
    FormA,
    /// Only `<param>=<value>`; the other one silently saves parameters called `name` and `value`.
    FormB,
}

/// How this panel behaves where real versions differ or nobody knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// Exit status of `mgrctl` when the panel answered an error.
    pub error_exit: u8,
    /// Forms of `service.saveparam`.
    pub saveparam: SaveParam,
    /// `mgrctl -e` is refused.
    pub no_env_params: bool,
    /// `vds.open` refuses these parameters (as a form of an older panel would).
    pub open_refuses: Vec<String>,
    /// `service.ip.add` refuses every address.
    pub ip_add_refuses: bool,
    /// `task.gettype` answers an empty type.
    pub no_task_type: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Control {
    behaviour: Behaviour,
    down: Down,
    faults: Vec<Planned>,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
enum Down {
    #[default]
    Up,
    For(u32),
    UntilTold,
}

#[derive(Serialize, Deserialize)]
struct Planned {
    function: String,
    fault: CallFault,
    left: u32,
}

/// What a call meets.
pub(super) struct Weather {
    pub behaviour: Behaviour,
    pub fault: Option<CallFault>,
}

/// Takes one call's share. A panel that is down swallows the call before any other fault is used up.
pub(super) fn take(root: &Root, function: &str) -> Result<Weather> {
    change(root, |control| {
        let behaviour = control.behaviour.clone();
        let down = match control.down {
            Down::Up => false,
            Down::UntilTold => true,
            Down::For(left) => {
                control.down = if left > 1 { Down::For(left - 1) } else { Down::Up };
                left > 0
            }
        };
        if down {
            let fault = Some(CallFault::Unreachable);
            return Weather { behaviour, fault };
        }
        let planned = control.faults.iter_mut().find(|it| it.left > 0 && it.function == function);
        let fault = planned.map(|planned| {
            planned.left -= 1;
            planned.fault.clone()
        });
        Weather { behaviour, fault }
    })
}

/// The panel goes down for so many calls, or until it is told to come back.
pub(super) fn down(root: &Root, calls: Option<u32>) -> Result<()> {
    change(root, |control| control.down = calls.map_or(Down::UntilTold, Down::For))
}

/// The panel is up.
pub(super) fn up(root: &Root) -> Result<()> {
    change(root, |control| control.down = Down::Up)
}

/// Plans a fault for the next calls of a function.
pub(super) fn plan(root: &Root, function: &str, fault: CallFault, times: u32) -> Result<()> {
    let function = function.to_owned();
    change(root, |control| {
        control.faults.push(Planned { function, fault, left: times });
    })
}

/// Forgets every planned fault.
pub(super) fn clear(root: &Root) -> Result<()> {
    change(root, |control| control.faults.clear())
}

/// Sets how the panel behaves from now on.
pub(super) fn behave(root: &Root, behaviour: Behaviour) -> Result<()> {
    change(root, |control| control.behaviour = behaviour)
}

fn change<T>(root: &Root, work: impl FnOnce(&mut Control) -> T) -> Result<T> {
    let lock = File::create(root.own("lock"))?;
    lock.lock()?;
    let file = root.own("control.json");
    let mut control: Control = match fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))?,
        Err(error) if error.kind() == ErrorKind::NotFound => Control::default(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let result = work(&mut control);
    fs::write(&file, serde_json::to_vec(&control)?)?;
    Ok(result)
}
