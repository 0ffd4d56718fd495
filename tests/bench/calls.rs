//! Requests to VMmanager by operation, counted by the simulator, and logins.

use sandbox::bill::Order;
use sandbox::vmm::{Request, Setup};

use crate::scene;
use crate::sheet::{Row, Sheet};

/// Counted for itself.
const LOGIN: &str = "/auth/v4/public/token";

/// Asking again, after a change, how far it is: how often depends on the time VMmanager takes.
pub(crate) fn is_polling(requests: &[Request], at: usize) -> bool {
    let (request, before) = (&requests[at], &requests[..at]);
    let changed = before.iter().any(|earlier| earlier.method != "GET");
    let seen = |earlier: &Request| (&earlier.path, &earlier.query) == (&request.path, &request.query);
    request.path == "/vm/v3/task" || (request.method == "GET" && changed && before.iter().any(seen))
}

pub(crate) fn run(sheet: &mut Sheet) {
    let world = scene::world(Setup::default());
    // A VMmanager is met once in its life, with the first order on it.
    scene::opened(&world);
    // The client's first order: his account is made too.
    let order = Order { client: world.bob, ..scene::order(&world) };
    let item = world.bill.order(&order);
    for (command, budget) in [
        ("open", 8.0),
        ("suspend", 3.0),
        ("resume", 3.0),
        ("stop", 3.0),
        ("start", 3.0),
        ("setparam", 2.0),
        ("close", 3.0),
    ] {
        world.vmm.forget_requests();
        scene::succeed(&world, item, command);
        let requests: Vec<Request> = world.vmm.requests().into_iter().filter(|it| it.path != LOGIN).collect();
        let counted: Vec<&Request> =
            (0..requests.len()).filter(|at| !is_polling(&requests, *at)).map(|at| &requests[at]).collect();
        let count = u32::try_from(counted.len()).expect("few requests");
        let polls = requests.len() - counted.len();
        let asked: Vec<String> = counted.iter().map(|it| format!("{} {}", it.method, it.path)).collect();
        let said = format!("{}; and {polls} to see it done", asked.join(", "));
        let what = if command == "setparam" { "setparam without a change" } else { command };
        sheet.add(Row::new(format!("calls of {what}"), f64::from(count), "").at_most(budget).note(said));
    }
    let logins = u32::try_from(world.vmm.logins()).expect("few logins");
    sheet.add(Row::new("logins of all these processes", f64::from(logins), "").at_most(1.0));
}
