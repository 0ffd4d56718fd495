//! How many more VMs of each tariff a handler's VMmanager takes.

use crate::config::Config;
use crate::error::Result;
use crate::id::{HandlerId, TariffId};
use crate::panel::{Panel, Service};
use crate::service::platform::capacity::{Fit, Stock};
use crate::service::platform::connection;
use crate::settings::HandlerSettings;
use crate::vmm::Client;

/// One tariff at one handler.
pub(crate) struct TariffFit {
    pub tariff: TariffId,
    /// As clients see it.
    pub name: String,
    /// An error says why nobody can count them.
    pub fit: Result<Fit>,
}

/// Every handler that is switched on.
pub(crate) fn of_active(config: &Config) -> Result<Vec<(HandlerId, Result<Vec<TariffFit>>)>> {
    let panel = Panel::new(config);
    let active = panel.handlers()?.into_iter().filter(|listed| listed.active);
    Ok(active.map(|listed| (listed.id, of_handler(config, &panel, listed.id))).collect())
}

/// Every tariff that a handler sells, with nothing ordered beyond it. An error is one of the whole handler.
pub(crate) fn of_handler(config: &Config, panel: &Panel, id: HandlerId) -> Result<Vec<TariffFit>> {
    let handler = panel.handler(id)?;
    let vmm = connection::observer(config, &handler)?;
    on(&vmm, panel, id, &HandlerSettings::read(&handler.params))
}

/// The same with a client that is there already.
pub(crate) fn on(
    vmm: &Client,
    panel: &Panel,
    handler: HandlerId,
    settings: &HandlerSettings,
) -> Result<Vec<TariffFit>> {
    let sold = panel.sold_by(handler)?;
    let stock = Stock::read(vmm)?;
    let counted = |service: Service| TariffFit {
        tariff: service.tariff_id,
        fit: stock.fit(&service, settings),
        name: service.tariff_title,
    };
    Ok(sold.into_iter().map(counted).collect())
}
