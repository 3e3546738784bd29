# The verbs a developer types.
_default:
    @just --list

# Validate the reference pipeline, as a user would
validate *arguments:
    cargo run --release -- validate {{arguments}}

# Run every test
test *arguments:
    cargo test {{arguments}}

# Format, and see what clippy says
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings

# Measure what the README claims: medians of five
bench:
    cargo bench -p cutover-harness --bench journal
    cargo bench -p cutover-harness --bench sampler
    cargo bench -p cutover-fault --bench proxy
    cargo bench -p cutover-load --bench engine
    cargo bench -p cutover-regression --bench power
    cargo bench -p cutover --bench figures

# Count how many seeded defects are noticed, and how many sound stacks are blamed
calibrate *arguments:
    cargo run --release -- calibrate --healthy 20 {{arguments}}

# Rewrite the page of each suite in docs/suites from its table
pages:
    CUTOVER_UPDATE_PAGES=1 cargo test -p cutover --test it pages

# Build the images of the container stack, without a registry; what has not changed stays
images:
    fixtures/images/build

# Everything that must hold before a change lands
ci:
    .ci/run

# Remove what killed runs left behind
sweep:
    cargo run --release -- sweep
