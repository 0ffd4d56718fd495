//! The manual by what an administrator does rarely: `pmvmmanager6 help TOPIC`, and a man page for each.
//!
//! A page is plain text of 80 columns: its title, then headings in capitals, paragraphs, and command lines indented by
//! four blanks. Its examples speak of handler 3, service 4711 and VM 217; `tests/it/manual.rs` runs them.

/// One page.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// What is typed behind `help`.
    pub name: &'static str,
    /// The whole page.
    pub text: &'static str,
}

/// All pages, in the order in which they are listed.
pub const TOPICS: [Topic; 5] = [
    Topic { name: "first-handler", text: include_str!("topics/first-handler.txt") },
    Topic { name: "maintenance", text: include_str!("topics/maintenance.txt") },
    Topic { name: "stuck-operation", text: include_str!("topics/stuck-operation.txt") },
    Topic { name: "lost-server", text: include_str!("topics/lost-server.txt") },
    Topic { name: "certificate", text: include_str!("topics/certificate.txt") },
];

impl Topic {
    /// The page's first line.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The page with this name.
    pub fn find(name: &str) -> Option<Topic> {
        TOPICS.into_iter().find(|topic| topic.name == name)
    }
}
