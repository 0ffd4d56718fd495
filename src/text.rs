//! Foreign text as it may be shown. Clients, VMmanager and BILLmanager write what they like; on a terminal, in a log
//! line or in an argument list it must stay one short line that says nothing but its letters.

use std::borrow::Cow;
use std::fmt::Write as _;

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

/// Of a text that is longer than `most` characters the beginning; it says by its end that it was cut.
pub fn cut(mut text: String, most: usize) -> String {
    if text.len() > most && text.chars().nth(most).is_some() {
        let end = text.char_indices().nth(most.saturating_sub(1)).map_or(0, |(at, _)| at);
        text.truncate(end);
        text.push(ELLIPSIS);
        text.shrink_to_fit();
    }
    text
}

/// Control characters (C0 with ESC, DEL, C1), line separators, controls of the direction of writing, and what is not
/// seen at all: a name with such a letter looks like another one.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A page of ours without what a foreign text may have brought in: of control characters only line breaks stay, and the
/// sequences by which the page itself chooses colours.
pub fn page(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| is_unsafe(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('\u{1b}');
    let shown = |part: &str| part.chars().map(|c| if is_unsafe(c) && c != '\n' { REPLACEMENT } else { c }).collect();
    let mut clean: String = parts.next().map(shown).unwrap_or_default();
    for part in parts {
        clean.push(if is_colour(part) { '\u{1b}' } else { REPLACEMENT });
        clean.push_str(&shown(part));
    }
    Cow::Owned(clean)
}

/// `[1;31m` at the beginning.
fn is_colour(sequence: &str) -> bool {
    let numbers =
        sequence.strip_prefix('[').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
    numbers.is_some_and(|rest| rest.starts_with('m'))
}

/// JSON with what must not be shown written as `\u`: the document means the same. Its line breaks stay.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    let must_go = |c| is_unsafe(c) && c != '\n';
    if !json.contains(must_go) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if must_go(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(escaped, "\\u{unit:04x}"));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Letters with many unsafe ones among them.
    fn foreign() -> impl Strategy<Value = String> {
        let unsafe_ones: Vec<char> = (0..0xe_0080).filter_map(char::from_u32).filter(|&c| is_unsafe(c)).collect();
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
    fn a_page_keeps_its_own_colours() {
        let page_of = |text| page(text).into_owned();
        assert_eq!(
            page_of("\u{1b}[1mok\u{1b}[0m\n\u{1b}[1;31mno\u{1b}[m\n"),
            "\u{1b}[1mok\u{1b}[0m\n\u{1b}[1;31mno\u{1b}[m\n"
        );
        assert_eq!(
            page_of("\u{1b}[2J\u{1b}]52;c;x\u{7}a\rb\u{9b}1m"),
            "\u{fffd}[2J\u{fffd}]52;c;x\u{fffd}a\u{fffd}b\u{fffd}1m"
        );
        assert_eq!(page_of("\u{1b}"), "\u{fffd}");
    }

    #[test]
    fn what_is_replaced_and_what_stays() {
        let cases = [
            ("a\tb\r\nc\u{2028}d", "a b  c d"),
            ("\u{1b}[2J\u{9b}1m\u{7f}\0", "\u{fffd}[2J\u{fffd}1m\u{fffd}\u{fffd}"),
            ("\u{202e}gpj.exe\u{2066}\u{200f}\u{61c}", "\u{fffd}gpj.exe\u{fffd}\u{fffd}\u{fffd}"),
            ("a\u{200b}b\u{ad}c\u{feff}d\u{2060}\u{e0041}", "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}\u{fffd}"),
            ("пусто שלום 中文 👍 é <&> \"", "пусто שלום 中文 👍 é <&> \""),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text, LONGEST), expected);
        }
        assert_eq!(clean("12345", 5), "12345");
        assert_eq!(clean("123456", 5), "1234…");
    }
}
