//! Stacks that are pooled, left running, or left behind.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::fakes::{ROOT, part, root, spec};
use crate::{
    ProcessIdentity, Stack, StackInfo, StackPool, SweepScope, newest_leased, stop_by_directory,
    sweep,
};

#[tokio::test]
async fn a_lane_is_used_again_while_it_is_sound() {
    let root = root();
    let lanes = StackPool::new(spec(root.path()), 1);
    let shared = tokio::join!(lanes.shared(), lanes.shared());
    let (shared, same) = (shared.0.expect("a stack"), shared.1.expect("a stack"));
    assert_eq!(shared.info().id, same.info().id);

    lanes.warm_up(4).await.expect("warm");
    let first = lanes.exclusive().await.expect("a lane");
    let id = first.info().id.clone();
    assert_ne!(id, shared.info().id);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), lanes.exclusive())
            .await
            .is_err()
    );
    first.release().await;

    let broken = lanes.exclusive().await.expect("a lane");
    assert_eq!(broken.info().id, id);
    broken.api().kill().await.expect("kill");
    broken.release().await;

    let fresh = lanes.exclusive().await.expect("a lane");
    assert_ne!(fresh.info().id, id);
    fresh.release().await;
    lanes.stop_all().await.expect("stop");
    assert_eq!(root.path().read_dir().expect("a directory").count(), 0);
}

#[tokio::test]
async fn a_failure_to_start_is_remembered() {
    let root = root();
    let mut spec = spec(root.path());
    spec.standins.program = "/does/not/exist".into();
    let lanes = StackPool::new(spec, 1);
    let first = lanes.shared().await.expect_err("no such program");
    let second = lanes.shared().await.expect_err("no such program");
    assert!(first.to_string().contains("/does/not/exist"), "{first}");
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn a_stack_left_running_is_found_and_taken_down() {
    let root = root();
    let stack = Stack::start(&spec(root.path())).await.expect("a stack");
    assert_eq!(newest_leased(root.path()), None);
    let card = stack.detach(Duration::from_mins(1)).expect("detach");
    let report = sweep(root.path(), SweepScope::Abandoned)
        .await
        .expect("a sweep");
    assert!(report.removed.is_empty());
    assert_eq!(newest_leased(root.path()).as_ref(), Some(&card));
    assert!(card.processes().all(|process| process.mark.is_alive()));
    stop_by_directory(&card.directory).await.expect("down");
    assert!(!card.processes().any(|process| process.mark.is_alive()));
    assert_eq!(newest_leased(root.path()), None);
}

#[tokio::test]
async fn what_a_killed_owner_left_behind_is_swept() {
    let root = root();
    let owner = part("owner");
    let mut owner = Command::new(&owner.program)
        .args(&owner.args)
        .env(ROOT, root.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("an owner");
    let sign = root.path().join("started");
    let waiting = Instant::now();
    while !sign.exists() {
        assert!(waiting.elapsed() < Duration::from_mins(1), "no stack");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let report = sweep(root.path(), SweepScope::Abandoned)
        .await
        .expect("a sweep");
    assert!(report.removed.is_empty(), "its owner lives");

    owner.kill().expect("kill");
    owner.wait().expect("wait");
    let left: Vec<ProcessIdentity> = root
        .path()
        .read_dir()
        .expect("a directory")
        .filter_map(|entry| StackInfo::read(&entry.expect("an entry").path()).ok())
        .flat_map(|card| {
            card.processes()
                .map(|process| process.mark)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(left.len(), 4);
    assert!(left.iter().all(|mark| mark.is_alive()));

    let report = sweep(root.path(), SweepScope::Abandoned)
        .await
        .expect("a sweep");
    assert_eq!(report.removed.len(), 1);
    assert!(report.processes >= 4 && report.failed.is_empty());
    assert!(!left.iter().any(|mark| mark.is_alive()));
}
