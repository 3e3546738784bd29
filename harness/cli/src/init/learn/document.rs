//! The document that is uploaded: one page of words that no other document has, and its ids.

use std::fmt::Write as _;

use cutover_contract::contract::Upload;
use uuid::Uuid;

/// The number of lines of the document.
const LINES: usize = 40;

/// What is known about the document that is being processed.
pub(super) struct LearntDocument {
    /// As it was registered.
    pub(super) upload: Upload,
    /// The id of its job.
    pub(super) job: String,
    /// Its own id.
    pub(super) document: String,
    /// A line of the document's text.
    pub(super) line: String,
    /// The URL for the bytes.
    pub(super) signed_url: String,
}

impl LearntDocument {
    /// The ids that fill the placeholders of a route.
    pub(super) fn ids(&self) -> [&str; 2] {
        [&self.job, &self.document]
    }
}

/// A PDF with one page of text, and a line of it.
pub(super) fn unique_pdf() -> (Vec<u8>, String) {
    let line = |number: usize| format!("Line {number} of a test document, {}.", Uuid::new_v4());
    let lines: Vec<_> = (1..=LINES).map(line).collect();
    let mut content = "BT /F1 10 Tf 50 800 Td 12 TL".to_owned();
    for line in &lines {
        let _ = write!(content, " ({line}) Tj T*");
    }
    content.push_str(" ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let [line, ..] = lines.as_slice() else {
        return (Vec::new(), String::new());
    };
    (pdf(&objects), line.clone())
}

/// A PDF of these objects, the first of which is the catalog.
fn pdf(objects: &[String]) -> Vec<u8> {
    let mut text = "%PDF-1.4\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (number, object) in (1..).zip(objects) {
        let _ = writeln!(table, "{:010} 00000 n ", text.len());
        let _ = write!(text, "{number} 0 obj\n{object}\nendobj\n");
    }
    let (size, start) = (objects.len() + 1, text.len());
    let _ = write!(
        text,
        "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    text.into_bytes()
}
