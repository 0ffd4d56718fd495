//! Which handler should make a service: BILLmanager's own order, with those last that could not make it now
//! [protocol 3.4].

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::Result;
use crate::id::{HandlerId, TariffId};
use crate::log;
use crate::panel::{Candidate, Handler, Panel};
use crate::service::order::Placement;
use crate::service::platform::{capacity, connection};
use crate::settings::HandlerSettings;
use crate::vmm::Client;

/// Handlers of a tariff, best first, without those in `skipped`.
pub(crate) fn rank(config: &Config, panel: &Panel, tariff: TariffId, skipped: &[HandlerId]) -> Result<Vec<HandlerId>> {
    let chosen = choose(panel.candidates(tariff)?, skipped);
    // One candidate is the best one, whatever its state is: nobody has to wait for an answer.
    if chosen.len() < 2 {
        return Ok(chosen);
    }
    let (ready, unready): (Vec<HandlerId>, Vec<HandlerId>) =
        chosen.into_iter().partition(|id| is_ready(config, panel, *id));
    Ok(ready.into_iter().chain(unready).collect())
}

/// A handler that shares its IP manager with the last skipped one keeps the addresses where they are.
fn choose(candidates: Vec<Candidate>, skipped: &[HandlerId]) -> Vec<HandlerId> {
    let last = skipped.last().and_then(|id| candidates.iter().find(|candidate| candidate.id == *id));
    let manager = last.and_then(|candidate| candidate.ip_manager);
    let left: Vec<Candidate> = candidates.into_iter().filter(|candidate| !skipped.contains(&candidate.id)).collect();
    let shares = |candidate: &Candidate| manager.is_some() && candidate.ip_manager == manager;
    let restricted = left.iter().any(shares);
    left.iter().filter(|candidate| !restricted || shares(candidate)).map(|candidate| candidate.id).collect()
}

fn is_ready(config: &Config, panel: &Panel, id: HandlerId) -> bool {
    let config = config.impatient();
    let room = panel.handler(id).and_then(|handler| has_room(&connection::client(&config, &handler)?, &handler));
    match room {
        Ok(true) => true,
        Ok(false) => {
            log::warn!("handler {id}: its cluster has no room for another VM; it is put last");
            false
        }
        Err(error) => {
            log::warn!("handler {id} is put last: {error}");
            false
        }
    }
}

/// A node that takes VMs and, where VMmanager reports it, a free address.
fn has_room(vmm: &Client, handler: &Handler) -> Result<bool> {
    let place = Placement::read(&HandlerSettings::read(&handler.params), &BTreeMap::new())?;
    let cluster = connection::cluster(vmm, place.cluster)?.id;
    let nodes = vmm.nodes()?;
    let open =
        nodes.iter().any(|node| node.cluster.as_ref().is_some_and(|c| c.id == cluster.get()) && node.takes_vms());
    Ok(open && capacity::free_ipv4(&capacity::pools(vmm, cluster, &[])?) != Some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(list: &[(u64, Option<u64>)]) -> Vec<Candidate> {
        list.iter().map(|&(id, ip_manager)| Candidate { id: id.into(), ip_manager }).collect()
    }

    #[test]
    fn the_last_skipped_handler_keeps_the_choice_at_its_ip_manager() {
        let all = [(1, None), (2, Some(5)), (3, Some(5)), (4, Some(6))];
        let chosen = |skipped: &[u64]| {
            let skipped: Vec<HandlerId> = skipped.iter().copied().map(HandlerId::from).collect();
            choose(candidates(&all), &skipped).into_iter().map(HandlerId::get).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&[]), [1, 2, 3, 4]);
        assert_eq!(chosen(&[2]), [3]);
        assert_eq!(chosen(&[2, 1]), [3, 4]);
        assert_eq!(chosen(&[2, 3]), [1, 4]);
        assert_eq!(chosen(&[1, 2, 3, 4]), [0_u64; 0]);
    }
}
