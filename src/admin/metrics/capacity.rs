//! How many more VMs of each tariff fit, at each handler.

use super::exposition::{Number, Page, label};
use crate::config::Config;
use crate::error::Result;
use crate::service::handler::tariff_fits::{self, TariffFit};
use crate::service::platform::capacity::Answer;

/// Writes the series of every handler that could be asked; the first error of those that could not.
pub(super) fn series(config: &Config, page: &mut Page) -> Result<()> {
    let (mut known, mut asked) = (Vec::new(), Ok(()));
    for (handler, tariffs) in tariff_fits::of_active(config)? {
        match tariffs {
            Ok(tariffs) => known.extend(tariffs.into_iter().filter_map(|it| Some((handler, number(&it)?, it)))),
            Err(error) => asked = asked.and(Err(error)),
        }
    }
    let series = known.into_iter().map(|(handler, number, it)| {
        let labels = [("handler", handler.to_string()), ("tariff", it.tariff.to_string()), ("name", it.name)];
        (labels.into_iter().flat_map(|(name, value)| label(name, &value)).collect(), number)
    });
    let help = "VMs of a tariff that still fit at a handler, as far as VMmanager tells.";
    page.gauge("pmvmmanager6_capacity_vms", help, series);
    asked
}

/// Nothing when nobody knows.
fn number(counted: &TariffFit) -> Option<Number> {
    match counted.fit.as_ref().ok()?.answer() {
        Answer::Number(number) => Some(Number::Whole(i64::try_from(number).unwrap_or(i64::MAX))),
        Answer::None => Some(Number::Whole(0)),
        Answer::Unknown => None,
    }
}
