//! A link counts the connections that pass through it, and a run notices an unused link.

use cutover_harness::record::{Run, RunEvent};
use cutover_test_support::ReservedPort;

use super::stack::{AttachedStack, TARGET};

/// The number of connections that passed through a link.
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
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn a_link_counts_its_connections_and_an_unused_one_is_reported() {
    let [used, unused] = [ReservedPort::reserve(), ReservedPort::reserve()];
    let variable = format!("OPENAI_API_URL = \"http://127.0.0.1:{}\"", used.number());
    let stack = AttachedStack::start_with(&variable);
    let link = |name: &str, port: &ReservedPort| {
        let upstream = stack.address(&format!("/endpoints/{name}"));
        let listen = format!("127.0.0.1:{}", port.number());
        format!("[links.{name}]\nlisten = \"{listen}\"\nupstream = \"{upstream}\"\n")
    };
    let embedder = link("embedder", &used);
    stack.write_target(&embedder);
    let smoke = stack.home.run(["smoke", "--target", TARGET]);
    let run = stack.home.newest_run();
    assert_eq!(smoke.status.code(), Some(0), "{smoke:?}");
    assert!(connections(&run, "embedder") > Some(0), "{:?}", run.journal);

    stack.write_target(&(embedder + &link("parser", &unused)));
    let smoke = stack.home.run(["smoke", "--target", TARGET]);
    assert_eq!(smoke.status.code(), Some(3), "{smoke:?}");
    assert_eq!(connections(&stack.home.newest_run(), "parser"), Some(0));
    let doctor = stack.home.run(["doctor", "--target", TARGET]);
    let report = String::from_utf8(doctor.stdout).unwrap();
    assert!(
        report.contains("FAILED  link parser: no connection passed"),
        "{report}"
    );
}
