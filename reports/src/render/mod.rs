//! Renderers of a run and its verdict, one file per output.
//!
//! Text from the system under test is hostile. It is shown at a readable length,
//! and no terminal, browser or parser interprets it.

mod counts;
mod duration;
mod evidence;
mod fault_matrix;
mod html;
mod json;
mod junit;
mod junit_rules;
mod markdown;
mod measurements;
mod outputs;
mod palette;
mod renderer;
mod report_model;
mod resources;
mod rules;
mod sarif;
pub mod terminal;
mod text;
mod timelines;

pub use fault_matrix::FaultMatrix;
pub use html::Html;
pub use json::Json;
pub use junit::Junit;
pub use markdown::Markdown;
pub use measurements::{Measurements, measurements_of};
pub use outputs::{OUTPUTS, RenderError, write_all};
pub use palette::Palette;
pub use renderer::{Render, ReportFile};
pub use resources::Resources;
pub use sarif::Sarif;
pub use timelines::Timelines;
