//! Which handler should make a service: those that could make it now, those whose queue has room, the handler that the
//! service has already, then BILLmanager's own order [protocol 3.4, A12].

use crate::config::Config;
use crate::error::Result;
use crate::id::{HandlerId, ServiceId, TariffId};
use crate::log;
use crate::panel::{Candidate, Panel, Service};
use crate::service::platform::capacity::{Answer, Stock};
use crate::service::platform::connection;
use crate::settings::HandlerSettings;

/// Whose handler is chosen.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub tariff: TariffId,
    /// Handlers that are out of the question, the last one tried last.
    pub skipped: Vec<HandlerId>,
    /// The service, when it exists already.
    pub service: Option<ServiceId>,
    /// Its handler so far.
    pub connected: Option<HandlerId>,
}

/// What a handler can do now, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Ready,
    /// As many services are being opened as its queue works on at once.
    Busy,
    Unready,
}

/// Handlers of a tariff, best first, without those that are skipped.
pub(crate) fn rank(config: &Config, panel: &Panel, choice: &Choice) -> Result<Vec<HandlerId>> {
    let chosen = choose(panel.candidates(choice.tariff)?, &choice.skipped);
    // One candidate is the best one, whatever its state is: nobody has to wait for an answer.
    if chosen.len() < 2 {
        return Ok(chosen);
    }
    let openings = panel.openings(choice.service)?;
    let Some(sold) = panel.sold_as(choice.tariff)? else { return Ok(chosen) };
    let openings = |id: HandlerId| openings.get(&id).copied().unwrap_or_default();
    let standing = |id: HandlerId| match standing(config, panel, id, &sold, openings(id)) {
        Ok(standing) => standing,
        Err(error) => {
            log::warn!("handler {id} is put last: {error}");
            Standing::Unready
        }
    };
    let mut ranked: Vec<_> = chosen.into_iter().map(|id| (standing(id), Some(id) != choice.connected, id)).collect();
    ranked.sort_by_key(|(standing, is_other, _)| (*standing, *is_other));
    Ok(ranked.into_iter().map(|(_, _, id)| id).collect())
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

fn standing(config: &Config, panel: &Panel, id: HandlerId, sold: &Service, openings: usize) -> Result<Standing> {
    let handler = panel.handler(id)?;
    let settings = HandlerSettings::read(&handler.params);
    let vmm = connection::client(&config.impatient(), &handler)?;
    let fit = Stock::read(&vmm)?.fit(sold, &settings)?;
    if fit.answer() == Answer::None {
        log::warn!("handler {id}: its cluster has no room for another VM of the tariff ({}); it is put last", fit.by);
        return Ok(Standing::Unready);
    }
    let is_busy = settings.queue_enabled && openings >= usize::try_from(settings.queue_count).unwrap_or(usize::MAX);
    Ok(if is_busy { Standing::Busy } else { Standing::Ready })
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
