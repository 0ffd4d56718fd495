//! Traffic statistics (table `itemstat`, the only table that the module writes) [protocol 3.19, 5.8].
//!
//! A row holds the traffic of one service, day and direction. It is always written whole, and one that is there gets the new
//! value: adding, as ISPsystem's library does by default, would count a second run of the same day twice, and `REPLACE` would
//! give the row another number [protocol A15].

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::connection::Panel;
use super::database::{Param, Row};
use super::named_vm::named_vm;
use super::value::Value;
use crate::error::Result;
use crate::id::{HandlerId, ServiceId, TariffId, VmId};

/// Amounts are written with four digits after the point.
pub(crate) const FRACTION: u64 = 10_000;

const MYSQL_UPSERT: &str = "ON DUPLICATE KEY UPDATE value = VALUES(value), measure = VALUES(measure)";
const SQLITE_UPSERT: &str =
    "ON CONFLICT (item, statdate, param) DO UPDATE SET value = excluded.value, measure = excluded.measure";

/// A service whose traffic is counted.
#[derive(Clone, Debug)]
pub struct Metered {
    /// `item.id`.
    pub item: ServiceId,
    pub tariff: TariffId,
    /// Day since which it is open.
    pub since: Option<Date>,
    /// Its VM as BILLmanager names it.
    pub vm: Option<VmId>,
}

/// What is recorded of a service and direction for a part of a month.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Amounts by unit (`measure.id`), in ten-thousandths of it.
    pub amounts: BTreeMap<u64, u64>,
    /// The last day with a row.
    pub last: Option<Date>,
}

/// A row to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// `item.id`.
    pub item: ServiceId,
    pub day: Date,
    /// `in` or `out`.
    pub param: &'static str,
    /// Amount in ten-thousandths of the unit.
    pub amount: u64,
    /// `measure.id`.
    pub unit: u64,
}

impl Panel {
    /// The active and suspended services of a handler.
    pub fn metered(&self, handler: HandlerId) -> Result<Vec<Metered>> {
        let sql = "SELECT i.id, i.pricelist, i.opendate, i.createdate, p.value FROM item i \
                   LEFT JOIN itemparam p ON p.item = i.id AND p.intname = 'panelid' WHERE i.processingmodule = ? \
                   AND (i.parent IS NULL OR i.parent = 0) AND i.status IN (2, 3) AND i.pricelist IS NOT NULL ORDER BY i.id";
        let rows = self.rows(sql, &[Param::Id(handler.get())])?;
        let metered = |row: &Row| {
            let day = |column: usize| day(row.text(column));
            Some(Metered {
                item: row.id(0)?,
                tariff: row.id(1)?,
                since: day(2).or_else(|| day(3)),
                vm: named_vm(row.text(4)).ok().flatten(),
            })
        };
        Ok(rows.iter().filter_map(metered).collect())
    }

    /// What is recorded of the services of a handler from a day on and before another, by service and direction.
    pub fn recorded(
        &self,
        handler: HandlerId,
        from: Date,
        before: Date,
    ) -> Result<BTreeMap<(ServiceId, String), Recorded>> {
        let sql = "SELECT s.item, s.param, s.measure, SUM(s.value), MAX(s.statdate) FROM itemstat s \
                   JOIN item i ON s.item = i.id WHERE i.processingmodule = ? AND s.statdate >= ? AND s.statdate < ? \
                   AND s.param IN ('in', 'out') GROUP BY s.item, s.param, s.measure";
        let (from, before) = (from.to_string(), before.to_string());
        let mut found: BTreeMap<(ServiceId, String), Recorded> = BTreeMap::new();
        for row in self.rows(sql, &[Param::Id(handler.get()), Param::Text(&from), Param::Text(&before)])? {
            let key = (row.id(0).unwrap_or_default(), row.text(1).to_owned());
            let recorded = found.entry(key).or_default();
            *recorded.amounts.entry(row.id(2).unwrap_or_default()).or_default() += amount(row.text(3));
            recorded.last = recorded.last.max(day(row.text(4)));
        }
        Ok(found)
    }

    /// Writes rows; those that are there get the new value.
    pub fn record_traffic(&self, readings: &[Reading]) -> Result<()> {
        /// Rows of one statement.
        const TOGETHER: usize = 100;
        let upsert = if self.options()?.sqlite { SQLITE_UPSERT } else { MYSQL_UPSERT };
        for part in readings.chunks(TOGETHER) {
            let texts: Vec<(String, String)> =
                part.iter().map(|reading| (reading.day.to_string(), decimal(reading.amount))).collect();
            let mut params = Vec::with_capacity(part.len() * 5);
            for (reading, (day, value)) in part.iter().zip(&texts) {
                params.extend([Param::Id(reading.item.get()), Param::Text(day), Param::Text(reading.param)]);
                params.extend([Param::Text(value), Param::Id(reading.unit)]);
            }
            let places = vec!["(?, ?, ?, ?, ?)"; part.len()].join(", ");
            let sql = format!("INSERT INTO itemstat (item, statdate, param, value, measure) VALUES {places} {upsert}");
            self.rows(&sql, &params)?;
        }
        Ok(())
    }

    /// The statistics of a handler are complete up to this day.
    pub fn post_statistics(&self, handler: HandlerId, day: Date) -> Result<()> {
        let (handler, day) = (handler.to_string(), day.to_string());
        let params = [("elid", Value::Plain(&handler)), ("date", Value::Plain(&day))];
        self.call("service.poststat", &params).map(drop)
    }
}

/// A date, or the date of a time.
fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

fn decimal(amount: u64) -> String {
    format!("{}.{:04}", amount / FRACTION, amount % FRACTION)
}

/// Ten-thousandths of a sum, which may come as `12.5000`, `12`, `1.5e3` or with noise in its last digits.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "amounts are small"
)]
fn amount(text: &str) -> u64 {
    text.trim().parse::<f64>().map_or(0, |number| (number * FRACTION as f64).round().max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_survive_the_table() {
        for number in [0, 1, 9_999, 10_000, 123_456_789, 1 << 50] {
            assert_eq!(amount(&decimal(number)), number);
        }
        assert_eq!(decimal(15_000), "1.5000");
        assert_eq!(amount("0.30000000000000004"), 3_000);
        assert_eq!([amount(""), amount("-1"), amount("x")], [0, 0, 0]);
    }
}
