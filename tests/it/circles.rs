//! No circle of imports, neither between files of `src` nor between its folders.
//!
//! A file uses another when it names something that is defined there: in a `use`, or in a path that begins with `crate`,
//! `super`, `self`, an imported module or a module of its own. What a file only exports counts for the file that
//! defines it, and naming a module counts for nothing: only what is taken out of it does. Methods are not seen, so a file
//! may add methods to a type of a file that it uses. Unit tests are left out.
//!
//! In every folder its files and its folders, each with everything that lies in it, are looked at as the members of one
//! graph, so `admin/queue.rs` and `admin/show/` may not need each other. `cli.rs` and `cli/` are one member.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

type Names = Vec<String>;
/// Who uses whom, with the first place where it does.
type Graph = BTreeMap<String, BTreeMap<String, String>>;

struct File {
    /// `panel/records.rs`.
    path: String,
    /// `panel`, `records`.
    module: Names,
    /// Without comments, texts and tests; lines are where they were.
    text: String,
    /// What `use` brings in, by its name here: absolute paths into this crate.
    imports: BTreeMap<String, Names>,
    /// Absolute paths of everything that the file names, with their lines.
    named: Vec<(usize, Names)>,
}

struct Tree {
    files: BTreeMap<Names, File>,
}

impl Tree {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut paths = Vec::new();
        collect(&root, &mut paths);
        let files = paths.iter().map(|path| File::read(&root, path)).filter(|file| file.path != "main.rs");
        let mut tree = Tree { files: files.map(|file| (file.module.clone(), file)).collect() };
        assert!(tree.files.len() > 100, "the sources are not found");
        let modules: BTreeSet<Names> = tree.files.keys().cloned().collect();
        for file in tree.files.values_mut() {
            file.imports(&modules);
        }
        for file in tree.files.values_mut() {
            file.paths(&modules);
        }
        tree
    }

    /// The file that defines what `path` names; nothing for a module and for what is not found.
    fn definer(&self, path: &[String], depth: usize) -> Option<&File> {
        let mut module = Names::new();
        for (at, name) in path.iter().enumerate() {
            let file = self.files.get(&module)?;
            let inner: Names = module.iter().chain([name]).cloned().collect();
            let is_last = at + 1 == path.len();
            // A function may have the name of the module that it is exported from.
            let exported = file.imports.get(name).filter(|target| **target != inner);
            if self.files.contains_key(&inner) && !(is_last && exported.is_some()) {
                module = inner;
                continue;
            }
            let Some(target) = exported else { return Some(file) };
            let target: Names = target.iter().chain(&path[at + 1..]).cloned().collect();
            return if depth > 8 { None } else { self.definer(&target, depth + 1) };
        }
        None
    }

    /// Who uses whom, each side named by what `node` makes of both paths; nothing for what is one node.
    fn graph(&self, node: impl Fn(&str, &str) -> Option<(String, String)>) -> Graph {
        let mut graph = Graph::new();
        for file in self.files.values() {
            for (line, path) in &file.named {
                let Some(used) = self.definer(path, 0).filter(|used| used.path != file.path) else { continue };
                if let Some((from, to)) = node(&file.path, &used.path) {
                    let place = || format!("src/{}:{line} uses {} of src/{}", file.path, path.join("::"), used.path);
                    graph.entry(from).or_default().entry(to).or_insert_with(place);
                }
            }
        }
        graph
    }
}

impl File {
    fn read(root: &Path, path: &Path) -> Self {
        let relative = path.strip_prefix(root).unwrap();
        let names = relative.with_extension("");
        let names = names.iter().map(|name| name.to_str().unwrap().to_owned());
        let module = names.filter(|name| name != "mod" && name != "lib").collect();
        let text = bare(&fs::read_to_string(path).unwrap());
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
        let path = relative.to_str().unwrap().to_owned();
        File { path, module, text, imports: BTreeMap::new(), named: Vec::new() }
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// A path as it is written here, from the root of the crate; nothing if it leads into another crate.
    fn absolute(&self, path: &[String], modules: &BTreeSet<Names>) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        let inner = || self.module.iter().chain([first]).cloned().collect::<Names>();
        let start = match first.as_str() {
            "crate" => Names::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len().checked_sub(1)?].to_vec(),
            name => match self.imports.get(name) {
                Some(target) => target.clone(),
                None if modules.contains(&inner()) => inner(),
                None => return None,
            },
        };
        match rest.first() {
            Some(next) if next == "super" => {
                let parent = start[..start.len().checked_sub(1)?].to_vec();
                Some(parent.into_iter().chain(rest[1..].iter().cloned()).collect())
            }
            _ => Some(start.into_iter().chain(rest.iter().cloned()).collect()),
        }
    }

    /// The `use` statements: where each begins and ends.
    fn uses(&self) -> Vec<(usize, usize)> {
        let starts = self.text.match_indices("use ").map(|(at, _)| at);
        let begins = starts.filter(|at| {
            let line = self.text[..*at].rsplit('\n').next().unwrap_or_default().trim_start();
            line.is_empty() || line.starts_with("pub")
        });
        begins.filter_map(|at| Some((at, at + self.text[at..].find(';')?))).collect()
    }

    fn imports(&mut self, modules: &BTreeSet<Names>) {
        for (begin, end) in self.uses() {
            let line = self.line(begin);
            let is_export = self.text[..begin].ends_with("pub ");
            for (path, name) in leaves(&self.text[begin + "use ".len()..end]) {
                let is_ours = |path: &[String]| self.absolute(path, modules);
                if let Some(path) = is_ours(&path).filter(|_| name != "*") {
                    if !is_export || self.is_needed(&name) {
                        self.named.push((line, path.clone()));
                    }
                    self.imports.insert(name, path);
                }
            }
        }
    }

    /// Whether code outside of `use` has this name.
    fn is_needed(&self, name: &str) -> bool {
        let uses = self.uses();
        self.text.match_indices(name).any(|(at, _)| {
            let (before, after) = (&self.text[..at], &self.text[at + name.len()..]);
            let is_whole = !before.ends_with(is_word) && !before.ends_with("::") && !after.starts_with(is_word);
            is_whole && !uses.iter().any(|(from, to)| (*from..*to).contains(&at))
        })
    }

    /// Paths outside of `use`.
    fn paths(&mut self, modules: &BTreeSet<Names>) {
        let uses = self.uses();
        let mut at = 0;
        while let Some(found) = self.text[at..].find("::").map(|found| at + found) {
            let begin = self.text[..found].rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
            let length = self.text[begin..].find(|c| !is_word(c) && c != ':').unwrap_or(self.text.len() - begin);
            at = begin + length.max(found + 2 - begin);
            let is_import = uses.iter().any(|(from, to)| (*from..*to).contains(&begin));
            let path: Names =
                self.text[begin..at].split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            if let Some(path) = self.absolute(&path, modules).filter(|_| !is_import && begin < found) {
                self.named.push((self.line(begin), path));
            }
        }
    }
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Code without comments and without what is in texts.
fn bare(code: &str) -> String {
    let (mut out, mut rest) = (String::new(), code);
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(hashes) = raw(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let begin = hashes + 2;
            begin + rest[begin..].find(&end).map_or(rest.len() - begin, |at| at + end.len())
        } else if c == '"' {
            text_length(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\") {
            3
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.extend(rest[..length].chars().filter(|c| *c == '\n'));
        rest = &rest[length..];
    }
    out
}

/// The number of `#` with which a raw text begins here.
fn raw(code: &str) -> Option<usize> {
    let after = code.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn text_length(code: &str) -> usize {
    let mut escaped = true;
    for (at, c) in code.char_indices() {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    code.len()
}

/// The paths of a `use`, each with the name that it has afterwards.
fn leaves(tree: &str) -> Vec<(Names, String)> {
    let tree = tree.trim();
    if let Some((prefix, group)) = tree.split_once('{') {
        let prefix: Names = prefix.split("::").map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect();
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        let inner = parts(group).into_iter().flat_map(leaves);
        let joined = inner.map(|(path, name)| match path.as_slice() {
            [only] if only == "self" => {
                (prefix.clone(), if name == "self" { prefix[prefix.len() - 1].clone() } else { name })
            }
            _ => (prefix.iter().chain(&path).cloned().collect(), name),
        });
        return joined.collect();
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let path: Names = path.split("::").map(|name| name.trim().to_owned()).collect();
    let name = alias.map_or_else(|| path[path.len() - 1].clone(), str::to_owned);
    vec![(path, name)]
}

/// What the commas outside of braces separate.
fn parts(group: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&group[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    found.push(&group[begin..]);
    found.retain(|part| !part.trim().is_empty());
    found
}

/// For each circle its places, one of the shortest if there are several through a node.
fn circles(graph: &Graph) -> Vec<String> {
    let mut found = BTreeMap::new();
    for start in graph.keys() {
        let (mut queue, mut before) = (VecDeque::from([start]), BTreeMap::new());
        while let Some(node) = queue.pop_front() {
            for (next, place) in graph.get(node).into_iter().flatten() {
                if before.contains_key(next) {
                    continue;
                }
                before.insert(next, (node, place));
                queue.push_back(next);
            }
        }
        let Some(last) = before.get(start) else { continue };
        let (mut nodes, mut places, mut step) = (BTreeSet::new(), Vec::new(), *last);
        loop {
            nodes.insert(step.0.clone());
            places.push(format!("    {}", step.1));
            if step.0 == start {
                break;
            }
            step = before[step.0];
        }
        places.reverse();
        found.entry(nodes).or_insert_with(|| places.join("\n"));
    }
    let shown = found
        .into_iter()
        .map(|(nodes, places)| format!("{}\n{places}", nodes.into_iter().collect::<Vec<_>>().join(" ↔ ")));
    shown.collect()
}

#[test]
fn no_circle_between_files() {
    let graph = Tree::read().graph(|from, to| Some((from.to_owned(), to.to_owned())));
    assert!(graph["run.rs"].contains_key("cli.rs"), "the graph is not read");
    let found = circles(&graph);
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

#[test]
fn no_circle_between_folders() {
    let graph = Tree::read().graph(members);
    assert!(graph["service"].contains_key("vmm"), "the graph is not read");
    let found = circles(&graph);
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

/// The two members of the deepest folder that holds both files; nothing when one is the other's `mod.rs`.
fn members(from: &str, to: &str) -> Option<(String, String)> {
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let member = |names: &[&str]| {
        let name = names[..=same].join("/");
        name.strip_suffix(".rs").map_or(name.clone(), str::to_owned)
    };
    let (from, to) = (member(&from), member(&to));
    let is_facade = |name: &str| name == "lib" || name == "mod" || name.ends_with("/mod");
    (from != to && !is_facade(&from) && !is_facade(&to)).then_some((from, to))
}

#[test]
fn paths_are_read() {
    let text =
        bare("use a::{self, b as c, d::{e, f}}; // use x\nlet t = \"crate::x\\\"\"; 'a' r#\"crate::y\"# crate::z;");
    assert!(!text.contains('x') && !text.contains("crate::y") && text.ends_with(" crate::z;"), "{text}");
    let found = leaves("a::{self, b as c, d::{e, f}}");
    let names: Vec<String> = found.iter().map(|(path, name)| format!("{}={name}", path.join("::"))).collect();
    assert_eq!(names, ["a=a", "a::b=c", "a::d::e=e", "a::d::f=f"]);
    let arrow = |from: &str, to: &str| (from.to_owned(), BTreeMap::from([(to.to_owned(), format!("{from}:1"))]));
    assert_eq!(circles(&Graph::from([arrow("a", "b"), arrow("b", "c"), arrow("c", "b")])).len(), 1);
}
