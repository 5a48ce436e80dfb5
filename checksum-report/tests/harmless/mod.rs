//! What no report may contain, whatever text is in it. The fuzz target `reports` uses it too.

use checksum_report::text;

pub(crate) fn assert_harmless(written: &str) {
    for character in written.chars() {
        let is_allowed = character == '\n'
            || !character.is_control()
                && !text::is_invisible(character)
                && !matches!(character, '\u{2028}' | '\u{2029}');
        assert!(is_allowed, "{character:?} in {written}");
    }
    for line in written.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
        assert!(!line.starts_with("--- "), "{line}");
        for command in ["##vso[", "##[", "##teamcity[", "section_start:"] {
            assert!(!line.contains(command), "{line}");
        }
    }
}
