//! Tariffs as they are sold [protocol 5.3, 5.5, 5.7].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::addons::{addons_of, put_over, tariff_addons_query};
use super::connection::Panel;
use super::database::Row;
use super::records::{Customer, Service, UNITS_QUERY, grouped};
use super::units::Units;
use crate::error::Result;
use crate::id::{HandlerId, ServiceId, TariffId};

impl Panel {
    /// For each active tariff that a handler sells a service of it, as it is when nothing is ordered beyond the tariff. Such
    /// services exist nowhere: they have no id, no client and no parameters.
    pub fn sold_by(&self, handler: HandlerId) -> Result<Vec<Service>> {
        self.sold(&format!(
            "IN (SELECT t.pricelist FROM processingmodule2pricelist t JOIN pricelist s ON t.pricelist = s.id \
             WHERE t.processingmodule = {handler} AND s.active = 'on')"
        ))
    }

    /// The same for one tariff, active or not.
    pub fn sold_as(&self, tariff: TariffId) -> Result<Option<Service>> {
        Ok(self.sold(&format!("= {tariff}"))?.pop())
    }

    fn sold(&self, these: &str) -> Result<Vec<Service>> {
        let queries = [
            format!(
                "SELECT p.id, p.name, p.intname, it.intname FROM pricelist p JOIN itemtype it ON p.itemtype = it.id \
                 WHERE p.id {these} ORDER BY p.orderpriority, p.id"
            ),
            format!("SELECT pricelist, intname, value FROM pricelistparam WHERE pricelist {these}"),
            tariff_addons_query(these),
            UNITS_QUERY.to_owned(),
        ];
        let [rows, params, addons, units] =
            self.together(queries.each_ref().map(|sql| (sql.as_str(), [].as_slice())))?;
        let (mut params, mut addons) = (grouped::<TariffId>(&params), addons_of::<TariffId>(&addons, "tariff"));
        let units = Arc::new(Units::from_rows(&units));
        let service = |row: &Row| {
            let id = row.id(0)?;
            let (tariff, mut addons) = (params.remove(&id).unwrap_or_default(), addons.remove(&id).unwrap_or_default());
            put_over(&tariff, &mut addons);
            Some(Service {
                id: ServiceId::default(),
                item_type: row.text(3).to_owned(),
                status: 1.into(),
                period: 1,
                last_tariff: None,
                tariff_id: id,
                tariff_title: row.text(1).to_owned(),
                tariff_name: row.text(2).to_owned(),
                tariff,
                remote_id: None,
                client: Customer::default(),
                params: BTreeMap::new(),
                addons,
                units: Arc::clone(&units),
            })
        };
        Ok(rows.iter().filter_map(service).collect())
    }
}
