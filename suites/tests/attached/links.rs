//! What a system needs can be led through a link, and a link that it does not use is told of.

use std::net::TcpListener;

use cutover_harness::record::{Run, RunEvent};

use crate::world::World;

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn connections(run: &Run, link: &str) -> Option<u64> {
    run.journal.iter().find_map(|line| {
        let RunEvent::LinkTraffic {
            link: name,
            connections,
            ..
        } = &line.event
        else {
            return None;
        };
        (name == link).then_some(*connections)
    })
}

#[test]
fn a_link_carries_what_the_system_sends_through_it_and_counts_it() {
    let (used, unused) = (free_port(), free_port());
    let Some(world) = World::start_with(&format!("OPENAI_API_URL = \"http://127.0.0.1:{used}\"\n"))
    else {
        return;
    };
    let link = |name: &str, port: u16| {
        let upstream = world.address(&format!("/standins/{name}"));
        format!("[links.{name}]\nlisten = \"127.0.0.1:{port}\"\nupstream = \"{upstream}\"\n")
    };
    let embedder = link("embedder", used);
    world.target(&embedder);
    let smoke = world.cutover(&["smoke", "--target", "theirs.toml"]);
    let run = world.run();
    assert_eq!(smoke.status.code(), Some(0), "{smoke:?}");
    assert!(connections(&run, "embedder") > Some(0), "{:?}", run.journal);

    world.target(&(embedder + &link("parser", unused)));
    let smoke = world.cutover(&["smoke", "--target", "theirs.toml"]);
    assert_eq!(smoke.status.code(), Some(3), "{smoke:?}");
    assert_eq!(connections(&world.run(), "parser"), Some(0));
    let doctor = world.cutover(&["doctor", "--target", "theirs.toml"]);
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(
        said.contains("FAILED  link parser: no connection passed"),
        "{said}"
    );
}
