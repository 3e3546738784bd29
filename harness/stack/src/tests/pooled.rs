//! Tests of stacks that are pooled, detached or abandoned.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::fakes::{ROOT, fake, root, spec};
use crate::{
    ProcessIdentity, Stack, StackInfo, StackPool, SweepScope, newest_leased, stop_by_directory,
    sweep,
};

#[tokio::test]
async fn a_stack_is_reused_while_it_is_healthy() {
    let root = root();
    let pool = StackPool::new(spec(root.path()), 1);
    let shared = tokio::join!(pool.shared(), pool.shared());
    let (shared, same) = (shared.0.expect("a stack"), shared.1.expect("a stack"));
    assert_eq!(shared.info().id, same.info().id);

    pool.warm_up(4).await.expect("warm");
    let first = pool.exclusive().await.expect("a stack");
    let id = first.info().id.clone();
    assert_ne!(id, shared.info().id);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), pool.exclusive())
            .await
            .is_err()
    );
    first.release().await;

    let broken = pool.exclusive().await.expect("a stack");
    assert_eq!(broken.info().id, id);
    broken.api().kill().await.expect("kill");
    broken.release().await;

    let fresh = pool.exclusive().await.expect("a stack");
    assert_ne!(fresh.info().id, id);
    fresh.release().await;
    pool.stop_all().await.expect("stop");
    assert_eq!(root.path().read_dir().expect("a directory").count(), 0);
}

#[tokio::test]
async fn a_failed_start_of_the_shared_stack_is_not_retried() {
    let root = root();
    let mut spec = spec(root.path());
    spec.standins.program = "/does/not/exist".into();
    let pool = StackPool::new(spec, 1);
    let first = pool.shared().await.expect_err("no such program");
    let second = pool.shared().await.expect_err("no such program");
    assert!(first.to_string().contains("/does/not/exist"), "{first}");
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn a_detached_stack_is_found_and_stopped() {
    let root = root();
    let stack = Stack::start(&spec(root.path())).await.expect("a stack");
    assert_eq!(newest_leased(root.path()), None);
    let info = stack.detach(Duration::from_mins(1)).expect("detach");
    let report = sweep(root.path(), SweepScope::Abandoned)
        .await
        .expect("a sweep");
    assert!(report.removed.is_empty());
    assert_eq!(newest_leased(root.path()).as_ref(), Some(&info));
    assert!(info.processes().all(|process| process.identity.is_alive()));
    stop_by_directory(&info.directory).await.expect("stop");
    assert!(!info.processes().any(|process| process.identity.is_alive()));
    assert_eq!(newest_leased(root.path()), None);
}

#[tokio::test]
async fn the_stack_of_a_killed_owner_is_swept() {
    let root = root();
    let owner = fake("owner");
    let mut owner = Command::new(&owner.program)
        .args(&owner.args)
        .env(ROOT, root.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("an owner");
    let marker = root.path().join("started");
    let waiting = Instant::now();
    while !marker.exists() {
        assert!(waiting.elapsed() < Duration::from_mins(1), "no stack");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let report = sweep(root.path(), SweepScope::Abandoned)
        .await
        .expect("a sweep");
    assert!(report.removed.is_empty(), "its owner is alive");

    owner.kill().expect("kill");
    owner.wait().expect("wait");
    let left: Vec<ProcessIdentity> = root
        .path()
        .read_dir()
        .expect("a directory")
        .filter_map(|entry| StackInfo::read(&entry.expect("an entry").path()).ok())
        .flat_map(|info| {
            info.processes()
                .map(|process| process.identity)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(left.len(), 4);
    assert!(left.iter().all(|identity| identity.is_alive()));

    let report = sweep(root.path(), SweepScope::Abandoned)
        .await
        .expect("a sweep");
    assert_eq!(report.removed.len(), 1);
    assert!(report.processes >= 4 && report.failed.is_empty());
    assert!(!left.iter().any(|identity| identity.is_alive()));
}
