//! What a client writes into his VM.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use sandbox::vmm::ClientEdit;

use super::world::TestWorld;

/// A new comment, name or domain for the VM of `item`. A client knows the marks of his own VMs, and the form of others.
pub(crate) fn edit(random: &mut StdRng, world: &TestWorld, item: u64) -> ClientEdit {
    let (own, other) = (world.mark(item), item.saturating_sub(1) + 2 * u64::from(random.r#gen::<bool>()));
    let untagged = |mark: &str| mark.rsplit_once(':').map_or_else(String::new, |(head, _)| head.to_owned());
    let comments = [
        String::new(),
        "my shop".to_owned(),
        format!("{own} my shop"),
        untagged(&own),
        format!("{}:0123456789abcdef", untagged(&own)),
        untagged(&world.mark(other)),
        format!("{own} {}:0123456789abcdef", untagged(&world.mark(other))),
        format!("billmgr:ffffffffffff:{item}:0123456789abcdef"),
        format!("{own} {own}"),
        "long ".repeat(1000),
        format!("billmgr:{}", own.repeat(3)),
    ];
    let comment = comments.choose(random).cloned();
    match random.gen_range(0..4) {
        0 => ClientEdit::name(format!("vps{other}")),
        1 => ClientEdit { domain: Some(format!("vps{other}.example.com")), ..ClientEdit::default() },
        _ => ClientEdit { comment, ..ClientEdit::default() },
    }
}
