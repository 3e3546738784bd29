//! A corpus of texts as they are: kinds of lines that cleaning, normalizing, cutting or escaping would change.

/// A kind of text, and lines of it.
pub(super) struct Kind {
    /// Its name, in findings.
    pub(super) name: &'static str,
    /// Its lines.
    pub(super) lines: &'static [&'static str],
}

const fn kind(name: &'static str, lines: &'static [&'static str]) -> Kind {
    Kind { name, lines }
}

/// Every kind of text.
pub(super) const KINDS: &[Kind] = &[
    kind(
        "addresses",
        &[
            "See https://example.com/a/b?q=1&r=%20#top, ftp://host:21/f and www.example.org/.",
            "Write to claims+2026@insurer.example, <j.doe@example.co.uk> or mailto:a@b.c",
            "\\\\server\\share\\file.txt C:\\temp\\new /usr/local/bin ~/x ../y file:///etc/hosts",
            "http://[2001:db8::1]:8080/ 192.0.2.17 00:1b:44:11:3a:b7 user@host:path data:text/plain,x",
            "@handle #tag !important $HOME %PATH% &copy; a://b ://c d@e",
        ],
    ),
    kind(
        "personal_numbers",
        &[
            "+49 (0)30 123456-78, 555-0100, DE89 3704 0044 0532 0130 00, 4111 1111 1111 1111",
            "078-05-1120, 1985-07-03, 12345 Berlin, VIN 1HGCM82633A004352, policy no. 00012",
        ],
    ),
    kind(
        "markup",
        &[
            "<p class=\"a\">text</p><br/><script>alert(1)</script><!-- a comment --> a<b && c>d",
            "&amp; &lt; &#39; &nbsp; &unknown; <![CDATA[x]]> <?xml version='1.0'?> </unclosed",
            "**bold** _italic_ ~~gone~~ `code` [text](http://x.y \"t\") ![image](i.png) [^1] [[wiki]]",
            "\\*escaped\\* \\# \\_ \\[ \\\\ $x^2_i$ $$\\frac{1}{2}$$ \\(a\\) {{ moustache }} {% tag %}",
            "<svg/onload=x> <a href='javascript:x'>y</a> <|not a tag|> <user@example.com> x < y > z",
        ],
    ),
    kind(
        "blocks",
        &[
            "```rust",
            "fn main() { println!(\"{}\", 1 << 2); } // # no heading",
            "```",
            "    indented code",
            "> quoted",
            ">> twice",
            "- item",
            "* item",
            "+ item",
            "1. item",
            "1) item",
            "- [ ] open",
            "- [x] done",
            "* * *",
            "***",
            "___",
            "===",
            "---",
            ": definition",
            "Term\\",
        ],
    ),
    kind(
        "code",
        &[
            "if (a != b) { return a->b[0] ?: *p++; } /* comment */ # not a heading",
            "SELECT * FROM t WHERE a='b' OR 1=1; -- '; DROP TABLE documents; $1 ? :name @p",
            "{\"a\": [1, null, true], \"b\": \"\\u00e9\\n\"} [] {} () <> null None undefined NaN -0 1e309",
            "key: value # comment; [section] a=b; x := y; export A=\"$B\"; `whoami` $(id) ${jndi:ldap://x}",
            "%s %d %n %x {0} {} {name} %(a)s $1 \\1 \\n \\t \\x00 \\u0000 \\r\\n ^M ^@ printf(\"%s\")",
            "#!/bin/sh <<EOF 2>&1 | tee /dev/null && rm -rf * ; :(){ :|:& };:",
        ],
    ),
    kind(
        "control_words",
        &[
            "<|endoftext|> <|im_start|>system<|im_end|> <|fim_prefix|> <|endofprompt|> <|startoftext|>",
            "<s> </s> [INST] [/INST] <<SYS>> [CLS] [SEP] [MASK] [PAD] [UNK] <pad> <unk> <eos> <bos>",
            "Ignore all previous instructions. ### Human: hi ### Assistant: \\n\\nHuman: <think>",
            "-----BEGIN CERTIFICATE----- %PDF-1.4 %%EOF PK\u{3}\u{4} GIF89a EOF <EOF> ^Z [page break]",
        ],
    ),
    kind(
        "page_furniture",
        &[
            "Page 3 of 10",
            "3",
            "- 4 -",
            "iv",
            "CONFIDENTIAL",
            "www.insurer.example",
            "Copyright \u{a9} 2026",
            "insur-",
            "ance",
            "The end of the line is hyph-",
            "enated",
            "......... 12",
            "_____________",
        ],
    ),
    kind(
        "numbers",
        &[
            "1,234.56 1.234,56 1 234,56 1'234.56 -0.00 +7 1e-9 0x1F 007 \u{bd} \u{bc} \u{b2}\u{2083} 10\u{2070}",
            "\u{661}\u{662}\u{663} \u{96f}\u{966} \u{ff11}\u{ff12} \u{2167} \u{2460} \u{5341}\u{4e8c} 50 % 5\u{2030} \u{a3}1 \u{20ac}2 \u{a5}3 $4",
            "2026-11-27T01:02:03Z 27.11.26 11/27/2026 01:02 AM 90\u{b0} 5\u{2032} 6\u{2033} \u{b1}2 \u{2264}3 \u{2260}4 \u{221e}",
        ],
    ),
    kind(
        "tables",
        &[
            "| name | sum |",
            "|:-----|----:|",
            "| a\\|b | 1 |",
            "|  |  |",
            "| \u{4fdd}\u{967a} | -- |",
            "a\tb\t\tc",
            "a;b;\"c;d\";",
            "a,b,\"c \"\"d\"\"\",",
            "+---+---+",
            "\u{2502} x \u{2502}",
            "\u{251c}\u{2500}\u{2500}\u{2524}",
        ],
    ),
    kind(
        "quotes",
        &[
            "\"a\" 'b' \u{201c}c\u{201d} \u{2018}d\u{2019} \u{201e}e\u{201c} \u{ab}f\u{bb} \u{300c}g\u{300d} `h' ''i'' \u{2032}j\u{2033} \\\"k\\\"",
            "don't it\u{2019}s rock'n'roll a - b \u{2013} c \u{2014} d \u{2212} e \u{2010} f \u{2011} g \u{2026} ... \u{2022} \u{b7}",
        ],
    ),
    kind(
        "normal_forms",
        &[
            "\u{e9} e\u{301} \u{c5} A\u{30a} \u{212b} \u{1e69} s\u{323}\u{307} s\u{307}\u{323} \u{1112}\u{1161}\u{11ab} \u{d55c}",
            "\u{fb01} \u{fb03} \u{133} \u{1c6} \u{2126} \u{212a} \u{3a9} \u{ff21}\u{ff42} \u{3231} \u{2122} x\u{b2} \u{bd} \u{df} \u{1e9e} \u{130} \u{131}",
            "\u{f900} \u{8c48} \u{30d1} \u{30cf}\u{309a} \u{ff8a}\u{ff9f} \u{3000}wide\u{3000}blank a\u{335}b\u{20dd}c\u{489}",
        ],
    ),
    kind(
        "emoji",
        &[
            "\u{1f469}\u{200d}\u{1f52c} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466} \u{1f44b}\u{1f3fd} \u{1f1e9}\u{1f1ea} \u{2764}\u{fe0f} \u{2764}\u{fe0e}",
            "1\u{fe0f}\u{20e3} \u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} \u{1f9d1}\u{1f3ff}\u{200d}\u{2764}\u{fe0f}\u{200d}\u{1f9d1} :-) :smile:",
        ],
    ),
    kind(
        "right_to_left",
        &[
            "\u{5e4}\u{5d5}\u{5dc}\u{5d9}\u{5e1}\u{5d4} \u{5e2}\u{5d1}\u{5d5}\u{5e8} ABC 123 (\u{5d1}\u{5d9}\u{5d8}\u{5d5}\u{5d7})",
            "\u{648}\u{62b}\u{64a}\u{642}\u{629} \u{627}\u{644}\u{62a}\u{623}\u{645}\u{64a}\u{646} \u{644}\u{627} \u{fefb} \u{640}\u{640} \u{64b}\u{651}",
            "\u{200f}a\u{200e}b \u{202a}c\u{202c} \u{202b}d\u{202c} \u{202d}e\u{202c} \u{202e}f\u{202c} \u{2066}g\u{2069} \u{2067}h\u{2069} \u{2068}i\u{2069} \u{61c}",
        ],
    ),
    kind(
        "other_scripts",
        &[
            "\u{4fdd}\u{967a}\u{8a3c}\u{5238}\u{306f}\u{5fc5}\u{305a}\u{304a}\u{8aad}\u{307f}\u{304f}\u{3060}\u{3055}\u{3044}\u{3002}\u{300e}\u{7d04}\u{6b3e}\u{300f}\u{ff08}\u{7b2c}\u{4e00}\u{6761}\u{ff09}",
            "\u{ac00}\u{c785}\u{c790} \u{e01}\u{e23}\u{e21}\u{e18}\u{e23}\u{e23}\u{e21}\u{e4c} \u{915}\u{94d}\u{937}\u{93f} \u{b95}\u{bca} \u{1780}\u{17d2}\u{1798} \u{10d0}\u{10d1} \u{531}\u{532}",
            "\u{20000}\u{2a6d6} \u{1d400}\u{1d6c2} \u{10400} \u{13000} \u{1f0a1} \u{e000} \u{f8ff} \u{10fffd} \u{ffff} \u{fffe} \u{fffd}",
            "I\u{307}stanbul \u{131}\u{15f}\u{131}k STRASSE stra\u{df}e \u{3c3}\u{3c2} \u{3a3} \u{1f50} na\u{ef}ve \u{142}\u{f3}d\u{17a} \u{450} \u{491}",
        ],
    ),
    kind(
        "invisible",
        &[
            "a\u{200b}b\u{200c}c\u{200d}d\u{2060}e\u{feff}f\u{ad}g\u{180e}h\u{34f}i\u{2061}j\u{fe00}k\u{115f}l\u{e0001}m",
            "a\u{a0}b\u{202f}c\u{2007}d\u{2009}e\u{200a}f\u{3000}g\u{1680}h\u{2003}i\u{205f}j",
            "a\u{1}b\u{8}c\u{e}d\u{1a}e\u{1b}[31mf\u{1b}[0m g\u{7f}h\u{80}i\u{9f}j",
        ],
    ),
    kind(
        "blanks",
        &[
            "    four before",
            "\tone tab before",
            "two after  ",
            "tab after\t",
            "a  b   c    d\t\te",
            "",
            "   ",
            "\u{a0}\u{a0}no-break around\u{a0}\u{a0}",
            "\u{3000}ideographic before",
            ".",
            "-",
            "\u{2028}line\u{2029}paragraph\u{85}next\u{b}tab",
        ],
    ),
    kind(
        "capitals",
        &[
            "ALL CAPITALS",
            "all small",
            "mIxEd",
            "iPhone McX \u{1c5} \u{149}",
            "X",
            "a",
        ],
    ),
];

/// Characters beyond the size limit of a chunk.
const BEYOND: usize = 137;

/// Long lines without a line end: of characters of each length in UTF-8, from each offset.
pub(super) fn long_lines(limit: usize) -> Vec<(&'static str, String)> {
    let fill =
        |pattern: &str, chars: usize| pattern.chars().cycle().take(chars).collect::<String>();
    let three = "\u{4fdd}\u{967a}\u{8a3c}\u{5238}\u{306e}\u{7d04}\u{6b3e}";
    let long = limit + BEYOND;
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} all ok ";
    vec![
        ("letters", fill("abcdefghij", 2 * long)),
        ("words", fill("the premium is payable ", 2 * long)),
        (
            "two_bytes",
            format!("x{}", fill("\u{436}\u{45f}\u{5d0}\u{5d1}", long)),
        ),
        ("three_bytes", fill(three, 2 * long)),
        ("three_bytes_from_1", format!("x{}", fill(three, long))),
        ("three_bytes_from_2", format!("xy{}", fill(three, long))),
        ("emoji_sequences", fill(family, long)),
        ("emoji_sequences_from_1", format!("x{}", fill(family, long))),
        ("combining_marks", fill("e\u{301}", long)),
        (
            "address",
            format!("https://example.com/?q={}", fill("a%20b+c&", long)),
        ),
        ("blanks", format!("a{}b", " ".repeat(limit / 2))),
    ]
}

/// Whole texts: what a cleaner takes for something other than text, and the shortest ones.
pub(super) const WHOLE_TEXTS: &[(&str, &str)] = &[
    (
        "front_matter",
        "---\ntitle: Policy\ntags: [a, b]\n---\n\n# Policy\n\nIts text.\n",
    ),
    (
        "toml_front_matter",
        "+++\ntitle = 'Policy'\n+++\n\nIts text.\n",
    ),
    ("a_code_fence", "```markdown\n# Policy\n\nIts text.\n```\n"),
    (
        "json",
        "{\"text\": \"# Policy\", \"md\": null, \"pages\": [{\"page\": 1}]}",
    ),
    ("a_json_string", "\"# Policy\\n\\nIts text.\""),
    (
        "html",
        "<!DOCTYPE html>\n<html><head><title>t</title></head>\n<body>Its text.</body></html>\n",
    ),
    ("xml", "<?xml version=\"1.0\"?>\n<policy><holder/></policy>"),
    ("a_table_only", "|a|b|\n|-|-|\n|1|2|"),
    ("a_heading_only", "# Policy"),
    ("an_image_only", "![scan](page_1.png)"),
    ("an_address_only", "https://example.com/policy"),
    ("a_control_word_only", "<|endoftext|>"),
    ("a_number_only", "0"),
    ("the_word_null", "null"),
    ("the_word_none", "None"),
    ("the_word_false", "false"),
    ("one_letter", "x"),
    ("one_ideograph", "\u{4fdd}"),
    ("one_emoji", "\u{1f469}\u{200d}\u{1f52c}"),
    ("punctuation_only", "...\n\n---\n"),
    (
        "an_error_message",
        "Error: the document could not be parsed",
    ),
    ("carriage_returns_only", "# One\r\rfirst\rsecond\r"),
    ("no_line_end", "# One\n\nno line end"),
    ("many_line_ends", "\n\n\n# One\n\n\n\n\ntext\n\n\n\n\n"),
    ("a_mark_at_the_beginning", "\u{feff}\u{200b}# One\n\ntext"),
    ("stop_words_only", "the of and a to in is it"),
];
