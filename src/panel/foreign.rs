//! What belongs to another module is refused.

use crate::config::MODULE;
use crate::error::{Error, Kind, Result};

/// The service or handler must be ours [protocol 5.3].
pub(crate) fn refuse_foreign(module: &str, what: &str) -> Result<()> {
    if module == MODULE {
        return Ok(());
    }
    let whose = if module.is_empty() { "no processing module".to_owned() } else { format!("the module {module}") };
    Err(Error::new(Kind::UnsupportedModule, module, format!("{what} belongs to {whose}, not to {MODULE}")))
}
