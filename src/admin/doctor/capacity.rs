//! How many more VMs of each tariff fit: a warning before clients meet a full cluster.

use crate::admin::finding::Finding;
use crate::error::Result;
use crate::id::HandlerId;
use crate::panel::Panel;
use crate::service::handler::tariff_fits::{self, TariffFit};
use crate::service::platform::capacity::Answer;
use crate::settings::HandlerSettings;
use crate::vmm::Client;

/// What the check is called.
pub(super) const CHECK: &str = "capacity";
const CURE: &str = "make room in VMmanager, or take the tariff from this handler";

/// One finding for each tariff of which few or none fit or that cannot be counted, or one that says how many do.
pub(super) fn examine(
    panel: &Panel,
    vmm: &Client,
    handler: HandlerId,
    settings: &HandlerSettings,
) -> Result<Vec<Finding>> {
    let counted = tariff_fits::on(vmm, panel, handler, settings)?;
    let mut findings: Vec<Finding> = counted.iter().filter_map(of_tariff).collect();
    if findings.is_empty() {
        findings.push(fewest(&counted));
    }
    Ok(findings)
}

fn of_tariff(TariffFit { tariff, name, fit }: &TariffFit) -> Option<Finding> {
    let about = format!("tariff {tariff} \"{name}\"");
    let fit = match fit {
        Ok(fit) => fit,
        Err(error) => {
            let text = format!("{about} cannot be counted: {}", error.message());
            let cure = error.cure.as_deref().unwrap_or("correct the tariff in BILLmanager");
            return Some(Finding::warning(CHECK, text, cure));
        }
    };
    let text = format!("{about}: {} ({})", fit.text(), fit.by);
    match fit.answer() {
        Answer::None => Some(Finding::error(CHECK, text, CURE)),
        _ if fit.is_few() => Some(Finding::warning(CHECK, text, CURE)),
        Answer::Unknown => Some(Finding::note(CHECK, text)),
        Answer::Number(_) => None,
    }
}

fn fewest(counted: &[TariffFit]) -> Finding {
    let fits = counted.iter().filter_map(|it| Some((it, it.fit.as_ref().ok()?)));
    match fits.min_by_key(|(_, fit)| fit.left.at_least) {
        None => Finding::note(CHECK, "the handler sells no tariff"),
        Some((TariffFit { tariff, name, .. }, fit)) => {
            let text = format!("least of tariff {tariff} \"{name}\": {} ({})", fit.text(), fit.by);
            Finding::ok(CHECK, text)
        }
    }
}
