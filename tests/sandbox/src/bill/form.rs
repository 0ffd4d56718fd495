//! A handler's forms as the panel draws them from the plugin XML: the third and the fourth step of the wizard, and the
//! form of a handler that exists [protocol 3.2, 3.3, 6.2, A1, A2].
//!
//! A page has the fields that the plugin puts on it and no others. The panel asks the module when a page opens, when a
//! field changes that says so, and when a page is sent; what it may not send, an empty field that must be filled or an
//! entry that is not in the list, is a mistake of the test.

use std::collections::BTreeMap;

use super::catalogue::{CRYPTED, PLAIN, handler_row, put_setting};
use super::operation::Run;
use super::plugin::{Field, Plugin};
use super::store::values;
use super::{Bill, MODULE, base, must};
use crate::xml::Node;

/// Pages of the metadata: what the third step of the wizard shows, and what the fourth shows.
const PAGES: [&str; 2] = ["connect", "settings"];

/// How the panel writes what no source shows [protocol A2].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// `func` is a child of the document, not an attribute.
    pub func_is_child: bool,
    /// Where the values of the third step are in the document of the fourth.
    pub carried: Carried,
}

/// Where the values of the third step are in the document of the fourth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carried {
    /// Beside those of the fourth step.
    #[default]
    Beside,
    /// One level deeper, with the other parameters of the request.
    Deeper,
    /// As `<param name="url">` one level deeper.
    AsParams,
    /// Nowhere: the panel keeps them for itself.
    Nowhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connect,
    Settings,
    Edit(u64),
}

/// An open form.
pub struct Form<'a> {
    bill: &'a Bill,
    plugin: Plugin,
    style: Style,
    step: Step,
    /// What is typed in, by field.
    typed: BTreeMap<String, String>,
    /// Value and text of each entry, by list.
    lists: BTreeMap<String, Vec<(String, String)>>,
}

impl Bill {
    /// The first step of the wizard: products that a handler can sell through the module.
    pub fn products(&self) -> Vec<String> {
        must(Plugin::read(&self.root)).products()
    }

    /// The second step: names of the modules for a product.
    pub fn modules(&self, product: &str) -> Vec<String> {
        let plugin = must(Plugin::read(&self.root));
        if plugin.products().iter().any(|known| known == product) { vec![plugin.title()] } else { Vec::new() }
    }

    /// The third step, opened.
    ///
    /// # Errors
    /// The run of the module that has refused to open it.
    pub fn wizard(&self, style: Style) -> Result<Form<'_>, Box<Run>> {
        Form::open(self, style, Step::Connect, BTreeMap::new())
    }

    /// The form of a handler that exists; its password is not shown.
    ///
    /// # Errors
    /// The run of the module that has refused to open it.
    pub fn open_handler(&self, handler: u64, style: Style) -> Result<Form<'_>, Box<Run>> {
        let sql = "SELECT intname, value FROM processingparam WHERE processingmodule = ?";
        let rows = self.ask(|store| store.rows(sql, values![handler]));
        let pair = |mut row: super::Row| Some((row[0].take()?, row[1].take().unwrap_or_default()));
        Form::open(self, style, Step::Edit(handler), rows.into_iter().filter_map(pair).collect())
    }
}

impl<'a> Form<'a> {
    fn open(bill: &'a Bill, style: Style, step: Step, typed: BTreeMap<String, String>) -> Result<Self, Box<Run>> {
        let plugin = must(Plugin::read(&bill.root));
        let mut form = Form { bill, plugin, style, step, typed, lists: BTreeMap::new() };
        form.ask(&[])?;
        Ok(form)
    }

    /// The module's fields that are shown.
    pub fn fields(&self) -> Vec<Field> {
        let pages: &[&str] = match self.step {
            Step::Connect => &PAGES[..1],
            Step::Settings => &PAGES[1..],
            Step::Edit(_) => &PAGES,
        };
        pages.iter().flat_map(|page| self.plugin.page(page)).collect()
    }

    /// Values and texts that a list offers, as people see them.
    pub fn list(&self, name: &str) -> Vec<(String, String)> {
        let own = self.field(name).select.unwrap_or_default();
        let own = own.iter().map(|value| (value.clone(), self.plugin.shown(&Node::new("msg", value))));
        own.chain(self.lists.get(name).cloned().unwrap_or_default()).collect()
    }

    /// Types into a field.
    ///
    /// # Errors
    /// The run of the module that was asked because of the change and has failed.
    #[track_caller]
    pub fn fill(&mut self, name: &str, value: &str) -> Result<(), Box<Run>> {
        let field = self.field(name);
        self.typed.insert(name.to_owned(), value.to_owned());
        if field.asks { self.ask(&[("sv_field", name)]) } else { Ok(()) }
    }

    /// Sends the third step; the fourth opens.
    ///
    /// # Errors
    /// The run of the module that has refused one of both.
    #[track_caller]
    pub fn send(&mut self) -> Result<(), Box<Run>> {
        assert_eq!(self.step, Step::Connect, "the fourth step is the last one");
        self.require();
        self.ask(&[("sok", "ok"), ("clicked_button", "next")])?;
        self.step = Step::Settings;
        self.lists.clear();
        self.ask(&[])
    }

    /// Back to the third step.
    ///
    /// # Errors
    /// The run of the module that has refused that.
    pub fn back(&mut self) -> Result<(), Box<Run>> {
        self.ask(&[("sok", "ok"), ("clicked_button", "back")])?;
        self.step = Step::Connect;
        self.ask(&[])
    }

    /// Sends the last step, or the form of a handler that exists, and stores the handler; its id.
    ///
    /// # Errors
    /// The run of the module that has refused: nothing is stored.
    #[track_caller]
    pub fn save(&mut self, name: &str) -> Result<u64, Box<Run>> {
        assert_ne!(self.step, Step::Connect, "the third step is not the last one");
        self.require();
        self.ask(&[("sok", "ok"), ("clicked_button", "finish")])?;
        self.check()?;
        Ok(self.store(name))
    }

    #[track_caller]
    fn field(&self, name: &str) -> Field {
        let found = self.fields().into_iter().find(|field| field.name == name);
        found.unwrap_or_else(|| panic!("{name} is not on this page"))
    }

    fn value(&self, name: &str) -> &str {
        self.typed.get(name).map_or("", String::as_str)
    }

    /// What the panel does not send is not sent.
    #[track_caller]
    fn require(&self) {
        for field in self.fields() {
            let value = self.value(&field.name);
            let kept = field.name == "password" && matches!(self.step, Step::Edit(_));
            assert!(!field.required || kept || !value.is_empty(), "{} must be filled in", field.name);
            let known = field.select.is_none() || value.is_empty();
            assert!(known || self.list(&field.name).iter().any(|(key, _)| key == value), "{value} cannot be chosen");
        }
    }

    /// Runs `tune_connection` for the page as it is and takes its lists over.
    fn ask(&mut self, more: &[(&str, &str)]) -> Result<(), Box<Run>> {
        let run = self.run("tune_connection", &self.document(more))?;
        let answer = must(Node::parse(&run.stdout));
        for list in answer.all("slist") {
            let entry = |entry: &Node| (entry.get("key").unwrap_or(&entry.text).to_owned(), self.plugin.shown(entry));
            let name = list.get("name").unwrap_or_default().to_owned();
            self.lists.insert(name, list.children.iter().map(entry).collect());
        }
        Ok(())
    }

    fn run(&self, command: &str, document: &Node) -> Result<Box<Run>, Box<Run>> {
        let run = Box::new(self.bill.run_with_input(&["--command", command], &document.write()));
        if run.status == Some(0) { Ok(run) } else { Err(run) }
    }

    fn document(&self, more: &[(&str, &str)]) -> Node {
        let func = match self.step {
            Step::Connect => "processing.add.user",
            Step::Settings => "processing.add.settings",
            Step::Edit(_) => "processing.edit",
        };
        let node = |(name, value): (&str, &str)| Node::new(name, value);
        let document = Node::new("doc", "").attribute("lang", "en").attribute("binary", "/billmgr");
        let document = if self.style.func_is_child {
            document.with([node(("func", func))])
        } else {
            document.attribute("func", func)
        };
        let elid = if let Step::Edit(handler) = self.step { handler.to_string() } else { String::new() };
        // The page of the fourth step is BILLmanager's own, as are these fields of it.
        let own = [("name", ""), ("datacenter", "1"), ("department", "1"), ("orderpriority", "")];
        let own = own.into_iter().filter(|_| self.step != Step::Connect);
        let fields = self.fields().into_iter().map(|field| Node::new(&field.name, self.sent(&field)));
        document
            .with([Node::new("elid", &elid)])
            .with(own.map(node))
            .with(fields)
            .with(self.carried())
            .with(more.iter().copied().map(node))
    }

    /// A box that is not ticked is `off`.
    fn sent(&self, field: &Field) -> &str {
        let value = self.value(&field.name);
        if field.checkbox && value.is_empty() { "off" } else { value }
    }

    /// The values of the third step in the document of the fourth.
    fn carried(&self) -> Vec<Node> {
        if self.step != Step::Settings {
            return Vec::new();
        }
        let fields = self.plugin.page(PAGES[0]);
        let plain = || fields.iter().map(|field| Node::new(&field.name, self.sent(field)));
        let as_param = |field: Node| Node::new("param", &field.text).attribute("name", &field.name);
        match self.style.carried {
            Carried::Beside => plain().collect(),
            Carried::Deeper => vec![Node::new("tparams", "").with(plain())],
            Carried::AsParams => vec![Node::new("tparams", "").with(plain().map(as_param))],
            Carried::Nowhere => Vec::new(),
        }
    }

    /// `check_connection` of what is about to be stored, in plain text.
    fn check(&self) -> Result<(), Box<Run>> {
        let id = if let Step::Edit(handler) = self.step { handler.to_string() } else { String::new() };
        let fields = self.all_fields().into_iter().map(|field| Node::new(&field.name, self.sent(&field)));
        let entered = Node::new("processingmodule", "").with([Node::new("id", &id)]).with(fields);
        self.run("check_connection", &Node::new("doc", "").with([entered])).map(drop)
    }

    fn all_fields(&self) -> Vec<Field> {
        PAGES.iter().flat_map(|page| self.plugin.page(page)).collect()
    }

    /// Stores what the module's `features` declare: an empty password of a handler that exists is not changed.
    fn store(&self, name: &str) -> u64 {
        let features = self.bill.run(&["--command", "features"]);
        let features = must(Node::parse(&features.stdout));
        let params = features.find("params").cloned().unwrap_or_default();
        let names = |tag: &str, crypted: bool| -> Vec<String> {
            let wanted = params.all(tag).filter(|param| (param.get("crypted") == Some("yes")) == crypted);
            wanted.filter_map(|param| Some(param.get("name")?.to_owned())).collect()
        };
        let fields = self.all_fields();
        let sent = |name: &String| fields.iter().find(|field| field.name == *name).map_or("", |it| self.sent(it));
        let plain: Vec<_> = names("param", false).into_iter().map(|name| (sent(&name).to_owned(), name)).collect();
        let crypted = names("param", true).into_iter().filter(|name| !self.value(name).is_empty());
        let crypted: Vec<_> = crypted.map(|name| (self.bill.encrypt(self.value(&name)), name)).collect();
        self.bill.change(|store| {
            let handler = if let Step::Edit(handler) = self.step {
                handler
            } else {
                let handler = handler_row(store, name, MODULE, base::DATACENTER)?;
                // The custom parameters are there from the beginning, empty [protocol A14].
                for name in names("customparam", false) {
                    put_setting(store, PLAIN, handler, &name, "")?;
                }
                handler
            };
            for (table, rows) in [(PLAIN, &plain), (CRYPTED, &crypted)] {
                for (value, name) in rows {
                    put_setting(store, table, handler, name, value)?;
                }
            }
            Ok(handler)
        })
    }
}
