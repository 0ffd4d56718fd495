//! The one reader of the parameter `panelid`, in which BILLmanager keeps the id of a service's VM.

use super::Service;
use crate::id::VmId;

/// The VM that a value of `panelid` names, none when it is empty or 0. The error is the value that is no id.
pub(super) fn named_vm(value: &str) -> Result<Option<VmId>, &str> {
    match value.trim() {
        "" => Ok(None),
        text => text.parse().map(|id: u64| Some(VmId::from(id)).filter(|id| id.is_known())).map_err(|_| value),
    }
}

impl Service {
    /// The VM that BILLmanager names for the service; the error is the value of `panelid` that is no id.
    pub fn named_vm(&self) -> Result<Option<VmId>, &str> {
        named_vm(self.param("panelid").unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vm_is_named_by_a_number_above_zero() {
        assert_eq!(named_vm(" 215 "), Ok(Some(VmId::from(215))));
        assert_eq!([named_vm(""), named_vm(" "), named_vm("0")], [Ok(None); 3]);
        for value in ["x", "-1", "2.0", "18446744073709551616"] {
            assert_eq!(named_vm(value), Err(value));
        }
    }
}
