//! Worlds of several VMmanagers behind one BILLmanager.

use anyhow::Result;
use sandbox::World;
use sandbox::bill::{self, Order};
use sandbox::vmm::Setup;

const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/module.sh");

#[test]
fn every_platform_has_a_handler_and_every_handler_sells_every_tariff() -> Result<()> {
    let world = World::with_platforms(Setup::default(), vec![Setup::default()], bill::Setup::new(MODULE))?;
    let urls: Vec<(String, u64)> = world.platforms().map(|(vmm, handler)| (vmm.url(), handler)).collect();
    assert_eq!(urls, [(world.vmm.url(), 1), (world.others[0].vmm.url(), 2)]);
    for (url, handler) in &urls {
        let sql = "SELECT value FROM processingparam WHERE intname = 'url' AND processingmodule = ?";
        assert_eq!(world.bill.rows(sql, &[&handler.to_string()]), [[Some(url.clone())]]);
        let item = world.bill.order(&Order::new(world.alice, world.tariffs.small, *handler));
        assert_eq!(world.bill.item(item).processingmodule, Some(*handler));
    }
    let links = world.bill.rows("SELECT COUNT(*) FROM processingmodule2pricelist", &[]);
    assert_eq!(links, [[Some("8".to_owned())]]);
    Ok(())
}
