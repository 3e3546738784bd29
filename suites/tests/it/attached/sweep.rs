//! A sweep deletes the documents that a killed smoke run created in a target.

use cutover_test_support::wait_for;

use super::stack::{AttachedStack, TARGET};

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn the_documents_of_a_killed_smoke_run_are_swept() {
    let stack = AttachedStack::start();
    stack.write_target("");
    let mut smoke = stack.home.spawn(["smoke", "--target", TARGET]);
    let trials = stack.home.newest_run_directory().join("trials");
    // A registration that the target never received could not be proved gone.
    wait_for("the first registered document", || {
        let journals = std::fs::read_dir(&trials).ok()?.flatten();
        let mut texts = journals.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        texts.find(|text| text.contains("signed_url")).map(drop)
    });
    smoke.kill();
    let sweep = || {
        let swept = stack.home.run(["sweep", "--target", TARGET]);
        assert!(swept.status.success(), "{swept:?}");
        String::from_utf8(swept.stdout).unwrap()
    };
    let first = sweep();
    assert!(!first.contains(" 0 documents removed"), "{first}");
    assert!(first.contains(" 0 left"), "{first}");
    let second = sweep();
    assert!(second.contains(" 0 documents removed, 0 left"), "{second}");
}
