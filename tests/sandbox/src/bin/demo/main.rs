//! A day of a hosting provider in a few seconds; `demo --help` says how to start it.
//!
//! Starts VMmanagers and a BILLmanager on loopback, connects them as a new user would, orders services for two clients
//! and runs the real module for every operation, as BILLmanager would. Prints a timeline and a final table, compares both
//! sides with what the orders say, and exits 0 only when everything is right.

mod args;
mod report;
mod script;
mod timeline;
mod wizard;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser as _;
use sandbox::bill::{self, Database};
use sandbox::vmm::{self, Certificate, Timing, Transport};
use sandbox::{World, binary};

use args::Args;
use script::Script;
use timeline::Timeline;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the whole day; true when both platforms end as they should.
fn run(args: &Args) -> Result<bool> {
    let world = world(args)?;
    let features = script::features(&world.bill)?;
    println!("features     {}\n", features.join(" "));
    wizard::set_up(&world)?;
    let timeline = Timeline::start();
    let script = Script::order(&world, &features)?;
    script.play(&world, &timeline);
    println!();
    wizard::count_traffic(&world)?;
    println!("\n{}", report::table(&world, script.services()));
    let differences = report::differences(&world, script.services());
    for difference in &differences {
        println!("WRONG  {difference}");
    }
    let verdict = if differences.is_empty() { "Both sides agree with every order." } else { "Something is wrong." };
    println!("{verdict}  {} operations in {:.1} s", timeline.operations(), timeline.elapsed().as_secs_f64());
    Ok(differences.is_empty())
}

/// Starts the world that the command line asks for and says where it is.
fn world(args: &Args) -> Result<World> {
    let transport = if args.tls { Transport::Tls(Certificate::SelfSigned) } else { Transport::Plain };
    let vmm = vmm::Setup { timing: timing(), transport, ..vmm::Setup::default() };
    let database = if args.mariadb { Database::MariaDb } else { Database::Sqlite };
    let module = args.module()?;
    // Found or built before the clock starts.
    binary("mgrctl")?;
    let more = vec![vmm.clone(); usize::from(args.platforms - 1)];
    println!("module       {}", module.display());
    let bill = bill::Setup { database, ..bill::Setup::new(&module) };
    let world = World::connected(vmm, more, bill, wizard::connect)?;
    println!("BILLmanager  {} ({database:?})", world.bill.root().display());
    Ok(world)
}

/// Tasks long enough to watch.
fn timing() -> Timing {
    Timing {
        listed_after: Duration::from_millis(200),
        create: Duration::from_millis(1800),
        recipe: Duration::from_millis(600),
        other: Duration::from_secs(1),
        ..Timing::default()
    }
}
