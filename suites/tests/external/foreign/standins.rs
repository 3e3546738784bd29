//! The stand-ins of a target: a run serves them or uses those that run, and leaves none behind.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use cutover_test_support::{Signal, TestProcess, output_text};

use super::pipeline::{ForeignPipeline, KEYS};
use crate::{Tests, tests};

pub(crate) const TESTS: &Tests = tests![
    running_standins_are_used_and_stay,
    an_interrupted_run_ends_its_standins,
    a_sweep_ends_the_standins_of_a_killed_run,
    a_port_in_use_is_named_and_nothing_runs,
];

fn running_standins_are_used_and_stay() {
    let foreign = ForeignPipeline::start();
    let mut command = foreign.command(&["standins"]);
    let mut standins = TestProcess::spawn(command.stdout(Stdio::piped()));
    let lines = BufReader::new(standins.take_stdout()).lines();
    let lines: Vec<_> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.starts_with("`cutover validate`"))
        .collect();
    let text = lines.join("\n");
    let port = foreign.standin_ports()[0];
    let parser = format!("LLAMAPARSE_BASE_URL=http://127.0.0.1:{port}");
    assert!(text.contains(&parser), "{text}");
    assert!(
        text.contains("LLAMAPARSE_API_KEY  from variable LLAMAPARSE_API_KEY"),
        "{text}"
    );
    assert!(!KEYS.iter().any(|(_, key)| text.contains(key)), "{text}");
    assert!(foreign.standins_are_served());

    let second = foreign.command(&["standins"]).output().unwrap();
    let text = output_text(&second);
    assert_eq!(second.status.code(), Some(2), "{text}");
    assert!(text.contains("already running"), "{text}");
    let report = output_text(&foreign.run(&["doctor"]));
    assert!(report.contains("stand-ins: already running"), "{report}");
    let smoke = foreign.run(&["smoke"]);
    assert_eq!(smoke.status.code(), Some(0), "{}", output_text(&smoke));
    assert!(foreign.standins_are_served(), "the smoke run ended them");

    standins.send_signal(Signal::INT);
    assert!(standins.wait().success());
    foreign.assert_nothing_left();
}

fn an_interrupted_run_ends_its_standins() {
    let foreign = ForeignPipeline::start();
    let mut run = foreign.start_run();
    assert!(foreign.standins_are_served());
    run.send_signal(Signal::INT);
    assert_eq!(run.wait().code(), Some(3));
    foreign.assert_nothing_left();
}

fn a_sweep_ends_the_standins_of_a_killed_run() {
    let foreign = ForeignPipeline::start();
    foreign.start_run().kill();
    assert!(foreign.standins_are_served(), "there is nothing to sweep");
    let swept = foreign.command(&["sweep"]).output().unwrap();
    let text = output_text(&swept);
    assert_eq!(swept.status.code(), Some(0), "{text}");
    assert!(
        text.contains("1 stacks removed, 1 processes ended"),
        "{text}"
    );
    // The kernel has released the lock on the target; the next run removes its file.
    let leftovers = foreign.home.leftovers();
    let is_lock = |name: &OsString| name.to_string_lossy().ends_with(".lock");
    assert!(leftovers.iter().all(is_lock), "{leftovers:?}");
    assert!(!foreign.standins_are_served());
}

fn a_port_in_use_is_named_and_nothing_runs() {
    let foreign = ForeignPipeline::start();
    let [_, embedder, _, control] = foreign.standin_ports();
    for (port, key) in [
        (embedder, "standins.embedder"),
        (control, "standins.control"),
    ] {
        let _listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let refused = foreign.run(&["smoke"]);
        let text = output_text(&refused);
        assert_eq!(refused.status.code(), Some(2), "{text}");
        assert!(
            text.contains(key) && text.contains("another port"),
            "{text}"
        );
    }
    foreign.assert_nothing_left();
}
