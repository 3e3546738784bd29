//! Tests of the judge: single deviations, known flaws of other gates, and properties of arbitrary runs.

mod cases;
mod causes;
mod fail_open;
mod laws;
mod objectives;
mod profiles;
mod sample;
mod selection;
mod waivers;
