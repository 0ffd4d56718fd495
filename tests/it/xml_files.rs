//! The plugin's XML and the program describe one module: fields, error types and texts must agree.
//!
//! Whatever a person reads in BILLmanager comes from this file, and nothing tells at run time that a text is missing or
//! that a field is stored under a name nobody reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use pmvmmanager6::config::MODULE;
use pmvmmanager6::error::Kind;
use pmvmmanager6::settings::{self, Place, SETTINGS};
use pmvmmanager6::wire::{self, Element};

const LANGUAGES: [&str; 3] = ["en", "ru", "es"];
/// Texts that are the same in English and Spanish, with the reason.
const SAME_IN_SPANISH: [(&str, &str); 5] = [
    ("desc_short_pmvmmanager6", "the product's name"),
    ("pmvmmanager6", "the product's name"),
    ("module_pmvmmanager6", "the product's name"),
    ("url", "the same word"),
    ("placeholder_", "an example is the same for all"),
];
/// Parameters of an error document that a text may show.
const MACROS: [&str; 2] = ["__object__", "__value__"];

/// Texts of one language by section and name.
type Texts = BTreeMap<(String, String), String>;

/// What the real binary answers to `--command features`.
pub(crate) fn features() -> Element {
    let output = Command::new(env!("CARGO_BIN_EXE_pmvmmanager6"))
        .args(["--command", "features"])
        .output()
        .expect("the module starts");
    assert!(output.status.success());
    wire::parse(&output.stdout).expect("features answers XML")
}

/// The `name` attributes of the `tag` children of the group `group` in the answer to `features`.
pub(crate) fn declared(group: &str, tag: &str) -> Vec<String> {
    let answer = features();
    names(answer.find(group).expect(group), tag)
}

fn source() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("xml/billmgr_mod_{MODULE}.xml"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn plugin() -> Element {
    wire::parse(source().as_bytes()).expect("the plugin's XML is well-formed")
}

fn names(parent: &Element, tag: &str) -> Vec<String> {
    parent.all(tag).map(|child| name(child).to_owned()).collect()
}

fn name(element: &Element) -> &str {
    element.get("name").unwrap_or_else(|| panic!("<{}> has no name", element.name))
}

fn named<'a>(parent: &'a Element, tag: &'a str, wanted: &str) -> Option<&'a Element> {
    parent.all(tag).find(|child| name(child) == wanted)
}

/// The handler's form with the fields of both its pages: those of the wizard's third and fourth step.
fn page(plugin: &Element) -> Element {
    let form = named(plugin, "metadata", &format!("processing.edit.{MODULE}")).expect("the handler's form");
    let form = form.find("form").expect("form");
    // The name of the first is the likelier one of two [protocol 6.2, 7.5]; the second is BILLmanager's own [protocol A1].
    assert_eq!(names(form, "page"), ["connect", "settings"]);
    Element::new("page").children(form.all("page").flat_map(|page| page.all("field")).cloned())
}

/// The module's fields of a tariff.
fn tariff(plugin: &Element) -> &Element {
    let form = named(plugin, "metadata", &format!("pricelist.{MODULE}")).expect("the tariff form");
    form.find("form").expect("form")
}

/// The input of a field: one, and called like the field.
fn input(field: &Element) -> &Element {
    let [input] = field.children.as_slice() else { panic!("field {} has not one input", name(field)) };
    assert!(["input", "select"].contains(&input.name.as_str()), "{}", input.name);
    assert_eq!(name(input), name(field));
    input
}

fn field<'a>(page: &'a Element, wanted: &str) -> &'a Element {
    input(named(page, "field", wanted).unwrap_or_else(|| panic!("no field {wanted}")))
}

fn texts(plugin: &Element, language: &str) -> Texts {
    let mut texts = Texts::new();
    for section in named(plugin, "lang", language).expect(language).all("messages") {
        for message in section.all("msg") {
            let key = (name(section).to_owned(), name(message).to_owned());
            assert_eq!(message.children, [], "{key:?} holds markup");
            assert_eq!(texts.insert(key.clone(), message.text.clone()), None, "{language}: {key:?} is there twice");
        }
    }
    texts
}

/// Names of the texts of one section.
fn section(texts: &Texts, wanted: &str) -> BTreeSet<String> {
    texts.keys().filter(|(section, _)| section == wanted).map(|(_, name)| name.clone()).collect()
}

/// Words of the form `__word__`, which BILLmanager replaces, and `@WORD@`, which a person types.
fn macros(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '@')
        .filter(|word| word.starts_with("__") || word.len() > 1 && word.starts_with('@'))
        .collect()
}

fn set(names: impl IntoIterator<Item = impl Into<String>>) -> BTreeSet<String> {
    names.into_iter().map(Into::into).collect()
}

#[test]
fn the_plugin_record_is_the_module_s() {
    let plugin = plugin();
    let record = named(&plugin, "plugin", MODULE).expect("the plugin record");
    assert_eq!(record.value("group"), "processing_module");
    let params = record.find("params").expect("params");
    assert_eq!(names(params, "type"), declared("itemtypes", "itemtype"));
    let languages: Vec<_> = params.all("priority").filter_map(|priority| priority.get("lang")).collect();
    assert_eq!(set(languages), set(LANGUAGES));
}

#[test]
fn the_fields_of_the_form_are_the_declared_parameters() {
    let (plugin, answer) = (plugin(), features());
    let page = page(&plugin);
    let params = answer.find("params").expect("params");
    assert_eq!(names(&page, "field"), names(params, "param"), "the same names in the same order");
    for field in page.all("field") {
        let crypted = named(params, "param", name(field)).and_then(|param| param.get("crypted")) == Some("yes");
        let hidden = input(field).get("type") == Some("password");
        assert_eq!(hidden, crypted, "{}: what is stored encrypted is not shown, and the reverse", name(field));
    }
}

/// The answer to `features` has the table's rows; a field is on the page that its row names.
#[test]
fn the_table_of_settings_is_what_is_declared_and_shown() {
    let (plugin, answer) = (plugin(), features());
    let params = answer.find("params").expect("params");
    for (tag, rows) in [("param", settings::form().collect::<Vec<_>>()), ("customparam", settings::custom().collect())]
    {
        let names_of_rows: Vec<&str> = rows.iter().map(|row| row.name).collect();
        assert_eq!(names(params, tag), names_of_rows);
    }
    let form = named(&plugin, "metadata", &format!("processing.edit.{MODULE}")).expect("the handler's form");
    let pages: Vec<&Element> = form.find("form").expect("form").all("page").collect();
    for row in SETTINGS.iter().filter(|row| row.place != Place::Custom) {
        let wanted = if row.place == Place::Settings { "settings" } else { "connect" };
        let holders: Vec<&str> =
            pages.iter().filter(|page| named(page, "field", row.name).is_some()).map(|page| name(page)).collect();
        assert_eq!(holders, [wanted], "{}", row.name);
    }
}

#[test]
fn selects_have_somebody_who_fills_them() {
    let (plugin, features) = (plugin(), declared("features", "feature"));
    let has = |feature: &str| features.iter().any(|name| name == feature);
    let page = page(&plugin);
    let cluster = field(&page, "cluster");
    let kind = if has("tune_connection") { "select" } else { "input" };
    assert_eq!(cluster.name, kind, "tune_connection fills the list of clusters; without it nobody could choose one");
    assert!(has("pricelist_dynamic_settings") && has("pricelist_dynamic_settings_tune"), "the tariff form needs both");
    let selects: Vec<&str> = tariff(&plugin).all("field").map(input).filter(|i| i.name == "select").map(name).collect();
    assert_eq!(selects, ["cluster", "preset", "ippool"], "pricelist_dynamic_settings_tune fills these");
}

#[test]
fn the_fingerprint_is_shown_only_when_it_is_used() {
    let plugin = plugin();
    let page = page(&plugin);
    let select = field(&page, "tls_verify");
    let options: Vec<&str> = select.all("msg").map(|option| option.text.as_str()).collect();
    assert_eq!(options, ["system", "pinned", "off"], "the safe way first: it is what a new handler gets");
    let hides: Vec<_> = select.all("if").map(|rule| (rule.get("value"), rule.get("hide"))).collect();
    let hide = Some("tls_fingerprint");
    assert_eq!(hides, [(Some("system"), hide), (Some("off"), hide)]);
    for option in options {
        assert_ne!(setting_refused(option), Some("tls_verify".to_owned()), "the module does not know {option}");
    }
    assert_eq!(setting_refused("sometimes").as_deref(), Some("tls_verify"));
}

/// The setting that `check_connection` refuses as `bad_param`, with nobody listening at the address.
fn setting_refused(tls_verify: &str) -> Option<String> {
    let root = tempfile::tempdir().expect("a temporary root");
    fs::create_dir(root.path().join("var")).expect("var");
    let settings = [
        ("url", "https://127.0.0.1:1"),
        ("username", "admin@example.com"),
        ("password", "secret"),
        ("tls_verify", tls_verify),
        ("tls_fingerprint", &"0f".repeat(32)),
    ];
    let form = Element::new("processingmodule").children(settings.map(|(name, value)| Element::with_text(name, value)));
    let mut module = Command::new(env!("CARGO_BIN_EXE_pmvmmanager6"))
        .args(["--command", "check_connection"])
        .env("PMVMMANAGER6_ROOT", root.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the module starts");
    let document = Element::new("doc").child(form).document();
    module.stdin.take().expect("stdin").write_all(document.as_bytes()).expect("the form is written");
    let output = module.wait_with_output().expect("the module ends");
    let answer = wire::parse(&output.stdout).expect("an answer");
    let error = answer.find("error").expect("nobody listens there");
    (error.get("type") == Some("bad_param")).then(|| error.get("object").unwrap_or_default().to_owned())
}

#[test]
fn every_error_type_has_its_text_and_no_text_is_left_over() {
    let plugin = plugin();
    let types = set(Kind::ALL.iter().map(|kind| format!("msg_error_{}", kind.name())));
    for language in LANGUAGES {
        let texts = texts(&plugin, language);
        assert_eq!(section(&texts, "msgerror"), types, "{language}");
        for ((_, name), text) in texts.iter().filter(|((section, _), _)| section == "msgerror") {
            let used = macros(text);
            assert!(used.contains("__value__"), "{language} {name} hides what happened: {text}");
            assert!(used.iter().all(|word| MACROS.contains(word)), "{language} {name}: {used:?}");
        }
    }
}

#[test]
fn every_text_is_used() {
    let plugin = plugin();
    for language in LANGUAGES {
        let texts = texts(&plugin, language);
        let sections: BTreeSet<String> = texts.keys().map(|(section, _)| section.clone()).collect();
        let form = format!("processing.edit.{MODULE}");
        let custom = format!("processing.customparam.names.{MODULE}");
        let prices = format!("pricelist.{MODULE}");
        assert_eq!(
            sections,
            set(["plugin", "label_processing_modules", "msgerror", &form, &custom, &prices]),
            "{language}"
        );
        let record = ["desc_short", "desc_full", "price"].map(|name| format!("{name}_{MODULE}"));
        assert_eq!(section(&texts, "plugin"), set(record));
        assert_eq!(section(&texts, "label_processing_modules"), set([MODULE.to_owned(), format!("module_{MODULE}")]));
        assert_eq!(section(&texts, &custom), set(declared("params", "customparam")), "{language}");
        assert_eq!(section(&texts, &form), form_texts(&page(&plugin)), "{language}");
        assert_eq!(section(&texts, &prices), form_texts(tariff(&plugin)), "{language}");
    }
}

/// Every field needs a caption and a hint, a line of text a placeholder, an option its words.
fn form_texts(page: &Element) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    for field in page.all("field") {
        let (name, input) = (name(field), input(field));
        needed.extend([name.to_owned(), format!("hint_{name}")]);
        needed.extend(input.all("msg").map(|option| option.text.clone()));
        if input.name == "input" && input.get("type") == Some("text") {
            needed.insert(format!("placeholder_{name}"));
        }
    }
    needed
}

#[test]
fn all_languages_say_the_same() {
    let plugin = plugin();
    assert_eq!(names(&plugin, "lang"), LANGUAGES, "English first: a missing language falls back to it");
    let [english, others @ ..] = LANGUAGES.map(|language| (language, texts(&plugin, language)));
    for (language, other) in &others {
        let keys = |texts: &Texts| set(texts.keys().map(|key| format!("{key:?}")));
        assert_eq!(keys(&english.1), keys(other), "{language}");
        for (key, text) in &english.1 {
            let (name, other) = (&key.1, &other[key]);
            assert_eq!(macros(text), macros(other), "{language} {key:?}");
            let example = name.starts_with("placeholder_");
            assert!(!example || text == other, "{language} {key:?}: an example is the same for all");
        }
    }
}

#[test]
fn every_text_is_in_its_language() {
    let plugin = plugin();
    let [english, russian, spanish] = LANGUAGES.map(|language| texts(&plugin, language));
    let cyrillic = |text: &str| text.chars().any(|c| ('а'..='я').contains(&c));
    for (key, text) in &english {
        let translated = key.0 == "msgerror" || key.1.starts_with("hint_");
        assert!(!translated || cyrillic(&russian[key]), "{key:?} is not translated: {}", russian[key]);
        assert!(!cyrillic(text) && !cyrillic(&spanish[key]), "{key:?} is Russian");
        let same =
            SAME_IN_SPANISH.iter().any(|(name, _)| key.1 == *name || name.ends_with('_') && key.1.starts_with(name));
        assert_eq!(*text == spanish[key], same, "{key:?} in Spanish: {}", spanish[key]);
    }
}

#[test]
fn texts_are_tidy() {
    let plugin = plugin();
    for (key, text) in LANGUAGES.iter().flat_map(|language| texts(&plugin, language)) {
        assert!(!text.is_empty() && text.trim() == text && !text.contains("  ") && !text.contains('\n'), "{key:?}");
        let hint = key.1.starts_with("hint_");
        assert!(!hint || !text.ends_with('.'), "{key:?}: a hint ends without a full stop");
    }
}

#[test]
fn names_are_given_once() {
    let plugin = plugin();
    let once = |names: Vec<String>, what: &str| {
        let count = names.len();
        assert_eq!(set(names).len(), count, "{what}");
    };
    for tag in ["plugin", "metadata", "lang"] {
        once(names(&plugin, tag), tag);
    }
    once(names(&page(&plugin), "field"), "fields");
    once(names(tariff(&plugin), "field"), "fields of a tariff");
    for language in plugin.all("lang") {
        once(names(language, "messages"), name(language));
    }
}

/// Our reader forgives two hyphens inside a comment; BILLmanager's does not, and would drop the whole module.
#[test]
fn comments_are_legal() {
    let source = source();
    for comment in source.split("<!--").skip(1) {
        let (comment, _) = comment.split_once("-->").expect("the comment ends");
        assert!(!comment.contains("--"), "{comment}");
    }
}
