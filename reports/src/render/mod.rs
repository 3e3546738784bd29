//! Renderings of a run and its verdict, one file per output.
//!
//! Whatever the system under test said is hostile text: it is shown, cut to a
//! readable length, and never obeyed by a terminal, a browser or a parser.

mod counts;
mod evidence;
mod json;
mod junit;
mod markdown;
mod palette;
mod renderer;
mod span;
mod story;
pub mod terminal;
mod text;
mod write;

pub use json::Json;
pub use junit::Junit;
pub use markdown::Markdown;
pub use palette::Palette;
pub use renderer::Render;
pub use write::{JUNIT_FILE, RenderError, SUMMARY_FILE, VERDICT_FILE, write_all};
