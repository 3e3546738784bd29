//! The text of a target file without its contract.

/// The beginning of the examples of a contract in the template.
const EXAMPLES: &str = "# Differences from the default contract";

/// The text without the tables of `[contract]`, and without the examples of one.
pub(super) fn without_contract(text: &str) -> String {
    let mut kept = String::new();
    let mut is_contract = false;
    for line in text.lines() {
        if line.starts_with(EXAMPLES) {
            break;
        }
        if line.trim_start().starts_with('[') && !line.trim_start().starts_with("[[") {
            let name = line.trim_start().trim_start_matches('[').trim_start();
            is_contract = name.starts_with("contract.") || name.starts_with("contract]");
        }
        if !is_contract {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contract_is_removed() {
        let text = "a = 1\n[contract]\nprefix = \"/x\"\n[contract.routes]\nb = 2\n[safety]\nc = 3\n\n# Differences from the \
                    default contract (x).\n# [contract]\n";
        assert_eq!(without_contract(text), "a = 1\n[safety]\nc = 3\n");
    }
}
