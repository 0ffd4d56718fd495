//! Foreign text as it may be shown. Clients, VMmanager and BILLmanager write what they like; on a terminal, in a log
//! line or in an argument list it must stay one short line that says nothing but its letters.

use std::borrow::Cow;

/// Characters of a text that people are shown; also the limit of each text of an error.
pub const LONGEST: usize = 2000;

/// In place of a character that must not be shown.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;
/// At the end of a text that was cut.
const ELLIPSIS: char = '…';

/// The text on one line and without characters that move the cursor or turn the direction of writing; of one that is
/// longer than `most` characters the beginning.
pub fn clean(text: &str, most: usize) -> String {
    let shown = |c| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        c if is_unsafe(c) => REPLACEMENT,
        c => c,
    };
    let mut cleaned: String = text.chars().take(most).map(shown).collect();
    if text.chars().nth(most).is_some() && cleaned.pop().is_some() {
        cleaned.push(ELLIPSIS);
    }
    cleaned
}

/// Control characters (C0 with ESC, DEL, C1), line separators and controls of the direction of writing.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// JSON with what must not be shown written as `\u`: the document means the same. Its line breaks stay.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    let must_go = |c| is_unsafe(c) && c != '\n';
    if !json.contains(must_go) {
        return Cow::Borrowed(json);
    }
    let escaped = json.chars().map(|c| if must_go(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() });
    Cow::Owned(escaped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Letters with many unsafe ones among them.
    fn foreign() -> impl Strategy<Value = String> {
        let unsafe_ones: Vec<char> = (0..0x2070).filter_map(char::from_u32).filter(|&c| is_unsafe(c)).collect();
        let letter = prop_oneof![any::<char>(), proptest::sample::select(unsafe_ones)];
        proptest::collection::vec(letter, 0..60).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn a_clean_text_is_safe_short_and_stays_as_it_is(text in foreign(), most in 0..80_usize) {
            let cleaned = clean(&text, most);
            prop_assert!(!cleaned.contains(is_unsafe), "{cleaned:?}");
            prop_assert_eq!(cleaned.chars().count(), text.chars().count().min(most));
            prop_assert_eq!(clean(&cleaned, most), cleaned);
        }

        #[test]
        fn an_escaped_document_means_the_same(text in foreign()) {
            let value = serde_json::json!({ &text: [&text] });
            let json = serde_json::to_string_pretty(&value).unwrap();
            let escaped = escaped_json(&json);
            prop_assert!(!escaped.replace('\n', "").contains(is_unsafe), "{escaped:?}");
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
    }

    #[test]
    fn what_is_replaced_and_what_stays() {
        let cases = [
            ("a\tb\r\nc\u{2028}d", "a b  c d"),
            ("\u{1b}[2J\u{9b}1m\u{7f}\0", "\u{fffd}[2J\u{fffd}1m\u{fffd}\u{fffd}"),
            ("\u{202e}gpj.exe\u{2066}\u{200f}\u{61c}", "\u{fffd}gpj.exe\u{fffd}\u{fffd}\u{fffd}"),
            ("пусто שלום 中文 👍 é <&> \"", "пусто שלום 中文 👍 é <&> \""),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text, LONGEST), expected);
        }
        assert_eq!(clean("12345", 5), "12345");
        assert_eq!(clean("123456", 5), "1234…");
    }
}
