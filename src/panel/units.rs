//! Units of BILLmanager (table `measure`) and their conversion [protocol 5.7].
//!
//! One unit is `relation` times its smaller unit. Values are converted exactly and rounded up: a client never gets
//! less than was ordered.

use std::collections::HashMap;

use super::database::Row;
use crate::error::{Error, Kind, Result};

const MAX_STEPS: usize = 50;

struct Measure {
    id: u64,
    relation: u128,
    smaller: Option<u64>,
}

/// The table of units.
#[derive(Default)]
pub struct Units {
    by_name: HashMap<String, Measure>,
}

impl Units {
    /// Builds the table from rows of `id, intname, relation, lessmeasure`.
    pub fn from_rows(rows: &[Row]) -> Self {
        let measure = |row: &Row| {
            let relation = row.number(2).and_then(|n| u128::try_from(n).ok()).unwrap_or(0);
            Some((row.text(1).to_lowercase(), Measure { id: row.id(0)?, relation, smaller: row.id(3) }))
        };
        Units { by_name: rows.iter().filter_map(measure).collect() }
    }

    /// Converts `value` of unit `from` into unit `to` (names compared without case); `what` names the value in errors.
    pub fn convert(&self, what: &str, value: u64, from: &str, to: &str) -> Result<u64> {
        let (from, to) = (from.to_lowercase(), to.to_lowercase());
        if from == to {
            return Ok(value);
        }
        let converted = if let Some(factor) = self.factor(&from, &to) {
            Some(u128::from(value) * factor)
        } else {
            self.factor(&to, &from).map(|factor| u128::from(value).div_ceil(factor))
        };
        let converted = converted.ok_or_else(|| {
            let text =
                format!("{value} {from} cannot be converted to {to}: BILLmanager's table of units does not join them");
            Error::new(Kind::BadParam, what, text)
        })?;
        u64::try_from(converted)
            .map_err(|_| Error::new(Kind::BadParam, what, format!("{value} {from} is impossibly large")))
    }

    /// Id of a unit, for tables that refer to it.
    pub fn id(&self, name: &str) -> Option<u64> {
        self.by_name.get(&name.to_lowercase()).map(|measure| measure.id)
    }

    /// Bytes of one `unit`; nothing when the table does not join it with bytes.
    pub fn bytes(&self, unit: &str) -> Option<u128> {
        self.factor(&unit.to_lowercase(), "byte")
    }

    /// Name of a unit by its id.
    pub fn name(&self, id: u64) -> Option<&str> {
        self.by_name.iter().find(|(_, measure)| measure.id == id).map(|(name, _)| name.as_str())
    }

    /// How many of `to` make one `from`, walking down from `from`.
    fn factor(&self, from: &str, to: &str) -> Option<u128> {
        let goal = self.by_name.get(to)?.id;
        let mut here = self.by_name.get(from)?;
        let mut product: u128 = 1;
        for _ in 0..MAX_STEPS {
            if here.id == goal {
                return Some(product).filter(|&factor| factor > 0);
            }
            product = product.checked_mul(here.relation)?;
            let next = here.smaller?;
            here = self.by_name.values().find(|measure| measure.id == next)?;
        }
        None
    }
}
